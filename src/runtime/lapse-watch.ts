/**
 * Finds leases that lapsed. An entry lapsed when this scanner saw it twice with the same owner and the same
 * delivery time, a full lease apart by its own monotonic clock: a Redis restart or a stepped clock ages every
 * entry at once and must not expire one. Entries of consumers that are surely dead lapse at once.
 */
import type { Clock } from '../base/clock.js'
import type { PendingEntry, TaskConsumer } from '../tasks/task-stream.js'

interface Sighting {
  readonly entry: PendingEntry
  readonly sinceMs: number
}

export class LapseWatch {
  readonly #consumer: TaskConsumer
  readonly #clock: Clock
  readonly #leaseMs: number
  #seen = new Map<string, Sighting>()

  constructor(consumer: TaskConsumer, clock: Clock, leaseMs: number) {
    this.#consumer = consumer
    this.#clock = clock
    this.#leaseMs = leaseMs
  }

  /** Entries to take over now. Call it again after a lease while `suspects` is above 0. */
  async scan(deadConsumers: ReadonlySet<string>): Promise<PendingEntry[]> {
    const now = this.#clock.monotonicMs()
    // A renewed entry is at most a third of a lease old: half a lease of idle time is worth a look.
    const entries = await this.#consumer.pending(deadConsumers.size > 0 ? 0 : this.#leaseMs / 2)
    const seen = new Map<string, Sighting>()
    const lapsed: PendingEntry[] = []
    for (const entry of entries) {
      if (entry.consumer === this.#consumer.consumer) continue
      const key = `${entry.priority} ${entry.messageId}`
      const before = this.#seen.get(key)
      const same = before !== undefined && before.entry.consumer === entry.consumer
        && Math.abs(before.entry.deliveredAtMs - entry.deliveredAtMs) <= 5
      const sighting = same ? before : { entry, sinceMs: now }
      if (deadConsumers.has(entry.consumer) || now - sighting.sinceMs >= this.#leaseMs) lapsed.push(entry)
      seen.set(key, sighting)
    }
    this.#seen = seen
    return lapsed
  }

  get suspects(): number {
    return this.#seen.size
  }
}
