/**
 * Who of the fleet is alive. An incarnation is dead when it left, when its process is surely gone (same host), or
 * when it was silent for two leases.
 *
 * Silence is measured by this watcher's own monotonic clock between looks that both succeeded: the same last beat
 * seen twice, two leases apart. After an outage of Postgres everybody's last beat is old at once, and a stepped
 * clock ages all of them; neither may kill the fleet. A look that fails therefore starts all measuring anew.
 */
import type { Clock } from '../base/clock.js'
import type { Fleet } from '../tasks/task-store.js'
import { isSurelyDead } from './incarnation.js'

export interface FleetView {
  readonly dead: ReadonlySet<string>
  readonly alive: readonly string[]
  /** True for an owner that is dead, or that the fleet does not remember. */
  isGone(owner: string): boolean
}

interface Sighting {
  readonly beats: number
  readonly sinceMs: number
}

export class FleetWatch {
  readonly #fleet: Fleet
  readonly #clock: Clock
  readonly #silenceMs: number
  #seen = new Map<string, Sighting>()

  constructor(fleet: Fleet, clock: Clock, leaseMs: number) {
    this.#fleet = fleet
    this.#clock = clock
    this.#silenceMs = 2 * leaseMs
  }

  async look(): Promise<FleetView> {
    let incarnations: Awaited<ReturnType<Fleet['incarnations']>>
    try {
      incarnations = await this.#fleet.incarnations()
    } catch (error) {
      this.#seen = new Map()
      throw error
    }
    const now = this.#clock.monotonicMs()
    const seen = new Map<string, Sighting>()
    const dead = new Set<string>()
    const alive: string[] = []
    for (const one of incarnations) {
      const before = this.#seen.get(one.id)
      const sighting = before?.beats === one.beats ? before : { beats: one.beats, sinceMs: now }
      seen.set(one.id, sighting)
      if (isSurelyDead(one) || now - sighting.sinceMs >= this.#silenceMs) dead.add(one.id)
      else alive.push(one.id)
    }
    this.#seen = seen
    const known = new Set(alive)
    return { dead, alive, isGone: (owner) => !known.has(owner) }
  }
}
