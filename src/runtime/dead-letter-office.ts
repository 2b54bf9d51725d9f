/**
 * What an operator does with dead letters, in batches: look, redrive, purge. The rows change first; the messages and
 * the projection in Redis follow, and the reconciler makes up for them if this process dies in between.
 */
import type { DeadLetterDesk, DeadLetterFilter, DeadLetterRecord, QuarantineFilter } from '../tasks/dead-letters.js'
import type { DeadLetters, DeadLetterView, QuarantineView } from '../tasks/backend.js'
import type { PublicationBook } from '../tasks/task-store.js'
import type { TaskPublisher } from '../tasks/task-stream.js'
import { afterCommit } from './after-commit.js'
import { checkLetterFilter } from './caller-input.js'
import type { DeadLetterProjection } from './dead-letter-projection.js'

/** Rows of one statement, and messages of one publication. */
const BATCH = 500

export interface DeadLetterOfficeParts {
  readonly desk: DeadLetterDesk
  readonly book: PublicationBook
  readonly publisher: TaskPublisher
  readonly letters: DeadLetterProjection
}

export class DeadLetterOffice implements DeadLetters {
  readonly #parts: DeadLetterOfficeParts

  constructor(parts: DeadLetterOfficeParts) {
    this.#parts = parts
  }

  async list(filter: DeadLetterFilter): Promise<readonly DeadLetterView[]> {
    checkLetterFilter(filter)
    return (await this.#parts.desk.list(filter)).map(toView)
  }

  async redrive(filter: DeadLetterFilter, dryRun: boolean): Promise<readonly string[]> {
    const { desk, book, publisher } = this.#parts
    return this.#each(filter, dryRun, async (ids) => {
      const tasks = await desk.redrive(ids)
      await afterCommit(async () => {
        const messages = await publisher.publish(tasks.map((task) => ({ ...task, body: null, delayMs: 0 })))
        await book.markPublished(tasks.map((task, i) => ({ taskId: task.taskId, messageId: messages[i] ?? null })))
      })
      return tasks.map((task) => task.taskId)
    })
  }

  async purge(filter: DeadLetterFilter, dryRun: boolean): Promise<readonly string[]> {
    return this.#each(filter, dryRun, (ids) => this.#parts.desk.purge(ids))
  }

  async quarantine(filter: QuarantineFilter): Promise<readonly QuarantineView[]> {
    checkLetterFilter(filter)
    return (await this.#parts.desk.quarantined(filter)).map((entry) => ({
      quarantine_id: entry.quarantineId, message_id: entry.messageId, priority: entry.priority, reason: entry.reason,
      size_bytes: entry.sizeBytes, head_base64: Buffer.from(entry.head).toString('base64'), created_at: entry.createdAt,
    }))
  }

  /**
   * Batch by batch, towards older failures: what fails meanwhile is not among them, so it ends. The stream is read
   * once, at the end, because each look for letters reads all of it.
   */
  async #each(filter: DeadLetterFilter, dryRun: boolean, act: (ids: readonly string[]) => Promise<readonly string[]>): Promise<readonly string[]> {
    checkLetterFilter(filter)
    const { desk, letters } = this.#parts
    const done: string[] = []
    const gone: DeadLetterRecord[] = []
    let left = filter.limit ?? Number.POSITIVE_INFINITY
    let after = filter.after
    try {
      while (left > 0) {
        const page = await desk.list({ ...filter, after, limit: Math.min(BATCH, left) })
        if (page.length === 0) break
        const ids = page.map((letter) => letter.taskId)
        const acted = new Set(dryRun ? ids : await act(ids))
        done.push(...acted)
        if (!dryRun) gone.push(...page.filter((letter) => acted.has(letter.taskId)))
        left -= page.length
        after = page.at(-1)
      }
    } finally {
      await afterCommit(() => letters.forget(gone))
    }
    return done
  }
}

function toView(letter: DeadLetterRecord): DeadLetterView {
  return {
    task_id: letter.taskId, task_type: letter.taskType, priority: letter.priority, user_id: letter.userId, reason: letter.reason, error: letter.error,
    attempts: letter.attempts, generation: letter.generation, input_hash: letter.inputHash, message_id: letter.messageId,
    created_at: letter.createdAt, first_failure_at: letter.firstFailureAt, last_failure_at: letter.lastFailureAt,
  }
}
