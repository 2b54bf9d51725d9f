/**
 * Keeps what this process holds: renews leases and beats in the fleet, from the main thread, whatever the
 * compute threads do. A lease is renewed three times in its length, so two renewals may fail before it lapses.
 *
 * A renewal that finds no entry goes on (Redis forgot it; the row still names this owner). One that finds
 * another owner stops the holder at once.
 */
import { SweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { Fleet, Incarnation } from '../tasks/task-store.js'
import type { TaskConsumer } from '../tasks/task-stream.js'
import type { TaskPriority } from '../tasks/task.js'

/** Something held under a lease. `stop` is called with the reason when it must end. */
export interface Holding {
  readonly taskId: string
  readonly priority: TaskPriority
  readonly messageId: string
  stop(reason: SweepmillError): void
  /** Called at each round: ends holdings that made no progress in time. */
  check(nowMs: number): void
}

export interface LeaseKeeperParts {
  readonly consumer: TaskConsumer
  readonly fleet: Fleet
  readonly incarnation: Incarnation
  readonly observer: QueueObserver
  readonly clock: Clock
  readonly leaseMs: number
  readonly renewalMs: number
}

export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts
  /** By task: entry ids of two streams may be equal. */
  readonly #holdings = new Map<string, Holding>()
  #stopTimer: (() => void) | null = null
  #round: Promise<void> = Promise.resolve()

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    await this.#parts.fleet.beat(this.#parts.incarnation)
    this.#stopTimer = this.#parts.clock.every(this.#parts.renewalMs, () => { this.#round = this.#round.then(() => this.#keep()) })
  }

  hold(holding: Holding): void {
    this.#holdings.set(holding.taskId, holding)
  }

  release(taskId: string): void {
    this.#holdings.delete(taskId)
  }

  stopTask(taskId: string, reason: SweepmillError): void {
    this.#holdings.get(taskId)?.stop(reason)
  }

  stopAll(reason: SweepmillError): void {
    for (const holding of this.#holdings.values()) holding.stop(reason)
  }

  async #keep(): Promise<void> {
    await Promise.all([this.#renew(), this.#beat()])
  }

  async #renew(): Promise<void> {
    const { consumer, observer, clock } = this.#parts
    const holdings = [...this.#holdings.values()]
    for (const holding of holdings) holding.check(clock.monotonicMs())
    try {
      const renewals = await consumer.renew(holdings)
      for (const [i, renewal] of renewals.entries()) {
        observer.leaseRenewal(renewal)
        const holding = holdings[i]
        if (renewal === 'lost' && holding !== undefined && this.#holdings.has(holding.taskId)) {
          holding.stop(new SweepmillError('LEASE_LOST', `Another worker took task ${holding.taskId} over.`))
        }
      }
    } catch {
      // Redis is away: the next round tries again, and Postgres's fence decides whatever happens.
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
    await this.#round
    await this.#parts.fleet.leave(this.#parts.incarnation.id).catch(() => undefined)
  }
}
