/**
 * The connection pool to Postgres, and the one place where pg's errors become ours.
 *
 * No statement names a schema: a deployment or a test that wants its own puts a search_path into the URL
 * (`?options=-c search_path=mine`). `int8` stays text in pg unless told otherwise; the counts here are far below
 * 2^53, so it is parsed as a number.
 */
import pg from 'pg'
import { SweepmillError } from '../base/errors.js'
import { GatedClient } from './text-gate.js'

const INT8_OID = 20
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
}

export interface PostgresOptions {
  readonly databaseUrl: string
  readonly maxConnections?: number | undefined
  readonly applicationName?: string | undefined
}

/** What statements run on: the pool, or one client inside a transaction. */
export type Sql = Pick<pg.Pool, 'query'>

export class Postgres {
  readonly pool: pg.Pool
  readonly options: PostgresOptions

  constructor(options: PostgresOptions) {
    this.options = options
    this.pool = new pg.Pool({
      Client: GatedClient,
      connectionString: options.databaseUrl,
      max: options.maxConnections ?? 8,
      application_name: options.applicationName ?? 'sweepmill',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // A half-open connection answers nothing for ever; no statement of ours takes this long.
      query_timeout: 30_000,
      types,
    })
    // An idle connection that breaks (a restart of Postgres) is dropped by the pool; without this line it would end the process.
    this.pool.on('error', () => undefined)
  }

  async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    try {
      return (await this.pool.query<R>(text, [...values])).rows
    } catch (error) {
      throw asOurs(error)
    }
  }

  /** A prepared statement: parsed once a connection, which is a third of the cost of the small hot ones. */
  async prepared<R extends pg.QueryResultRow>(name: string, text: string, values: readonly unknown[]): Promise<R[]> {
    try {
      return (await this.pool.query<R>({ name, text, values: [...values] })).rows
    } catch (error) {
      throw asOurs(error)
    }
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
    const client = await this.pool.connect().catch((error: unknown) => { throw asOurs(error) })
    let broken: Error | undefined
    // Between two statements nobody awaits the connection: without a listener its end would end the process.
    const giveUp = (error: Error): void => { broken = error }
    client.on('error', giveUp)
    try {
      return await use(client, giveUp)
    } catch (error) {
      // What it is in the middle of nobody knows: pg would send nothing before that has been answered.
      if (isUnanswered(error)) giveUp(error as Error)
      throw asOurs(error)
    } finally {
      client.off('error', giveUp)
      client.release(broken)
    }
  }

  async close(): Promise<void> {
    await this.pool.end()
  }
}

/** True for errors of the data (also of its size), which splitting a batch can isolate; false for a lost server. */
export function isDataError(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && /^(22|23|54)/.test(state)
}

/** True when a lock was not to be had in time, or two waited for each other: nothing is broken, and nothing was done. */
export function isLockRefused(error: unknown): boolean {
  const state = sqlState(error)
  return state === '55P03' || state === '40P01'
}

/** True when a row of the same key was there already. */
export function isTaken(error: unknown): boolean {
  return sqlState(error) === '23505'
}

/** True for all that neither Postgres nor this program said: a time that is over, a connection that broke. */
function isUnanswered(error: unknown): boolean {
  return !(error instanceof SweepmillError) && sqlState(error) === undefined
}

/** Each holds a digit; EPIPE, which a socket says, does not. */
function sqlState(error: unknown): string | undefined {
  const holder = error instanceof SweepmillError ? error.cause : error
  const code = (holder as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Connection trouble and a server that is starting or stopping are transient; the rest is a defect of ours. */
function asOurs(error: unknown): unknown {
  if (error instanceof SweepmillError) return error
  const state = sqlState(error)
  const message = error instanceof Error ? error.message : String(error)
  if (state === undefined || /^(08|53|57P|40)/.test(state)) {
    return new SweepmillError('POSTGRES_UNAVAILABLE', `Postgres does not answer as it should: ${message}. Check DATABASE_URL and that the server runs.`, { cause: error })
  }
  return new SweepmillError('INVARIANT', `A statement failed: ${message}`, { cause: error, details: { sqlstate: state } })
}
