/**
 * Hears at once what others commit (LISTEN/NOTIFY, one connection): cancel requests, priorities paused or resumed, and
 * schedules changed. Notifications are a convenience: one that is lost while the connection is down is found by the next
 * heartbeat or look, so a broken connection is only reopened, never an error.
 */
import type { Clock } from '../base/clock.js'
import { Connection } from './connection.js'
import type { PostgresOptions } from './postgres.js'

const CANCEL_CHANNEL = 'sweepmill_cancel'
export const PAUSE_CHANNEL = 'sweepmill_pause'
export const SCHEDULE_CHANNEL = 'sweepmill_schedule'
const REOPEN_MS = 1000
const PATIENCE_MS = 10_000

export interface NoticeListener {
  cancelled(taskId: string): void
  pausesChanged(): void
  schedulesChanged(): void
}

export class NoticeBell {
  readonly #options: PostgresOptions
  readonly #clock: Clock
  readonly #listener: NoticeListener
  #client: Connection | null = null
  #stopReopen: (() => void) | null = null
  #closed = false

  constructor(options: PostgresOptions, clock: Clock, listener: NoticeListener) {
    this.#options = options
    this.#clock = clock
    this.#listener = listener
  }

  async open(): Promise<void> {
    // Without a limit a server that takes connections and says nothing would hold up the start for ever.
    const client = new Connection({
      connectionString: this.#options.databaseUrl, application_name: 'sweepmill notice bell', keepAlive: true,
      connectionTimeoutMillis: PATIENCE_MS, query_timeout: PATIENCE_MS,
    })
    client.on('end', () => this.#reopen(client))
    client.on('notification', ({ channel, payload }) => {
      if (channel === PAUSE_CHANNEL) this.#listener.pausesChanged()
      else if (channel === SCHEDULE_CHANNEL) this.#listener.schedulesChanged()
      else if (payload !== undefined) this.#listener.cancelled(payload)
    })
    this.#client = client
    try {
      await client.connect()
      await client.query(`listen ${CANCEL_CHANNEL}; listen ${PAUSE_CHANNEL}; listen ${SCHEDULE_CHANNEL}`)
    } catch {
      this.#reopen(client)
      // Not awaited: a connection that answers nothing does not end either.
      client.end().catch(() => undefined)
    }
  }

  #reopen(ended: Connection): void {
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
