/** The flags of the task itself, beside its spec. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import type { SubmitRequest } from '../tasks/backend.js'
import { PRIORITIES } from '../tasks/task.js'
import type { TaskPriority, TaskType } from '../tasks/task.js'
import { isTag, isTaskName, NAME_RULE, TAG_RULE } from '../tasks/task-label.js'
import { repeated, wholeNumber } from './spec-flags.js'
import type { Spec } from './spec-flags.js'
import { duration, time } from './time-flag.js'

/** How a task is queued, whenever it is made. */
export interface QueueFlags {
  readonly priority?: TaskPriority
  readonly timeout?: number
}

export interface TaskFlags extends QueueFlags {
  readonly name?: string
  readonly tag?: readonly string[]
  readonly detach?: boolean
  /** Milliseconds. */
  readonly delay?: number
  /** ISO 8601 UTC. */
  readonly at?: string
  /** Milliseconds. */
  readonly deadline?: number
}

const MAX_TIMEOUT_SECONDS = 7 * 86_400

export function addQueueFlags(command: Command): Command {
  return command
    .addOption(new Option('--priority <priority>', 'how soon it is taken').choices([...PRIORITIES]))
    .option('--timeout <seconds>', 'longest time without progress (default: 300)', (text: string) => {
      const seconds = wholeNumber(text)
      if (seconds < 1 || seconds > MAX_TIMEOUT_SECONDS) throw new InvalidArgumentError(`Write 1 to ${MAX_TIMEOUT_SECONDS} seconds.`)
      return seconds
    })
}

/** What people call the task. */
export function addLabelFlags(command: Command): Command {
  return command
    .option('--name <text>', 'name of the task, to find it by in "tasks list"', (text: string) => {
      if (!isTaskName(text)) throw new InvalidArgumentError(`Write ${NAME_RULE}.`)
      return text
    })
    .option('--tag <tag>', 'tag of the task, to find several by (repeatable)', (text: string, before: readonly string[] | undefined) => {
      if (!isTag(text)) throw new InvalidArgumentError(`Write ${TAG_RULE}.`)
      return repeated(text, before)
    })
}

export function addTaskFlags(command: Command): Command {
  return addLabelFlags(addQueueFlags(command.option('--detach', 'queue it and return; a running worker takes it')))
    .option('--delay <duration>', 'queue it and return; do not start until this much time has passed, such as 90s, 5m or 2h', duration)
    .option('--at <time>', 'queue it and return; do not start before this time, such as 2025-11-05T17:30:00Z', time)
    .option('--deadline <duration>', 'if it has not finished in this much time, waiting included, it fails permanently, such as 30m or 8h', duration)
}

export function taskRequest(taskType: TaskType, data: Spec, flags: QueueFlags & Pick<TaskFlags, 'name' | 'tag'>, rest: TaskTimes & { readonly fresh?: boolean } = {}): SubmitRequest {
  return { taskType, data, priority: flags.priority, name: flags.name, tags: flags.tag, timeoutSeconds: flags.timeout, roots: null, fresh: rest.fresh === true, notBefore: rest.notBefore, deadlineAt: rest.deadlineAt }
}

/** ISO 8601 UTC. */
export interface TaskTimes {
  readonly notBefore?: string | undefined
  readonly deadlineAt?: string | undefined
}

/** When a task may start, and when it must be done. Throws USAGE when two flags say so, or they leave no time. */
export function taskTimes(flags: TaskFlags, clock: Clock): TaskTimes {
  const start = notBefore(flags, clock)
  const deadlineAt = flags.deadline === undefined ? undefined : new Date(clock.wallMs() + flags.deadline).toISOString()
  if (start !== undefined && deadlineAt !== undefined && Date.parse(deadlineAt) <= Date.parse(start)) {
    throw new SweepmillError('USAGE', `--deadline ends at ${deadlineAt}, and the task may not start before ${start}: give it more time.`, { details: { flag: '--deadline' } })
  }
  return { notBefore: start, deadlineAt }
}

function notBefore({ delay, at }: TaskFlags, clock: Clock): string | undefined {
  if (delay !== undefined && at !== undefined) throw new SweepmillError('USAGE', '--delay and --at both say when to start: keep one of them.', { details: { flag: '--at' } })
  if (at !== undefined && Date.parse(at) < clock.wallMs()) {
    throw new SweepmillError('USAGE', `--at ${at} has passed: write a time to come, or leave --at out to start at once.`, { details: { flag: '--at' } })
  }
  return delay === undefined ? at : new Date(clock.wallMs() + delay).toISOString()
}

/** The flag by which nobody waits for the result; null where the command does. Nobody waits hours for a task that is not due. */
export function unawaitedBy({ detach, delay, at }: TaskFlags): '--detach' | '--delay' | '--at' | null {
  if (detach === true) return '--detach'
  if (delay !== undefined) return '--delay'
  return at === undefined ? null : '--at'
}
