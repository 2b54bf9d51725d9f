/**
 * Finds leases that lapsed. An entry lapsed when this scanner saw it twice with the same owner and the same
 * delivery time, a full lease apart by its own monotonic clock: a Redis restart or a stepped clock ages every
 * entry at once and must not expire one. Entries of consumers that are dead lapse at once.
 *
 * An entry of this very process counts as well, unless the process has it in hand: an attempt that could not be
 * opened or settled while a server was away leaves one behind that nobody renews.
 */
import type { Clock } from '../base/clock.js'
import type { OwnedEntry, PendingEntry, TaskConsumer } from '../tasks/task-stream.js'

interface Sighting {
  readonly entry: PendingEntry
  readonly sinceMs: number
}

export interface LapseWatchParts {
  readonly consumer: TaskConsumer
  readonly clock: Clock
  readonly leaseMs: number
  readonly inHand: (entry: OwnedEntry) => boolean
}

export class LapseWatch {
  readonly #parts: LapseWatchParts
  #seen = new Map<string, Sighting>()

  constructor(parts: LapseWatchParts) {
    this.#parts = parts
  }

  /** Entries to take over now. Call it again after a lease while `suspects` is above 0. */
  async scan(deadConsumers: ReadonlySet<string>): Promise<PendingEntry[]> {
    const { consumer, clock, leaseMs, inHand } = this.#parts
    const now = clock.monotonicMs()
    // A renewed entry is at most a third of a lease old: half a lease of idle time is worth a look.
    const entries = await consumer.pending(deadConsumers.size > 0 ? 0 : leaseMs / 2)
    const seen = new Map<string, Sighting>()
    const lapsed: PendingEntry[] = []
    for (const entry of entries) {
      if (entry.consumer === consumer.consumer && inHand(entry)) continue
      const key = `${entry.priority} ${entry.messageId}`
      const before = this.#seen.get(key)
      const same = before !== undefined && before.entry.consumer === entry.consumer
        && Math.abs(before.entry.deliveredAtMs - entry.deliveredAtMs) <= 5
      const sighting = same ? before : { entry, sinceMs: now }
      if (deadConsumers.has(entry.consumer) || now - sighting.sinceMs >= leaseMs) lapsed.push(entry)
      seen.set(key, sighting)
    }
    this.#seen = seen
    return lapsed
  }

  get suspects(): number {
    return this.#seen.size
  }
}
