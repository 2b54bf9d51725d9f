/**
 * What an operator does with dead letters, in small batches: look, redrive, purge. The row changes first; the message
 * and the projection in Redis follow, and the reconciler makes up for them if this process dies in between.
 */
import type { DeadLetterDesk, DeadLetterFilter, DeadLetterRecord } from '../tasks/dead-letters.js'
import type { DeadLetters, DeadLetterView } from '../tasks/backend.js'
import type { PublicationBook } from '../tasks/task-store.js'
import type { DeadLetterFeed, TaskPublisher } from '../tasks/task-stream.js'

const BATCH = 100

export interface DeadLetterOfficeParts {
  readonly desk: DeadLetterDesk
  readonly book: PublicationBook
  readonly publisher: TaskPublisher
  readonly feed: DeadLetterFeed
}

export class DeadLetterOffice implements DeadLetters {
  readonly #parts: DeadLetterOfficeParts

  constructor(parts: DeadLetterOfficeParts) {
    this.#parts = parts
  }

  async list(filter: DeadLetterFilter): Promise<readonly DeadLetterView[]> {
    return (await this.#parts.desk.list(filter)).map(toView)
  }

  async redrive(filter: DeadLetterFilter, dryRun: boolean): Promise<readonly string[]> {
    const { desk, book, publisher, feed } = this.#parts
    return this.#each(filter, dryRun, async (ids) => {
      const tasks = await desk.redrive(ids)
      await ifRedisServes(async () => {
        const messages = await publisher.publish(tasks.map((task) => ({ ...task, body: null, delayMs: 0 })))
        await book.markPublished(tasks.map((task, i) => ({ taskId: task.taskId, messageId: messages[i] ?? null })))
        await feed.remove(tasks.map((task) => task.taskId))
      })
      return tasks.map((task) => task.taskId)
    })
  }

  async purge(filter: DeadLetterFilter, dryRun: boolean): Promise<readonly string[]> {
    const { desk, feed } = this.#parts
    return this.#each(filter, dryRun, async (ids) => {
      const purged = await desk.purge(ids)
      await ifRedisServes(() => feed.remove(purged))
      return purged
    })
  }

  async #each(filter: DeadLetterFilter, dryRun: boolean, act: (ids: readonly string[]) => Promise<readonly string[]>): Promise<readonly string[]> {
    const ids = (await this.#parts.desk.list(filter)).map((letter) => letter.taskId)
    if (dryRun) return ids
    const done: string[] = []
    for (let at = 0; at < ids.length; at += BATCH) done.push(...await act(ids.slice(at, at + BATCH)))
    return done
  }
}

/** The rows have changed already; what Redis misses is found by comparing. */
async function ifRedisServes(follow: () => Promise<void>): Promise<void> {
  try {
    await follow()
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== 'REDIS_UNAVAILABLE') throw thrown
  }
}

function toView(letter: DeadLetterRecord): DeadLetterView {
  return {
    task_id: letter.taskId, task_type: letter.taskType, priority: letter.priority, user_id: letter.userId, reason: letter.reason, error: letter.error,
    attempts: letter.attempts, generation: letter.generation, input_hash: letter.inputHash, message_id: letter.messageId,
    created_at: letter.createdAt, first_failure_at: letter.firstFailureAt, last_failure_at: letter.lastFailureAt,
  }
}
