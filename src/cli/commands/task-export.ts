/**
 * `sweepmill tasks export`: the files of a task that is over, for who did not wait for it: queued with --detach, by a
 * schedule or over HTTP. The same bytes as the command that waits writes.
 */
import { Command } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { TaskType } from '../../tasks/task.js'
import type { TaskView } from '../../tasks/backend.js'
import { outputsOf, writeArtifacts } from '../artifact-file.js'
import type { ArtifactFlags } from '../artifact-file.js'
import type { Invocation, Invocations } from '../context.js'
import { prepareOutputs } from '../output-file.js'
import { isStdout } from '../output-name.js'

export function taskExportCommand(invocations: Invocations, taskIdOf: (id: string | undefined) => string): Command {
  const command = new Command('export').argument('<id>').description('write the files of a completed backtest or sweep')
    .option('--trades <file>', 'the trades of a backtest: .csv, .csv.gz, .json or .parquet; - is standard output')
    .option('--equity <file>', 'the equity curve, likewise; of a sweep, its best trial\'s')
    .option('--trials <file>', 'every trial of a sweep, likewise')
    .option('--report <file>', 'an HTML report')
  return invocations.command(command, (invocation, flags: ArtifactFlags, [id]) => exportTask(invocation, flags, taskIdOf(id)))
}

async function exportTask(invocation: Invocation, flags: ArtifactFlags, taskId: string): Promise<void> {
  const { output } = invocation
  const outputs = outputsOf(flags)
  const paths = Object.values(outputs).filter((path) => path !== undefined)
  if (paths.length === 0) throw new SweepmillError('USAGE', `Nothing was named to write: add one of ${Object.keys(outputs).join(', ')}.`)
  await prepareOutputs(output, outputs)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const backend = await workbench.connect('client')
    refuseUnfit(await backend.task(taskId), flags)
    await writeArtifacts(output, backend, taskId, flags)
    output.document({ task_id: taskId, written: paths })
    output.text(`Wrote ${paths.map((path) => (isStdout(path) ? 'standard output' : path)).join(', ')}`)
  })
}

/** Before the first file is written. */
function refuseUnfit({ task_id: taskId, task_type: type, status }: TaskView, flags: ArtifactFlags): void {
  const details = { task_id: taskId, status }
  if (type !== TaskType.BACKTEST && type !== TaskType.OPTIMIZATION) throw new SweepmillError('USAGE', `Task ${taskId} is neither a backtest nor a sweep, and has no files.`, { details })
  const [flag, owner] = type === TaskType.BACKTEST ? ['trials', 'sweep'] as const : ['trades', 'backtest'] as const
  if (flags[flag] !== undefined) throw new SweepmillError('USAGE', `--${flag} is of a ${owner}, which task ${taskId} is not: leave it out.`, { details })
  if (status !== 'completed') throw new SweepmillError('STATE_CONFLICT', `Task ${taskId} is ${status}; only a completed one has files.`, { details })
}
