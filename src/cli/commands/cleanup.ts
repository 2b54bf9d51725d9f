/** `sweepmill cleanup`: one cleanup as a task, awaited, and what it removed as a table. */
import { Command } from 'commander'
import { TaskType } from '../../tasks/task.js'
import { submitAndShow } from '../awaited-task.js'
import { addCleanupFlags, cleanupSpec } from '../cleanup-flags.js'
import type { CleanupFlags } from '../cleanup-flags.js'
import { cleanupSummary } from '../cleanup-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { CLEANUP_HELP } from '../help-text.js'
import { addTaskFlags, taskRequest, taskTimes, unawaitedBy } from '../task-flags.js'
import type { TaskFlags } from '../task-flags.js'

type Flags = CleanupFlags & TaskFlags

export function cleanupCommand(invocations: Invocations): Command {
  const command = addTaskFlags(addCleanupFlags(new Command('cleanup').description('remove what is older than so many days; never what is in use')))
    .addHelpText('after', CLEANUP_HELP)
  return invocations.command(command, runCleanupCommand)
}

async function runCleanupCommand(invocation: Invocation, flags: Flags): Promise<void> {
  const unawaited = unawaitedBy(flags)
  const request = taskRequest(TaskType.CLEANUP, await cleanupSpec(flags), flags, taskTimes(flags, invocation.context.clock))
  await submitAndShow(invocation, request, unawaited === null, 'Cleanup', cleanupSummary)
}
