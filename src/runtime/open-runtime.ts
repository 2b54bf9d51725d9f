/** A runtime for programs that embed one: threads, connections and heartbeat in one call, let go of in one call. */
import { systemClock } from '../base/clock.js'
import { createComputePool } from '../pool/compute-pool.js'
import type { RegisteredWorkflow } from '../workflows/workflow.js'
import { SweepmillError } from '../base/errors.js'
import { checkKeys } from './caller-input.js'
import { refuseUnknownSettings } from './config-names.js'
import { loadConfig, VARIABLES } from './config.js'
import type { VariableName } from './config.js'
import { createRuntime } from './create-runtime.js'
import type { Runtime, RuntimeLog, RuntimeRole } from './create-runtime.js'
import type { RuntimeReading } from './runtime-reading.js'

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

const OPTION_KEYS: readonly string[] = Object.keys({
  redisUrl: 1, databaseUrl: 1, role: 1, settings: 1, workflows: 1, log: 1,
} satisfies Record<keyof OpenOptions, 1>)

const ROLES: readonly string[] = ['client', 'session', 'worker'] satisfies readonly RuntimeRole[]

/** Without this a slip would open a client where a worker was meant, or the database of whoever has no URL. */
function checkOptions(options: OpenOptions): void {
  checkKeys(options, 'The options of openRuntime', OPTION_KEYS)
  const refuse = (option: string, wanted: string): never => {
    throw new SweepmillError('CONFIG_INVALID', `openRuntime: ${option} must be ${wanted}.`, { details: { option } })
  }
  const { redisUrl, databaseUrl, role, settings = {}, workflows, log } = options
  for (const [name, url] of Object.entries({ redisUrl, databaseUrl })) if (typeof url !== 'string' || url === '') refuse(name, 'the URL of a server; the library starts none')
  if (role !== undefined && !ROLES.includes(role)) refuse('role', `one of ${ROLES.join(', ')}`)
  const isWorkflow = (one: unknown): boolean => typeof one === 'object' && one !== null && 'definition' in one
  if (workflows !== undefined && !(Array.isArray(workflows) && workflows.every(isWorkflow))) refuse('workflows', 'a list of what register returns')
  if (log !== undefined && typeof log !== 'function') refuse('log', 'a function of level, message and fields')
  for (const [name, value] of Object.entries(settings)) if (value !== undefined && typeof value !== 'string') refuse(`settings.${name}`, 'a text, as an environment has it')
  for (const [name, option] of [['REDIS_URL', 'redisUrl'], ['DATABASE_URL', 'databaseUrl']] as const) if (settings[name] !== undefined) refuse(`settings.${name}`, `left out: it is ${option}`)
}

/** Connects, brings the schema up to date and starts. Throws CONFIG_INVALID, CONFIG_UNKNOWN, REDIS_UNAVAILABLE, POSTGRES_UNAVAILABLE, SCHEMA_TOO_NEW. */
export async function openRuntime(options: OpenOptions): Promise<Runtime<RuntimeReading>> {
  checkOptions(options)
  const { redisUrl, databaseUrl, role = 'client', settings = {}, workflows, log } = options
  refuseUnknownSettings(settings, Object.keys(VARIABLES))
  const config = loadConfig({ ...settings, REDIS_URL: redisUrl, DATABASE_URL: databaseUrl })
  const pool = createComputePool({ threads: config.workerThreads, heapMb: config.threadHeapMb, stallMs: config.threadStallMs, clock: systemClock })
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
