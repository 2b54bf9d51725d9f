/**
 * A Redis and a Postgres of a fault test's own, which it may kill: the supervisor brings each back on its port.
 * A signal goes to the very process that the run file names.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { packageRoot } from '../../src/base/package-root.js'
import { findPlace } from '../../src/services/place.js'
import { openServices } from '../../src/services/services.js'
import { startOf } from '../../src/services/server-process.js'
import { eventually } from '../eventually.js'

export interface OwnServers {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly redis: Redis
  /** Reconnects, and asks again while Postgres is away. */
  sql<R extends object>(text: string, values?: readonly unknown[]): Promise<R[]>
  /** Resolves when the server is gone. It comes back by itself. */
  kill(name: 'redis' | 'postgres', signal: NodeJS.Signals): Promise<void>
  /** SIGKILL, and the end of the append-only file is missing when Redis comes back. */
  killRedisAndCutItsFile(bytes: number): Promise<void>
  back(): Promise<void>
  close(): Promise<void>
}

/** Where the run's own Redis program lies; copying it saves a download. */
export function shareRedisProgram(stateDir: string): void {
  const program = join(findPlace(join(process.env['STATE_DIR'] ?? join(packageRoot, '.sweepmill-test'), 'test')).folder, 'redis-program')
  if (existsSync(program)) cpSync(program, join(findPlace(stateDir).folder, 'redis-program'), { recursive: true, verbatimSymlinks: true })
}

export async function openOwnServers(stateDir = mkdtempSync(join(tmpdir(), 'sweepmill-faults-'))): Promise<OwnServers> {
  shareRedisProgram(stateDir)
  const { folder } = findPlace(stateDir)
  const services = await openServices({ stateDir, graceMs: 300 })
  const { redisUrl, databaseUrl } = services
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null, retryStrategy: () => 100 })
  redis.on('error', () => undefined)
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  pool.on('error', () => undefined)
  const sql = async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> => eventually(
    'Postgres to answer', async () => {
      try {
        return (await pool.query(text, [...values])).rows as R[]
      } catch (error) {
        // A server that is away is waited for; a statement that is wrong is not.
        if (/^(08|57P|53|E[A-Z]+$)/.test((error as { code?: string }).code ?? '08')) return null
        throw error
      }
    })
  const runOf = (name: string): { pid: number; started: string } => JSON.parse(readFileSync(join(folder, `${name}.run`), 'utf8')) as { pid: number; started: string }
  const kill = async (name: string, signal: NodeJS.Signals): Promise<void> => {
    const { pid, started } = runOf(name)
    process.kill(pid, signal)
    await eventually(`${name} to end`, () => Promise.resolve(startOf(pid) !== started))
  }
  return {
    redisUrl, databaseUrl, redis, sql, kill,
    killRedisAndCutItsFile: async (bytes) => {
      await kill('redis', 'SIGKILL')
      // The supervisor waits a moment before it starts Redis again: the file is cut before that.
      const folderOfFiles = join(folder, 'redis', 'appendonlydir')
      const newest = readdirSync(folderOfFiles).filter((name) => name.endsWith('.incr.aof')).map((name) => join(folderOfFiles, name)).at(-1)
      if (newest !== undefined) truncateSync(newest, Math.max(0, statSync(newest).size - bytes))
    },
    back: async () => {
      await redis.ping()
      await sql('select 1')
    },
    close: async () => {
      redis.disconnect()
      await pool.end()
      await services.stop()
      rmSync(folder, { recursive: true, force: true })
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}
