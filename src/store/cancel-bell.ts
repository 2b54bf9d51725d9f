/**
 * Hears cancel requests at once (LISTEN/NOTIFY). Notifications are a convenience: one that is lost while the
 * connection is down is found by the next heartbeat, so a broken connection is only reopened, never an error.
 */
import pg from 'pg'
import type { Clock } from '../base/clock.js'
import type { PostgresOptions } from './postgres.js'

const CHANNEL = 'sweepmill_cancel'
const REOPEN_MS = 1000

export class CancelBell {
  readonly #options: PostgresOptions
  readonly #clock: Clock
  readonly #onCancel: (taskId: string) => void
  #client: pg.Client | null = null
  #stopReopen: (() => void) | null = null
  #closed = false

  constructor(options: PostgresOptions, clock: Clock, onCancel: (taskId: string) => void) {
    this.#options = options
    this.#clock = clock
    this.#onCancel = onCancel
  }

  async open(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#options.databaseUrl, application_name: 'sweepmill cancel bell', keepAlive: true })
    client.on('error', () => undefined)
    client.on('end', () => this.#reopen(client))
    client.on('notification', (message) => { if (message.payload !== undefined) this.#onCancel(message.payload) })
    this.#client = client
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
    } catch {
      this.#reopen(client)
    }
  }

  #reopen(ended: pg.Client): void {
    if (this.#closed || this.#client !== ended) return
    this.#client = null
    this.#stopReopen = this.#clock.after(REOPEN_MS, () => { void this.open() })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopReopen?.()
    await this.#client?.end().catch(() => undefined)
  }
}
