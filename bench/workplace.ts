/** Services, threads and a runtime for one suite, cleared away afterwards. */
import { join } from 'node:path'
import pg from 'pg'
import { Redis } from 'ioredis'
import { systemClock } from '../src/base/clock.js'
import { newNonce } from '../src/base/ids.js'
import { createComputePool } from '../src/pool/compute-pool.js'
import { loadConfig } from '../src/runtime/config.js'
import { createRuntime } from '../src/runtime/create-runtime.js'
import type { Runtime, RuntimeRole } from '../src/runtime/create-runtime.js'
import { openServices } from '../src/services/services.js'
import type { ComputePool } from '../src/tasks/compute-pool.js'
import type { RegisteredWorkflow } from '../src/workflows/workflow.js'

export interface Workplace {
  readonly runtime: Runtime<null>
  readonly pool: ComputePool
  readonly redisUrl: string
  readonly databaseUrl: string
  /** With the schema that this workplace has to itself. */
  readonly schemaUrl: string
  countTasks(status: string): Promise<number>
  close(): Promise<void>
}

/** `watch` may stand between the runtime and its threads. */
export async function openWorkplace(stateDir: string, role: RuntimeRole, threads: number,
  watch = (pool: ComputePool): ComputePool => pool, workflows: readonly RegisteredWorkflow[] = []): Promise<Workplace> {
  const services = await openServices({ stateDir: join(stateDir, 'bench'), redisUrl: process.env['REDIS_URL'], databaseUrl: process.env['DATABASE_URL'] })
  const id = newNonce()
  const admin = new pg.Client({ connectionString: services.databaseUrl })
  await admin.connect()
  await admin.query(`create schema bench_${id}`)
  const url = new URL(services.databaseUrl)
  url.searchParams.set('options', `-c search_path=bench_${id}`)
  const config = loadConfig({ KEY_PREFIX: `bench:${id}:`, WORKER_THREADS: String(threads), LOG_LEVEL: 'silent', WORKER_NAME: 'bench' })
  const pool = watch(createComputePool({ threads, clock: systemClock }))
  const runtime = await createRuntime<null>({ config, redisUrl: services.redisUrl, databaseUrl: url.href, role, pool, workflows, health: () => null })
  await runtime.start()
  return {
    runtime, pool, redisUrl: services.redisUrl, databaseUrl: services.databaseUrl, schemaUrl: url.href,
    countTasks: async (status) => (await admin.query<{ n: number }>(`select count(*)::int as n from bench_${id}.tasks where status = $1`, [status])).rows[0]?.n ?? 0,
    close: async () => {
      await runtime.close()
      await pool.close()
      await admin.query(`drop schema bench_${id} cascade`)
      await admin.end()
      const redis = new Redis(services.redisUrl)
      const keys = await redis.keys(`bench:${id}:*`)
      if (keys.length > 0) await redis.del(...keys)
      redis.disconnect()
      await services.stop()
    },
  }
}
