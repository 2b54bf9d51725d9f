/** `sweepmill sync`: klines of an exchange into the store, as a task that is awaited. */
import { Command } from 'commander'
import { TaskType } from '../../tasks/task.js'
import { submitAndShow } from '../awaited-task.js'
import type { Invocation, Invocations } from '../context.js'
import { SYNC_HELP } from '../help-text.js'
import { addSyncFlags, syncSpec } from '../sync-flags.js'
import type { SyncFlags } from '../sync-flags.js'
import { addTaskFlags, taskRequest, taskTimes, unawaitedBy } from '../task-flags.js'
import type { TaskFlags } from '../task-flags.js'
import { syncSummary } from '../sync-summary.js'

export function syncCommand(invocations: Invocations): Command {
  const command = addTaskFlags(addSyncFlags(new Command('sync').description('fetch bars from an exchange into the store')))
    .addHelpText('after', SYNC_HELP)
  return invocations.command(command, runSync)
}

async function runSync(invocation: Invocation, flags: SyncFlags & TaskFlags): Promise<void> {
  const unawaited = unawaitedBy(flags)
  const request = taskRequest(TaskType.DATA_SYNC, await syncSpec(flags), flags, taskTimes(flags, invocation.context.clock))
  await submitAndShow(invocation, request, unawaited === null, 'Sync', syncSummary, 'The same command goes on where it was: what is stored is not fetched again.')
}
