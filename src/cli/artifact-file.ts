/** What a finished task left behind (trades, equity, report), as a file of the caller's. */
import { SweepmillError } from '../base/errors.js'
import type { ArtifactKind, TaskReader } from '../tasks/backend.js'
import { writeFileAtomically } from './output-file.js'

export async function writeArtifact(backend: TaskReader, taskId: string, kind: ArtifactKind, path: string): Promise<void> {
  const bytes = await backend.artifact(taskId, kind)
  if (bytes === null) {
    throw new SweepmillError('NOT_SUPPORTED', `The task ${taskId} has no ${kind} to write to ${path}.`, { details: { task_id: taskId, kind } })
  }
  await writeFileAtomically(path, (write) => write(bytes))
}

/** Who does not wait has no result to write. */
export function refuseUnawaited(by: string | null, outputs: Readonly<Record<string, string | undefined>>): void {
  const [flag] = Object.entries(outputs).find(([, path]) => path !== undefined) ?? []
  if (by !== null && flag !== undefined) {
    throw new SweepmillError('USAGE', `${flag} needs the result and ${by} does not wait for it: leave one of them out.`, { details: { flag } })
  }
}
