/** What a finished task left behind (trades, equity, trials, report), as files of the caller's. */
import { SweepmillError } from '../base/errors.js'
import type { TaskReader } from '../tasks/backend.js'
import type { Output } from './output.js'
import { writeOutput } from './output-file.js'
import type { Outputs } from './output-file.js'
import { tableFormatOf } from './output-name.js'

export interface ArtifactFlags {
  readonly trades?: string
  readonly equity?: string
  readonly trials?: string
  readonly report?: string
}

/** By flag, as messages name them. */
export function outputsOf({ trades, equity, trials, report }: ArtifactFlags): Outputs {
  return { '--trades': trades, '--equity': equity, '--trials': trials, '--report': report }
}

export async function writeArtifacts(output: Output, backend: TaskReader, taskId: string, flags: ArtifactFlags): Promise<void> {
  const { trades, equity, trials, report } = flags
  for (const [kind, path] of [['trades', trades], ['equity', equity]] as const) {
    if (path === undefined) continue
    const format = tableFormatOf(`--${kind}`, path)
    await writeOutput(output, path, async (write) => {
      if (!await backend.exportTable(taskId, kind, format, write)) throw missing(taskId, kind, path)
    })
  }
  if (trials !== undefined) await writeOutput(output, trials, (write) => backend.exportTrials(taskId, write, tableFormatOf('--trials', trials)))
  if (report === undefined) return
  const bytes = await backend.artifact(taskId, 'report')
  if (bytes === null) throw missing(taskId, 'report', report)
  await writeOutput(output, report, (write) => write(bytes))
}

function missing(taskId: string, kind: string, path: string): SweepmillError {
  return new SweepmillError('NOT_SUPPORTED', `The task ${taskId} has no ${kind} to write to ${path}.`, { details: { task_id: taskId, kind } })
}

/** Who does not wait has no result to write. */
export function refuseUnawaited(by: string | null, outputs: Outputs): void {
  const [flag] = Object.entries(outputs).find(([, path]) => path !== undefined) ?? []
  if (by !== null && flag !== undefined) {
    throw new SweepmillError('USAGE', `${flag} needs the result and ${by} does not wait for it: leave one of them out.`, { details: { flag } })
  }
}
