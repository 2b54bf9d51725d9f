/**
 * `sweepmill tasks export`: the files of a task that is over, for who did not wait for it: queued with --detach, by a
 * schedule or over HTTP. The same bytes as the command that waits writes.
 */
import { Command } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { TaskType } from '../../tasks/task.js'
import type { TaskView } from '../../tasks/backend.js'
import { writeArtifact } from '../artifact-file.js'
import type { Invocation, Invocations } from '../context.js'
import { assertWritable, writeFileAtomically } from '../output-file.js'

interface ExportFlags {
  readonly trades?: string
  readonly equity?: string
  readonly trials?: string
  readonly report?: string
}

export function taskExportCommand(invocations: Invocations, taskIdOf: (id: string | undefined) => string): Command {
  const command = new Command('export').argument('<id>').description('write the files of a completed backtest or sweep')
    .option('--trades <file>', 'the trades of a backtest, as CSV')
    .option('--equity <file>', 'the equity curve as CSV; of a sweep, its best trial\'s')
    .option('--trials <file>', 'every trial of a sweep, as CSV')
    .option('--report <file>', 'an HTML report')
  return invocations.command(command, (invocation, flags: ExportFlags, [id]) => exportTask(invocation, flags, taskIdOf(id)))
}

async function exportTask(invocation: Invocation, flags: ExportFlags, taskId: string): Promise<void> {
  const { trades, equity, trials, report } = flags
  const outputs = { '--trades': trades, '--equity': equity, '--trials': trials, '--report': report }
  const paths = Object.values(outputs).filter((path) => path !== undefined)
  if (paths.length === 0) throw new SweepmillError('USAGE', `Nothing was named to write: add one of ${Object.keys(outputs).join(', ')}.`)
  await assertWritable(outputs)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const backend = await workbench.connect('client')
    refuseUnfit(await backend.task(taskId), flags)
    if (trades !== undefined) await writeArtifact(backend, taskId, 'trades', trades)
    if (equity !== undefined) await writeArtifact(backend, taskId, 'equity', equity)
    if (trials !== undefined) await writeFileAtomically(trials, (write) => backend.exportTrials(taskId, write))
    if (report !== undefined) await writeArtifact(backend, taskId, 'report', report)
    invocation.output.document({ task_id: taskId, written: paths })
    invocation.output.text(`Wrote ${paths.join(', ')}`)
  })
}

/** Before the first file is written. */
function refuseUnfit({ task_id: taskId, task_type: type, status }: TaskView, flags: ExportFlags): void {
  const details = { task_id: taskId, status }
  if (type !== TaskType.BACKTEST && type !== TaskType.OPTIMIZATION) throw new SweepmillError('USAGE', `Task ${taskId} is neither a backtest nor a sweep, and has no files.`, { details })
  const [flag, owner] = type === TaskType.BACKTEST ? ['trials', 'sweep'] as const : ['trades', 'backtest'] as const
  if (flags[flag] !== undefined) throw new SweepmillError('USAGE', `--${flag} is of a ${owner}, which task ${taskId} is not: leave it out.`, { details })
  if (status !== 'completed') throw new SweepmillError('STATE_CONFLICT', `Task ${taskId} is ${status}; only a completed one has files.`, { details })
}
