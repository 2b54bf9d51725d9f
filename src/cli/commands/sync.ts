/** `sweepmill sync`: klines of an exchange into the store, as a task that is awaited. */
import { Command } from 'commander'
import { TaskType } from '../../tasks/task.js'
import { awaitTask, submitDetached } from '../awaited-task.js'
import { asRecord } from '../backtest-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { SYNC_HELP } from '../help-text.js'
import { addSyncFlags, syncSpec } from '../sync-flags.js'
import type { SyncFlags } from '../sync-flags.js'
import { addTaskFlags, notBefore, taskRequest, unawaitedBy } from '../task-flags.js'
import type { TaskFlags } from '../task-flags.js'
import { formatDuration, textPairs } from '../text-table.js'
import type { Cell } from '../text-table.js'

const SHOWN_GAPS = 5

export function syncCommand(invocations: Invocations): Command {
  const command = addTaskFlags(addSyncFlags(new Command('sync').description('fetch bars from an exchange into the store')))
    .addHelpText('after', SYNC_HELP)
  return invocations.command(command, runSync)
}

async function runSync(invocation: Invocation, flags: SyncFlags & TaskFlags): Promise<void> {
  const unawaited = unawaitedBy(flags)
  const request = taskRequest(TaskType.DATA_SYNC, await syncSpec(flags), flags, { notBefore: notBefore(flags, invocation.context.clock) })
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    await workbench.check(request)
    const backend = await workbench.connect(unawaited === null ? 'session' : 'client')
    if (unawaited !== null) return submitDetached(invocation, workbench, request)
    const { taskId } = await workbench.submit(request)
    const { task } = await awaitTask(invocation, workbench, backend, taskId)
    output.document({ task_id: task.task_id, status: task.status, ...asRecord(task.result), processing_time_ms: task.processing_time_ms })
    output.text(`${output.bold(`Sync ${taskId}`)} in ${formatDuration(task.processing_time_ms ?? Number.NaN)}\n${syncSummary(task.result)}`)
  })
}

export function syncSummary(result: unknown): string {
  const facts = asRecord(result)
  const cell = (key: string): Cell => facts[key] as Cell
  const gaps = (Array.isArray(facts['gaps']) ? facts['gaps'] : []).map(asRecord)
  const more = Number(facts['gaps_total']) - Math.min(gaps.length, SHOWN_GAPS)
  return textPairs([
    ['series', `${String(facts['exchange'])} ${String(facts['symbol'])} ${String(facts['timeframe'])} (${String(facts['category'])})`],
    ['asked for', `${String(facts['from'])} to ${String(facts['to'])}`],
    ['bars', cell('bars')], ['first', cell('first_time')], ['last', cell('last_time')],
    ['added', cell('bars_added')], ['replaced', cell('bars_replaced')], ['pages', cell('pages')],
    ['missing', facts['bars_missing'] === 0 ? 'none' : `${String(facts['bars_missing'])} bars in ${String(facts['gaps_total'])} gaps`],
    ...gaps.slice(0, SHOWN_GAPS).map((gap) => ['', `${String(gap['from'])} to ${String(gap['to'])}: ${String(gap['bars'])}`] as const),
    ...(more > 0 ? [['', `and ${more} more`] as const] : []),
  ])
}
