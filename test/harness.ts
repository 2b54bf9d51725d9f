/**
 * A runtime of a test's own on the shared real Redis and Postgres: a schema and a key prefix each, dropped at the
 * end unless the test failed. Waiting is always for a state, with a deadline.
 */
import { inject } from 'vitest'
import pg from 'pg'
import { Redis } from 'ioredis'
import { systemClock } from '../src/base/clock.js'
import { newNonce } from '../src/base/ids.js'
import { createComputePool } from '../src/pool/compute-pool.js'
import { loadConfig } from '../src/runtime/config.js'
import type { Config } from '../src/runtime/config.js'
import { createRuntime } from '../src/runtime/create-runtime.js'
import type { Runtime, RuntimeOptions } from '../src/runtime/create-runtime.js'
import { healthReport } from '../src/telemetry/health.js'
import type { HealthReport } from '../src/telemetry/health.js'
import { Metrics } from '../src/telemetry/registry.js'
import type { ComputePool } from '../src/tasks/compute-pool.js'

/** As in production, so that a busy machine lets no lease lapse; a test about lapsing asks for `SHORT_LEASE`. */
const ORDINARY_LEASE_MS = '15000'
export const SHORT_LEASE = { LEASE_MS: '600' } as const

export interface TestBed {
  readonly schema: string
  readonly prefix: string
  readonly redisUrl: string
  readonly databaseUrl: string
  /** Environment for a child process that works on this bed. */
  readonly environment: Record<string, string>
  open(options?: Partial<RuntimeOptions<HealthReport>> & { env?: Record<string, string> }): Promise<TestRuntime>
  sql<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<R[]>
  redis: Redis
  close(): Promise<void>
}

export interface TestRuntime extends Runtime<HealthReport> {
  readonly metrics: Metrics
  readonly config: Config
}

export async function openTestBed(): Promise<TestBed> {
  const id = newNonce()
  const schema = `t_${id}`
  const prefix = `t:${id}:`
  const redisUrl = inject('redisUrl')
  // The schema travels in the URL, so that child processes use it too.
  const url = new URL(inject('databaseUrl'))
  const admin = new pg.Client({ connectionString: url.href })
  admin.on('error', () => undefined)
  await admin.connect()
  await admin.query(`create schema ${schema}`)
  await admin.query(`set search_path to ${schema}`)
  url.searchParams.set('options', `-c search_path=${schema}`)
  const databaseUrl = url.href
  const redis = new Redis(redisUrl)
  const opened: TestRuntime[] = []
  const pools: ComputePool[] = []
  return {
    schema, prefix, redisUrl, databaseUrl, redis,
    environment: { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, KEY_PREFIX: prefix },
    open: async ({ env = {}, ...options } = {}) => {
      const config = loadConfig({
        WORKER_THREADS: '1', LEASE_MS: ORDINARY_LEASE_MS, RECOVERY_INTERVAL_SEC: '1', LOG_LEVEL: 'silent', KEY_PREFIX: prefix,
        WORKER_NAME: `w${opened.length}`, ...env,
      })
      const pool = options.pool ?? createComputePool({ threads: config.workerThreads, stallMs: config.threadStallMs, weights: config.priorityWeights, clock: systemClock })
      if (options.pool === undefined) pools.push(pool)
      const metrics = new Metrics('test')
      const runtime = await createRuntime<HealthReport>({
        config, redisUrl, databaseUrl, role: 'worker', pool,
        observers: { queue: metrics.queue, saga: metrics.saga, barsProcessed: (bars) => metrics.host.barsProcessed(bars) },
        health: (reading) => healthReport({
          ...reading, workerName: config.workerName, totals: metrics.queue.totals(), eventLoopDelay: { p50: 0, p99: 0, max: 0 },
        }),
        ...options,
      })
      const made = { ...runtime, metrics, config }
      opened.push(made)
      return made
    },
    sql: async <R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => (await admin.query<R>(text, [...values])).rows,
    close: async () => {
      await Promise.allSettled(opened.map((runtime) => runtime.close(2000)))
      await Promise.allSettled(pools.map((pool) => pool.close()))
      await admin.query(`drop schema ${schema} cascade`)
      await admin.end()
      const keys = await redis.keys(`${prefix}*`)
      if (keys.length > 0) await redis.del(...keys)
      redis.disconnect()
    },
  }
}
