/**
 * A server that is kept running: started when it is first asked for, and again when it dies, on the port it had, so
 * that whoever holds its URL only sees a connection that broke.
 */
import type { Clock } from '../base/clock.js'
import type { StartedServer } from './redis-server.js'

/** A postmaster that was killed leaves sessions that hold its memory for a moment; a start meanwhile fails. */
const REVIVALS = 20
const PAUSE_MS = 250

export class KeptServer {
  readonly #start: () => Promise<StartedServer>
  readonly #clock: Clock
  #current: Promise<StartedServer> | null = null
  #ending = false

  constructor(start: () => Promise<StartedServer>, clock: Clock) {
    this.#start = start
    this.#clock = clock
  }

  /** Rejects with the reason when it does not start; the next call tries again. */
  get(): Promise<StartedServer> {
    if (this.#current === null) {
      const starting = this.#start()
      this.#current = starting
      starting.then(({ server }) => { void server.exited.then(() => this.#died(starting)) }, () => { this.#forget(starting) })
    }
    return this.#current
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
    const started = await this.#current?.catch(() => null)
    await started?.server.stop()
  }
}
