/**
 * The periodic look for what went missing: rows without a message, leases that lapsed, consumers that are gone.
 * While a lease is under suspicion the next look comes after one lease, not after a whole interval.
 */
import type { Clock } from '../base/clock.js'
import type { Fleet } from '../tasks/task-store.js'
import type { TaskConsumer } from '../tasks/task-stream.js'
import { isSurelyDead } from './incarnation.js'
import type { LapseWatch } from './lapse-watch.js'
import type { Reconciler } from './reconciler.js'
import type { TaskSource } from './task-source.js'

export interface RecoveryParts {
  readonly reconciler: Reconciler
  readonly watch: LapseWatch
  readonly consumer: TaskConsumer
  readonly fleet: Fleet
  readonly source: TaskSource
  readonly clock: Clock
  readonly intervalMs: number
  readonly leaseMs: number
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** Consumers of processes that surely ended. */
export async function deadConsumers(fleet: Fleet): Promise<ReadonlySet<string>> {
  return new Set((await fleet.incarnations()).filter(isSurelyDead).map((one) => one.id))
}

export class Recovery {
  readonly #parts: RecoveryParts
  readonly #stopping = new AbortController()
  #loop: Promise<void> = Promise.resolve()

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  start(): void {
    this.#loop = this.#run()
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, leaseMs, watch, log } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#round()
      } catch (error) {
        log('recovery failed; trying again', { error: error instanceof Error ? error.message : String(error) })
      }
      await clock.sleep(watch.suspects > 0 ? Math.min(leaseMs, intervalMs) : intervalMs, signal)
    }
  }

  async #round(): Promise<void> {
    const { reconciler, watch, consumer, fleet, source, leaseMs, log } = this.#parts
    const published = await reconciler.round()
    if (published > 0) log('published tasks that had no message', { tasks: published })
    const incarnations = await fleet.incarnations()
    const lapsed = await watch.scan(new Set(incarnations.filter(isSurelyDead).map((one) => one.id)))
    if (lapsed.length > 0) {
      log('leases lapsed', { tasks: lapsed.length, owners: [...new Set(lapsed.map((entry) => entry.consumer))] })
      source.offer(lapsed)
    }
    const alive = incarnations.filter((one) => !one.stopped && one.silentMs < 2 * leaseMs).map((one) => one.id)
    await consumer.removeIdleConsumers([consumer.consumer, ...alive], 4 * leaseMs)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }
}
