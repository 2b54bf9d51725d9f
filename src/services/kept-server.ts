/**
 * A server that is kept running: started when it is first asked for, unless an earlier supervisor's is still there, and again
 * when it dies, on the port it had, so that whoever holds its URL only sees a connection that broke.
 */
import type { Clock } from '../base/clock.js'
import type { StartedServer } from './redis-server.js'

/** A postmaster that was killed leaves sessions that hold its memory for a moment; a start meanwhile fails. */
const REVIVALS = 20
const PAUSE_MS = 250

export class KeptServer {
  readonly #start: () => Promise<StartedServer>
  readonly #clock: Clock
  /** What was found; null once somebody took it, and where there was none. */
  #found: Promise<StartedServer | null>
  #current: Promise<StartedServer> | null = null
  #ending = false

  /** `adopt` begins at once, and no start before it has ended: it clears away what cannot be adopted. */
  constructor(adopt: () => Promise<StartedServer | null>, start: () => Promise<StartedServer>, clock: Clock) {
    this.#found = adopt().catch(() => null)
    this.#start = start
    this.#clock = clock
  }

  /** Rejects with the reason when it does not start; the next call tries again. */
  get(): Promise<StartedServer> {
    const underWay = this.#current
    // One that was under way already may fail of what struck it before this was asked: then it is tried anew.
    return underWay === null ? this.#begin() : underWay.catch(() => this.#current ?? this.#begin())
  }

  #begin(): Promise<StartedServer> {
    const starting = this.#take().then((found) => found ?? this.#start())
    this.#current = starting
    starting.then(({ server }) => { void server.exited.then(() => this.#died(starting)) }, () => { this.#forget(starting) })
    return starting
  }

  /** Writes the run file again where somebody removed it. */
  async note(): Promise<void> {
    (await this.#current?.catch(() => null))?.server.note()
  }

  #take(): Promise<StartedServer | null> {
    const found = this.#found
    this.#found = Promise.resolve(null)
    return found
  }

  #died(started: Promise<StartedServer>): void {
    this.#forget(started)
    if (!this.#ending) void this.#revive()
  }

  async #revive(): Promise<void> {
    for (let tries = 1; tries <= REVIVALS; tries += 1) {
      await this.#clock.sleep(PAUSE_MS)
      if (this.#ending) return
      try {
        await this.get()
        return
      } catch {
        // Tried again; the server's own log says why it did not start.
      }
    }
  }

  #forget(started: Promise<StartedServer>): void {
    if (this.#current === started) this.#current = null
  }

  async stop(): Promise<void> {
    this.#ending = true
    const started = await (this.#current?.catch(() => null) ?? this.#take())
    await started?.server.stop()
  }
}
