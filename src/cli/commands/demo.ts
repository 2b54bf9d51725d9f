/**
 * `sweepmill demo`: the bundled bars through everything, once. One HIGH backtest and one sweep of more than
 * 100 000 trials go through Redis, the threads and Postgres; the report is written to the working directory.
 */
import { join } from 'node:path'
import { Command } from 'commander'
import { packageRoot } from '../../base/package-root.js'
import type { Config } from '../../runtime/config.js'
import type { SubmitRequest } from '../../tasks/backend.js'
import { taskDocument } from '../../tasks/task-document.js'
import { TaskType } from '../../tasks/task.js'
import { writeArtifacts } from '../artifact-file.js'
import { awaitTask } from '../awaited-task.js'
import type { AwaitedTask } from '../awaited-task.js'
import { asRecord, backtestSummary } from '../backtest-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { assertWritable } from '../output-file.js'
import type { Workbench } from '../session.js'
import { sweepSummary } from '../sweep-summary.js'
import { formatDuration, formatNumber, WIDE } from '../text-table.js'

const REPORT = 'sweepmill-demo.html'
const EXECUTION = { fee_rate: 0.001, slippage: 0.0005 }

export const DEMO_BACKTEST = {
  strategy: { name: 'sma-cross', params: { fast: 50, slow: 200 } }, execution: EXECUTION,
}
export const DEMO_SWEEP = {
  strategy: { name: 'sma-cross' },
  space: { fast: { min: 2, max: 200, step: 1 }, slow: { min: 3, max: 620, step: 1 } }, constraint: 'fast < slow',
  objective: 'sharpe_ratio', direction: 'maximize', holdout: 0.3, top: 20, execution: EXECUTION,
}

export function demoCommand(invocations: Invocations): Command {
  return invocations.command(new Command('demo').description('the bundled data: one backtest and one large sweep, with a report').option('--wide', WIDE), runDemo)
}

async function runDemo(invocation: Invocation, { wide = false }: { readonly wide?: boolean }): Promise<void> {
  const { output } = invocation
  await assertWritable({ 'The report': REPORT })
  const config = ownPlace(invocation.config())
  const file = join(packageRoot, 'samples', 'sp500-daily.csv')
  const backtest: SubmitRequest = { taskType: TaskType.BACKTEST, data: { file, ...DEMO_BACKTEST }, priority: 'high', roots: null }
  // A demo that attached to an earlier, unfinished one would show the wrong speed.
  const sweep: SubmitRequest = { taskType: TaskType.OPTIMIZATION, data: { file, ...DEMO_SWEEP }, roots: null, fresh: true }
  await invocation.withWorkbench(config, async (workbench) => {
    output.text(`${output.bold('Sweepmill demo')}: the S&P 500, daily, 2000 to 2020, through Redis, ${workbench.threads} compute threads and Postgres`)
    await workbench.check(backtest)
    await workbench.check(sweep)
    const backend = await workbench.connect('session')

    const first = await awaitTask(invocation, workbench, backend, (await workbench.submit(backtest)).taskId, null)
    output.text(`\n${output.bold('One backtest')}: ${titleOf(DEMO_BACKTEST)}, ${took(first)}\n${backtestSummary(first.task.result)}`)

    const second = await awaitTask(invocation, workbench, backend, (await workbench.submit(sweep)).taskId, null)
    await writeArtifacts(output, backend, second.task.task_id, { report: REPORT })
    const speed = speedOf(second, workbench)
    output.text(`\n${output.bold('One sweep')}: ${titleOf(DEMO_SWEEP)} with ${DEMO_SWEEP.constraint}, ${took(second)}\n${sweepSummary(second.task.result, DEMO_SWEEP, second, wide)}`)
    output.text(`\nThe report: ${join(process.cwd(), REPORT)}`)
    output.document({ backtest: first.task, sweep: taskDocument(second.task), ...speed, report: join(process.cwd(), REPORT) })
  }, true)
}

/** Its tasks stand beside nobody's own, and a worker of the user's does not compute them. */
function ownPlace(config: Config): Config {
  return config.sources.STATE_DIR === 'environment' ? config : { ...config, stateDir: join(config.stateDir, 'demo') }
}

function speedOf({ task, busyShare }: AwaitedTask, workbench: Workbench): Record<string, unknown> {
  const trials = asRecord(task.result)['trials']
  const ms = task.processing_time_ms
  return {
    trials_per_second: typeof trials === 'number' && ms !== null && ms > 0 ? Math.round((1000 * trials) / ms) : null,
    threads: workbench.threads,
    threads_busy_share: busyShare,
  }
}

function titleOf(spec: { readonly strategy: { readonly name: string; readonly params?: object } }): string {
  const params = Object.entries(spec.strategy.params ?? {}).map(([name, value]) => `${name} ${formatNumber(Number(value))}`)
  return [spec.strategy.name, ...params].join(', ')
}

function took({ task }: AwaitedTask): string {
  return `in ${formatDuration(task.processing_time_ms ?? Number.NaN)}`
}
