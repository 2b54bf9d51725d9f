/** A runtime for programs that embed one: threads, connections and heartbeat in one call, let go of in one call. */
import { systemClock } from '../base/clock.js'
import { createComputePool } from '../pool/compute-pool.js'
import type { RegisteredWorkflow } from '../workflows/workflow.js'
import { refuseUnknownSettings } from './config-names.js'
import { loadConfig, VARIABLES } from './config.js'
import type { VariableName } from './config.js'
import { createRuntime } from './create-runtime.js'
import type { Runtime, RuntimeLog, RuntimeReading, RuntimeRole } from './create-runtime.js'

export interface OpenOptions {
  readonly redisUrl: string
  readonly databaseUrl: string
  /** `client` (default): enqueues, dequeues and looks. `worker`: besides, runs the tasks of the streams in its threads. */
  readonly role?: RuntimeRole
  /** Further settings, by the names that `sweepmill config` lists, such as `{ WORKER_THREADS: '4' }`. */
  readonly settings?: Readonly<Partial<Record<VariableName, string>>>
  /** Beside the built-in ones: see `register`. */
  readonly workflows?: readonly RegisteredWorkflow[]
  readonly log?: RuntimeLog
}

/** Connects, brings the schema up to date and starts. Throws CONFIG_INVALID, CONFIG_UNKNOWN, REDIS_UNAVAILABLE, POSTGRES_UNAVAILABLE, SCHEMA_TOO_NEW. */
export async function openRuntime({ redisUrl, databaseUrl, role = 'client', settings = {}, workflows, log }: OpenOptions): Promise<Runtime<RuntimeReading>> {
  refuseUnknownSettings(settings, Object.keys(VARIABLES))
  const config = loadConfig({ ...settings, REDIS_URL: redisUrl, DATABASE_URL: databaseUrl })
  const pool = createComputePool({ threads: config.workerThreads, heapMb: config.threadHeapMb, clock: systemClock })
  try {
    const runtime = await createRuntime<RuntimeReading>({
      config, redisUrl, databaseUrl, role, pool, health: (reading) => reading,
      ...(workflows === undefined ? {} : { workflows }), ...(log === undefined ? {} : { log }),
    })
    await runtime.start()
    return {
      ...runtime,
      close: async (drainMs) => {
        try {
          await runtime.close(drainMs)
        } finally {
          await pool.close()
        }
      },
    }
  } catch (error) {
    await pool.close()
    throw error
  }
}
