/**
 * Keeps what this process has in hand: renews leases and beats in the fleet, from the main thread, whatever the
 * compute threads do. A lease is renewed three times in its length, so two renewals may fail before it lapses.
 *
 * A delivery is in hand from its pick until its attempt is closed. A renewal that finds no entry goes on (Redis
 * forgot it; the row still names this owner, and is noted as one without a message). One that finds another owner
 * stops the holder at once.
 */
import { SweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { Fleet, Incarnation, PublicationBook } from '../tasks/task-store.js'
import type { OwnedEntry, TaskConsumer } from '../tasks/task-stream.js'

/** Something held under a lease. `stop` is called with the reason when it must end. */
export interface Holding extends OwnedEntry {
  readonly taskId: string
  stop(reason: SweepmillError): void
  /** Called at each round: ends holdings that made no progress in time. */
  check(nowMs: number): void
}

export interface LeaseKeeperParts {
  readonly consumer: TaskConsumer
  readonly fleet: Fleet
  readonly book: PublicationBook
  readonly incarnation: Incarnation
  readonly observer: QueueObserver
  readonly clock: Clock
  readonly leaseMs: number
  readonly renewalMs: number
}

export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts
  /** An attempt that lost its task may still be ending while the next one of the same task runs here. */
  readonly #holdings = new Set<Holding>()
  #stopTimer: (() => void) | null = null
  /** Rounds under way. A beat that hangs on a half-open connection must not hold the renewals up, or the other way round. */
  #renewing: Promise<void> | null = null
  #beating: Promise<void> | null = null

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    await this.#parts.fleet.beat(this.#parts.incarnation)
    this.#stopTimer = this.#parts.clock.every(this.#parts.renewalMs, () => {
      this.#renewing ??= this.#renew().finally(() => { this.#renewing = null })
      this.#beating ??= this.#beat().finally(() => { this.#beating = null })
    })
  }

  /** Renews the entry until the returned function is called. */
  hold(holding: Holding): () => void {
    this.#holdings.add(holding)
    return () => { this.#holdings.delete(holding) }
  }

  holds(entry: OwnedEntry): boolean {
    for (const holding of this.#holdings) if (holding.messageId === entry.messageId && holding.priority === entry.priority) return true
    return false
  }

  stopTask(taskId: string, reason: SweepmillError): void {
    for (const holding of this.#holdings) if (holding.taskId === taskId) holding.stop(reason)
  }

  stopAll(reason: SweepmillError): void {
    for (const holding of this.#holdings) holding.stop(reason)
  }

  /** One round of renewals and a beat. Never throws. */
  async keep(): Promise<void> {
    await Promise.all([this.#renew(), this.#beat()])
  }

  async #renew(): Promise<void> {
    const { consumer, observer, clock, book } = this.#parts
    const holdings = [...this.#holdings]
    for (const holding of holdings) holding.check(clock.monotonicMs())
    try {
      const renewals = await consumer.renew(holdings)
      const forgotten: Holding[] = []
      for (const [i, renewal] of renewals.entries()) {
        observer.leaseRenewal(renewal)
        const holding = holdings[i]
        // What was settled while the renewal travelled is absent for that reason.
        if (holding === undefined || !this.#holdings.has(holding)) continue
        if (renewal === 'lost') holding.stop(new SweepmillError('LEASE_LOST', `Another worker took task ${holding.taskId} over.`))
        else if (renewal === 'absent') forgotten.push(holding)
      }
      // Should this process die now, the reconciler of another one must know that no message will bring the task back.
      if (forgotten.length > 0) await book.markMissing(forgotten)
    } catch {
      // A server is away: the next round tries again, and Postgres's fence decides whatever happens.
    }
  }

  async #beat(): Promise<void> {
    const { fleet, incarnation } = this.#parts
    try {
      const cancelled = await fleet.beat(incarnation)
      for (const taskId of cancelled) this.stopTask(taskId, new SweepmillError('TASK_CANCELLED', `Task ${taskId} was cancelled.`))
    } catch {
      // Postgres is away: the next round tries again.
    }
  }

  async stop(): Promise<void> {
    this.#stopTimer?.()
    await Promise.all([this.#renewing, this.#beating])
    await this.#parts.fleet.leave(this.#parts.incarnation.id).catch(() => undefined)
  }
}
