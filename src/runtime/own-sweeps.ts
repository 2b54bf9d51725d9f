/**
 * What waits for a worker of this very engine is delivered as soon as one starts: other workers handed it back for a while,
 * and that while grows.
 */
import { engineVersion } from '../base/engine-version.js'
import type { SweepStore } from '../tasks/sweep-store.js'
import type { PublicationBook } from '../tasks/task-store.js'
import type { TaskPublisher } from '../tasks/task-stream.js'
import { afterCommit } from './after-commit.js'

export async function deliverOwnSweeps(sweeps: SweepStore, publisher: TaskPublisher, book: PublicationBook): Promise<void> {
  const waiting = await sweeps.claim(engineVersion)
  if (waiting.length === 0) return
  await afterCommit(async () => {
    const messageIds = await publisher.publish(waiting.map((task) => ({ ...task, body: null, delayMs: 0 })))
    await book.markPublished(waiting.map(({ taskId }, i) => ({ taskId, messageId: messageIds[i] ?? null })))
  })
}
