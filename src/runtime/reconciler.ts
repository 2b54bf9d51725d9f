/**
 * Makes Redis agree with Postgres.
 *
 * A row is *unpublished* when Redis has no message for it: it was never sent, or was found missing. A quiet round
 * costs one indexed query for such rows. At the first round, and when Redis is not the one it was (its run id or
 * its epoch key changed), every live row is compared with Redis first, and what is missing becomes unpublished.
 * An unpublished row that is `processing` is left to its owner while that lives; once the owner is gone it goes
 * back to `pending`, an audited transition, and is published.
 *
 * There may be hundreds of thousands of rows: they are taken in pages, and a worker that is told to stop reads no further
 * one. Whoever comes next compares again, because what was compared is noted at the end alone.
 */
import { newNonce } from '../base/ids.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { PublicationBook } from '../tasks/task-store.js'
import type { TaskPublisher } from '../tasks/task-stream.js'
import type { DeadLetterProjection } from './dead-letter-projection.js'
import type { FleetView } from './fleet-watch.js'

const PUBLISH_AT_MOST = 1000
const COMPARE_AT_ONCE = 1000

export interface RedisIdentitySource {
  identity(fresh: string): Promise<{ readonly epoch: string; readonly runId: string }>
}

export interface ReconcilerParts {
  readonly stream: TaskPublisher & RedisIdentitySource
  readonly book: PublicationBook
  readonly letters: DeadLetterProjection
  readonly observer: QueueObserver
  readonly leaseMs: number
}

export class Reconciler {
  readonly #parts: ReconcilerParts
  /** The Redis that was compared last. */
  #compared: string | null = null

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
  }

  /** The next round compares everything with Redis, whatever it says of itself. */
  distrust(): void {
    this.#compared = null
  }

  /** Returns how many tasks were published until `signal`. Throws REDIS_UNAVAILABLE or POSTGRES_UNAVAILABLE; a later round goes on. */
  async round(fleet: FleetView, signal: AbortSignal): Promise<number> {
    const identity = await this.#parts.stream.identity(newNonce())
    const now = `${identity.epoch} ${identity.runId}`
    let missing = 0
    if (now !== this.#compared) {
      missing = await this.#compare(signal)
      if (signal.aborted) return 0
      this.#compared = now
    }
    // Young rows are normally left to whoever is about to publish them; after a loss a duplicate is the lesser evil.
    return this.#publish(fleet, missing > 0 ? 0 : 2 * this.#parts.leaseMs, signal)
  }

  async #compare(signal: AbortSignal): Promise<number> {
    const { stream, book, observer, letters } = this.#parts
    let missing = 0
    for (let after: string | null = null; !signal.aborted;) {
      const page = await book.published(after, COMPARE_AT_ONCE)
      const last = page.at(-1)
      if (last === undefined) break
      missing += await book.markMissing(await stream.missing(page))
      after = last.taskId
    }
    if (missing > 0) observer.reconciled('missing', missing)
    await letters.restore(signal)
    return missing
  }

  async #publish(fleet: FleetView, olderThanMs: number, signal: AbortSignal): Promise<number> {
    const { stream, book, observer } = this.#parts
    let published = 0
    for (let after: string | null = null; !signal.aborted;) {
      const rows = await book.unpublished(olderThanMs, after, PUBLISH_AT_MOST)
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.taskId
      const ownerless = rows.filter((row) => row.owner !== null && fleet.isGone(row.owner))
      const returned = new Set(ownerless.length === 0 ? [] : await book.takeBack(ownerless.map(({ taskId, attempt }) => ({ taskId, attempt }))))
      const due = rows.filter((row) => row.owner === null || returned.has(row.taskId))
      if (due.length > 0) {
        const ids = await stream.publish(due.map((row) => ({ ...row, body: null })))
        await book.markPublished(due.map((row, i) => ({ taskId: row.taskId, messageId: ids[i] ?? null })))
        published += due.length
      }
      if (returned.size > 0) observer.reconciled('owner_gone', returned.size)
    }
    if (published > 0) observer.reconciled('republished', published)
    return published
  }
}
