/**
 * Makes Redis agree with Postgres. Quiet rounds cost one indexed query: pending rows that were never published.
 * When Redis lost its memory (its epoch key or run id changed) every pending row counts as unpublished and the
 * rows of silent owners go back to pending first; a living owner's task is left alone.
 */
import { newNonce } from '../base/ids.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { TaskIntake } from '../tasks/task-store.js'
import type { TaskPublisher } from '../tasks/task-stream.js'

const PUBLISH_AT_MOST = 1000

export interface RedisIdentitySource {
  identity(fresh: string): Promise<{ readonly epoch: string; readonly runId: string }>
}

export class Reconciler {
  readonly #stream: TaskPublisher & RedisIdentitySource
  readonly #intake: TaskIntake
  readonly #observer: QueueObserver
  readonly #leaseMs: number
  #known: string | null = null

  constructor(stream: TaskPublisher & RedisIdentitySource, intake: TaskIntake, observer: QueueObserver, leaseMs: number) {
    this.#stream = stream
    this.#intake = intake
    this.#observer = observer
    this.#leaseMs = leaseMs
  }

  /** Returns how many tasks were published. */
  async round(): Promise<number> {
    const fresh = newNonce()
    const identity = await this.#stream.identity(fresh)
    const now = `${identity.epoch} ${identity.runId}`
    // An epoch that this very call had to set means an empty Redis, also at the first round.
    const lost = identity.epoch === fresh || (this.#known !== null && this.#known !== now)
    let grace = 2 * this.#leaseMs
    if (lost) {
      this.#observer.reconciled('forgotten', await this.#intake.forgetPublications(2 * this.#leaseMs))
      grace = 0
    }
    this.#known = now
    let published = 0
    for (;;) {
      const rows = await this.#intake.unpublished(grace, PUBLISH_AT_MOST)
      if (rows.length === 0) break
      const ids = await this.#stream.publish(rows)
      await this.#intake.markPublished(rows.map((row, i) => ({ taskId: row.taskId, messageId: ids[i] ?? null })))
      published += rows.length
      if (rows.length < PUBLISH_AT_MOST) break
    }
    if (published > 0) this.#observer.reconciled('republished', published)
    return published
  }
}
