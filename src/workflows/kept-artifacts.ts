/** What a step returned that is kept beside a task's result. */
import type { ArtifactStore } from '../tasks/bar-archive.js'
import { leaseLost } from '../tasks/lease-lost.js'
import type { Attempt } from '../tasks/task.js'

/** Of these kinds, what is there; in one write. Throws LEASE_LOST. */
export async function keepArtifacts(store: ArtifactStore, { taskId, attempt }: Attempt, bytes: Readonly<Record<string, Uint8Array>>, kinds: readonly string[]): Promise<void> {
  const kept = Object.fromEntries(Object.entries(bytes).filter(([kind]) => kinds.includes(kind)))
  if (Object.keys(kept).length > 0 && !await store.put(taskId, attempt, kept)) throw leaseLost(taskId, 'artifact')
}
