/** `sweepmill backtest`: one backtest as a task, awaited, its trades and equity written where asked. */
import { Command } from 'commander'
import { TaskType } from '../../tasks/task.js'
import { awaitTask, submitDetached } from '../awaited-task.js'
import { backtestSummary } from '../backtest-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { BACKTEST_HELP } from '../help-text.js'
import { formatDuration } from '../text-table.js'
import { outputsOf, refuseUnawaited, writeArtifacts } from '../artifact-file.js'
import { prepareOutputs, writtenFiles } from '../output-file.js'
import { addSpecFlags, backtestSpec } from '../spec-flags.js'
import { addTrialFlags, trialSpec } from '../trial-flags.js'
import type { TrialFlags } from '../trial-flags.js'
import type { SpecFlags } from '../spec-flags.js'
import { addTaskFlags, taskRequest, taskTimes, unawaitedBy } from '../task-flags.js'
import type { TaskFlags } from '../task-flags.js'

type Flags = SpecFlags & TrialFlags & TaskFlags & { readonly trades?: string; readonly equity?: string; readonly report?: string }

export function backtestCommand(invocations: Invocations): Command {
  const command = addTaskFlags(addTrialFlags(addSpecFlags(new Command('backtest').description('run one backtest and print its result'))))
    .option('--trades <file>', 'write the trades: .csv, .csv.gz, .json or .parquet; - is standard output')
    .option('--equity <file>', 'write the equity curve, likewise')
    .option('--report <file>', 'write an HTML report')
    .addHelpText('after', BACKTEST_HELP)
  return invocations.command(command, runBacktestCommand)
}

async function runBacktestCommand(invocation: Invocation, flags: Flags): Promise<void> {
  const { output } = invocation
  const outputs = outputsOf(flags)
  const unawaited = unawaitedBy(flags)
  refuseUnawaited(unawaited, outputs)
  const data = trialSpec(flags) ?? await backtestSpec(flags)
  await prepareOutputs(output, outputs, [...flags.data ?? [], flags.spec])
  const config = invocation.config()
  const request = taskRequest(TaskType.BACKTEST, data, flags, taskTimes(flags, invocation.context.clock))
  await invocation.withWorkbench(config, async (workbench) => {
    await workbench.check(request)
    const backend = await workbench.connect(unawaited === null ? 'session' : 'client')
    if (unawaited !== null) return submitDetached(invocation, workbench, backend, request)
    const { taskId } = await workbench.submit(request)
    const { task } = await awaitTask(invocation, workbench, backend, taskId, { again: null, outputs })
    await writeArtifacts(output, backend, taskId, flags)
    output.document(task)
    output.text(`${output.bold(`Backtest ${taskId}`)} in ${formatDuration(task.processing_time_ms ?? Number.NaN)}\n${backtestSummary(task.result)}${writtenFiles(outputs)}`)
  })
}
