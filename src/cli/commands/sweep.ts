/** `sweepmill sweep`: a parameter sweep as a task, awaited, with its trials and report written where asked. */
import { Command } from 'commander'
import type { TaskReader, TaskView } from '../../tasks/backend.js'
import { taskDocument } from '../../tasks/task-document.js'
import { TaskType } from '../../tasks/task.js'
import { resultInOrder } from '../../engine/specs/key-order.js'
import { outputsOf, refuseUnawaited, writeArtifacts } from '../artifact-file.js'
import { awaitTask, submitDetached } from '../awaited-task.js'
import { asRecord } from '../backtest-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { SWEEP_HELP } from '../help-text.js'
import { prepareOutputs, writtenFiles } from '../output-file.js'
import { addSweepFlags, sweepSpec } from '../spec-flags.js'
import type { Spec, SweepFlags } from '../spec-flags.js'
import { sweepSummary } from '../sweep-summary.js'
import { addTaskFlags, taskRequest, taskTimes, unawaitedBy } from '../task-flags.js'
import type { TaskFlags } from '../task-flags.js'
import { formatDuration, WIDE } from '../text-table.js'

type Flags = SweepFlags & TaskFlags & { readonly trials?: string; readonly report?: string; readonly new?: boolean; readonly wide?: boolean }

export function sweepCommand(invocations: Invocations): Command {
  const command = addTaskFlags(addSweepFlags(new Command('sweep').description('run a parameter sweep and print its best trials')))
    .option('--trials <file>', 'write every trial: .csv, .csv.gz, .json or .parquet; - is standard output')
    .option('--report <file>', 'write an HTML report')
    .option('--wide', WIDE)
    .option('--new', 'start over: attach to no unfinished sweep, reuse no trial')
    .addHelpText('after', SWEEP_HELP)
  return invocations.command(command, runSweepCommand)
}

async function runSweepCommand(invocation: Invocation, flags: Flags): Promise<void> {
  const { output } = invocation
  const outputs = outputsOf(flags)
  const unawaited = unawaitedBy(flags)
  refuseUnawaited(unawaited, outputs)
  const data = await sweepSpec(flags)
  await prepareOutputs(output, outputs, [...flags.data ?? [], flags.spec])
  const config = invocation.config()
  const request = taskRequest(TaskType.OPTIMIZATION, data, flags, { fresh: flags.new === true, ...taskTimes(flags, invocation.context.clock) })
  await invocation.withWorkbench(config, async (workbench) => {
    await workbench.check(request)
    const backend = await workbench.connect(unawaited === null ? 'session' : 'client')
    if (unawaited !== null) return submitDetached(invocation, workbench, backend, request)
    const { taskId, created } = await workbench.submit(request)
    if (!created) output.note(`Going on with the unfinished sweep ${taskId} (--new would start over).${flags.name === undefined && flags.tag === undefined ? '' : ' Its name and tags stay as they are.'}`)
    const awaited = await awaitTask(invocation, workbench, backend, taskId,
      { again: 'The same command, without --new, goes on where it was: finished chunks are kept.', outputs })
    const { task } = awaited
    await writeArtifacts(output, backend, taskId, flags)
    output.document(await sweepDocument(awaited.task, data, backend))
    output.text(`${output.bold(`Sweep ${taskId}`)} in ${formatDuration(task.processing_time_ms ?? Number.NaN)}\n${sweepSummary(task.result, data, awaited, flags.wide === true)}${writtenFiles(outputs)}`)
  })
}

/** The task's result holds as many of the best trials as fit its column; who asked for more gets them from the ranking. */
async function sweepDocument(task: TaskView, spec: Spec, backend: TaskReader): Promise<Readonly<Record<string, unknown>>> {
  const document = taskDocument(task)
  const result = asRecord(task.result)
  if (!Array.isArray(result['top']) || !(Number(spec['top']) > result['top'].length)) return document
  const ranking = await backend.artifact(task.task_id, 'ranking')
  if (ranking === null) return document
  const { top } = JSON.parse(new TextDecoder().decode(ranking)) as { top: unknown }
  return { ...document, top: resultInOrder(top, task.data) }
}
