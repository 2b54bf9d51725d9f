/** `sweepmill cleanup`: one cleanup as a task, awaited, and what it removed as a table. */
import { Command } from 'commander'
import type { TaskView } from '../../tasks/backend.js'
import { TaskType } from '../../tasks/task.js'
import { awaitTask, submitDetached } from '../awaited-task.js'
import { asRecord } from '../backtest-summary.js'
import { addCleanupFlags, cleanupSpec } from '../cleanup-flags.js'
import type { CleanupFlags } from '../cleanup-flags.js'
import { cleanupSummary } from '../cleanup-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { CLEANUP_HELP } from '../help-text.js'
import { addTaskFlags, notBefore, taskRequest, unawaitedBy } from '../task-flags.js'
import type { TaskFlags } from '../task-flags.js'
import { formatDuration } from '../text-table.js'

type Flags = CleanupFlags & TaskFlags

export function cleanupCommand(invocations: Invocations): Command {
  const command = addTaskFlags(addCleanupFlags(new Command('cleanup').description('remove what is older than so many days; never what is in use')))
    .addHelpText('after', CLEANUP_HELP)
  return invocations.command(command, runCleanupCommand)
}

async function runCleanupCommand(invocation: Invocation, flags: Flags): Promise<void> {
  const unawaited = unawaitedBy(flags)
  const request = taskRequest(TaskType.CLEANUP, await cleanupSpec(flags), flags, { notBefore: notBefore(flags, invocation.context.clock) })
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    await workbench.check(request)
    const backend = await workbench.connect(unawaited === null ? 'session' : 'client')
    if (unawaited !== null) return submitDetached(invocation, workbench, request)
    const { taskId } = await workbench.submit(request)
    const { task } = await awaitTask(invocation, workbench, backend, taskId)
    output.document(cleanupDocument(task))
    output.text(`${output.bold(`Cleanup ${taskId}`)} in ${formatDuration(task.processing_time_ms ?? Number.NaN)}\n${cleanupSummary(task.result)}`)
  })
}

/** `{task_id, status, dry_run, rules, rows, bytes, …}`: the result of the task, flat. */
function cleanupDocument(task: TaskView): Record<string, unknown> {
  return { task_id: task.task_id, status: task.status, ...asRecord(task.result), processing_time_ms: task.processing_time_ms }
}
