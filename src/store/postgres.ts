/**
 * The connection pool to Postgres. Nobody else has it: what fails here, be it the way to a connection, is an error of ours.
 *
 * No statement names a schema: a deployment or a test that wants its own puts a search_path into the URL
 * (`?options=-c search_path=mine`). `int8` stays text in pg unless told otherwise; the counts here are far below
 * 2^53, so it is parsed as a number.
 */
import pg from 'pg'
import { systemClock } from '../base/clock.js'
import { Connection } from './connection.js'
import { asOurs, isUnanswered } from './postgres-failure.js'

const { INT8, TIMESTAMPTZ } = pg.types.builtins
const readTime = pg.types.getTypeParser(TIMESTAMPTZ) as (text: string) => unknown

/** What is no number, or no time, was changed on the way: a value of it would look like a defect of ours further on. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [INT8]: (text) => {
    const value = Number(text)
    if (Number.isNaN(value)) throw new Error('a number came back that is none')
    return value
  },
  [TIMESTAMPTZ]: (text) => {
    const time = readTime(text)
    if (time instanceof Date ? Number.isNaN(time.getTime()) : typeof time !== 'number') throw new Error('a time came back that is none')
    return time
  },
}
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    PARSERS[oid] ?? pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
}

/** No statement of ours takes this long; a half-open connection answers nothing for ever. */
const ANSWER_MS = 30_000
/** Neither does a connection, nor the wait for one of the pool. */
const CONNECT_MS = 10_000
const CLOSE_MS = 2000
/** What Postgres calls a write that may not be. */
const READ_ONLY = '25006'

export interface PostgresOptions {
  readonly databaseUrl: string
  readonly maxConnections?: number | undefined
  readonly applicationName?: string | undefined
  readonly answerMs?: number | undefined
}

/** What statements run on: the pool, or one client inside a transaction. */
export type Sql = Pick<pg.Pool, 'query'>

export class Postgres {
  readonly options: PostgresOptions
  /** For statements that run in a transaction of their own, or in one of several. */
  readonly sql: Sql
  readonly #pool: pg.Pool
  readonly #open = new Set<Connection>()

  constructor(options: PostgresOptions) {
    this.options = options
    const answerMs = options.answerMs ?? ANSWER_MS
    const open = this.#open
    this.#pool = new pg.Pool({
      // Known from the first byte on: one that is still being made can be cut too.
      Client: class extends Connection {
        constructor(config?: pg.ClientConfig) {
          super(config)
          open.add(this)
          this.once('end', () => { open.delete(this) })
        }
      },
      connectionString: options.databaseUrl,
      max: options.maxConnections ?? 8,
      application_name: options.applicationName ?? 'sweepmill',
      connectionTimeoutMillis: Math.min(CONNECT_MS, answerMs),
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      query_timeout: answerMs,
      types,
    })
    // An idle connection that breaks (a restart of Postgres) is dropped by the pool; without this line it would end the process.
    this.#pool.on('error', () => undefined)
    const ask = this.#pool.query.bind(this.#pool) as (...args: unknown[]) => Promise<unknown>
    this.sql = { query: ((...args: unknown[]) => ask(...args).catch((error: unknown) => { throw asOurs(error) })) as Sql['query'] }
  }

  async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.sql.query<R>(text, [...values])).rows
  }

  /** A prepared statement: parsed once a connection, which is a third of the cost of the small hot ones. */
  async prepared<R extends pg.QueryResultRow>(name: string, text: string, values: readonly unknown[]): Promise<R[]> {
    return (await this.sql.query<R>({ name, text, values: [...values] })).rows
  }

  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return this.withClient(async (client, giveUp) => {
      try {
        await client.query('begin')
        const result = await work(client)
        await client.query('commit')
        return result
      } catch (error) {
        // A connection that does not answer would not answer this either; Postgres undoes what it had begun when it is closed.
        if (!isUnanswered(error)) await client.query('rollback').catch(giveUp)
        throw error
      }
    })
  }

  /** One connection for several statements. One that broke, or was given up, is not used again. */
  async withClient<T>(use: (client: pg.PoolClient, giveUp: (error: Error) => void) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => { throw asOurs(error) })
    let broken: Error | undefined
    // Between two statements nobody awaits the connection: without a listener its end would end the process.
    const giveUp = (error: Error): void => { broken = error }
    client.on('error', giveUp)
    try {
      return await use(client, giveUp)
    } catch (error) {
      // What it is in the middle of nobody knows: pg would send nothing before that has been answered.
      if (isUnanswered(error)) giveUp(error as Error)
      throw error
    } finally {
      client.off('error', giveUp)
      client.release(broken)
    }
  }

  /** POSTGRES_UNAVAILABLE where it answers and yet takes no writes: a standby does so. */
  async writable(): Promise<void> {
    const [row] = await this.prepared<{ only: string }>('writable', "select current_setting('transaction_read_only') as only", [])
    if (row?.only === 'on') throw asOurs(Object.assign(new Error('transaction_read_only is on'), { code: READ_ONLY }))
  }

  /** A statement that goes on for so long (a cleanup counts for minutes) is cut: who closes is about to end. */
  async close(withinMs = CLOSE_MS): Promise<void> {
    const cut = systemClock.after(withinMs, () => { for (const client of this.#open) client.destroy() })
    await this.#pool.end()
    cut()
  }
}
