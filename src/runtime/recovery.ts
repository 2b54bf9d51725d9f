/**
 * The periodic look for what went missing: rows without a message, leases that lapsed, consumers that are gone.
 *
 * Leases are looked at every lease, rows every interval; both at once when a pick found that Redis lost its groups.
 */
import type { Clock } from '../base/clock.js'
import type { PendingEntry, TaskConsumer } from '../tasks/task-stream.js'
import type { FleetWatch } from './fleet-watch.js'
import type { LapseWatch } from './lapse-watch.js'
import type { Reconciler } from './reconciler.js'

export interface RecoveryParts {
  readonly reconciler: Reconciler
  readonly watch: LapseWatch
  readonly fleetWatch: FleetWatch
  readonly consumer: TaskConsumer
  /** Entries to take over at the next pick. */
  readonly offer: (lapsed: readonly PendingEntry[]) => void
  readonly clock: Clock
  readonly intervalMs: number
  readonly leaseMs: number
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

export interface Recovered {
  readonly published: number
  readonly lapsed: readonly PendingEntry[]
}

export class Recovery {
  readonly #parts: RecoveryParts
  readonly #stopping = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #distrusted = false
  #woken: () => void = () => undefined

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Redis lost something: compare everything with it, now. */
  distrust(): void {
    this.#distrusted = true
    this.#woken()
  }

  /** One look at everything, for a caller that has no loop running. */
  async round(): Promise<Recovered> {
    const { reconciler, watch, fleetWatch } = this.#parts
    this.#heedDistrust()
    const fleet = await fleetWatch.look()
    const published = await reconciler.round(fleet, this.#stopping.signal)
    return { published, lapsed: await watch.scan(fleet.dead) }
  }

  #heedDistrust(): boolean {
    if (!this.#distrusted) return false
    this.#distrusted = false
    this.#parts.reconciler.distrust()
    return true
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, leaseMs, log } = this.#parts
    const { signal } = this.#stopping
    let reconciledMs = Number.NEGATIVE_INFINITY
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs()
      if (this.#heedDistrust()) reconciledMs = Number.NEGATIVE_INFINITY
      try {
        const reconcile = startedMs - reconciledMs >= intervalMs
        await this.#look(reconcile)
        if (reconcile) reconciledMs = startedMs
      } catch (error) {
        log('recovery failed; trying again', { error: error instanceof Error ? error.message : String(error) })
      }
      if (!this.#distrusted) await this.#pause(Math.min(leaseMs, intervalMs))
    }
  }

  async #look(reconcile: boolean): Promise<void> {
    const { reconciler, watch, consumer, fleetWatch, offer, leaseMs, log } = this.#parts
    const fleet = await fleetWatch.look()
    if (reconcile) {
      const published = await reconciler.round(fleet, this.#stopping.signal)
      if (published > 0) log('published tasks that had no message', { tasks: published })
    }
    const lapsed = await watch.scan(fleet.dead)
    if (lapsed.length > 0) {
      log('leases lapsed', { tasks: lapsed.length, owners: [...new Set(lapsed.map((entry) => entry.consumer))] })
      offer(lapsed)
    }
    if (reconcile) await consumer.removeIdleConsumers([consumer.consumer, ...fleet.alive], 4 * leaseMs)
  }

  async #pause(ms: number): Promise<void> {
    const wait = new AbortController()
    const end = (): void => wait.abort()
    this.#woken = end
    this.#stopping.signal.addEventListener('abort', end, { once: true })
    if (!this.#stopping.signal.aborted) await this.#parts.clock.sleep(ms, wait.signal)
    this.#stopping.signal.removeEventListener('abort', end)
    this.#woken = () => undefined
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }
}
