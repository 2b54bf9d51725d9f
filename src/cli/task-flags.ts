/** The flags of the task itself, beside its spec. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { SubmitRequest } from '../tasks/backend.js'
import { PRIORITIES } from '../tasks/task.js'
import type { TaskPriority, TaskType } from '../tasks/task.js'
import { wholeNumber } from './spec-flags.js'
import type { Spec } from './spec-flags.js'

export interface TaskFlags {
  readonly detach?: boolean
  readonly priority?: TaskPriority
  readonly timeout?: number
}

const MAX_TIMEOUT_SECONDS = 7 * 86_400

export function addTaskFlags(command: Command): Command {
  return command
    .option('--detach', 'queue it and return; a running worker takes it')
    .addOption(new Option('--priority <priority>', 'how soon it is taken').choices([...PRIORITIES]))
    .option('--timeout <seconds>', 'longest time without progress (default: 300)', (text: string) => {
      const seconds = wholeNumber(text)
      if (seconds < 1 || seconds > MAX_TIMEOUT_SECONDS) throw new InvalidArgumentError(`Write 1 to ${MAX_TIMEOUT_SECONDS} seconds.`)
      return seconds
    })
}

export function taskRequest(taskType: TaskType, data: Spec, flags: TaskFlags, fresh = false): SubmitRequest {
  return { taskType, data, priority: flags.priority, timeoutSeconds: flags.timeout, roots: null, fresh }
}
