/**
 * The configuration: every environment variable of Sweepmill, validated once, before anything starts.
 *
 * `loadConfig` never connects, creates or writes anything; it looks at folders only to refuse one that
 * is missing. Every problem is found in one go and named by its variable; an empty value counts as
 * unset. Together with src/services this is the only place that reads the process environment.
 */
import { statSync } from 'node:fs'
import { availableParallelism, homedir, hostname, totalmem, userInfo } from 'node:os'
import { delimiter, isAbsolute, resolve } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import type { TaskPriority } from '../tasks/task.js'
import {
  BadValue, hideSecrets, parseChoice, parseDatabaseUrl, parseKeyPrefix, parseName, parseRedisUrl, parseTokens, parseWeights, parseWhole,
} from './config-variable.js'
import { refusePrefixed } from './config-names.js'
import type { Environment } from './config-names.js'
import { statePlaces } from './state-dir.js'
import type { StatePlaces } from './state-dir.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Config {
  /** Null: the embedded Redis. A URL, or the path of a Unix socket. */
  readonly redisUrl: string | null
  /** Null: the embedded Postgres. */
  readonly databaseUrl: string | null
  readonly workerName: string
  readonly workerThreads: number
  readonly maxTasksPerBatch: number
  readonly pollIntervalMs: number
  readonly recoveryIntervalMs: number
  readonly leaseMs: number
  readonly leaseRenewalMs: number
  /** Entries a stream holds before new work is refused. */
  readonly streamCapacity: number
  /** Null: strict priority. */
  readonly priorityWeights: Readonly<Record<TaskPriority, number>> | null
  readonly keyPrefix: string
  readonly dataMemoryMb: number
  readonly threadHeapMb: number
  /** How long work in a thread may make no progress; that of a task has its task's timeout. */
  readonly threadStallMs: number
  readonly httpHost: string
  /** 0: any free port. */
  readonly httpPort: number
  readonly apiTokens: readonly string[]
  /** Absolute folders whose files a task sent over HTTP may read. */
  readonly dataRoots: readonly string[]
  /** Where klines of Bybit come from. */
  readonly bybitUrl: string
  readonly logLevel: LogLevel
  /** Absolute folder of strategy files, or null. */
  readonly strategyDir: string | null
  /** Absolute folder of the embedded services' data. */
  readonly stateDir: string
  /** Where each variable's value came from. */
  readonly sources: Readonly<Record<VariableName, 'environment' | 'default'>>
}

export const VARIABLES = {
  REDIS_URL: 'Redis; absent: an embedded one',
  DATABASE_URL: 'Postgres; absent: an embedded one',
  WORKER_NAME: 'name of this worker in logs, metrics and health; absent: host and process id',
  WORKER_THREADS: 'compute threads; absent: one for each core',
  MAX_TASKS_PER_BATCH: 'tasks taken from the streams at once, at most',
  POLL_INTERVAL_MS: 'longest wait for the doorbell',
  RECOVERY_INTERVAL_SEC: 'seconds between looks for stalled tasks',
  LEASE_MS: 'how long a silent worker keeps its tasks',
  LEASE_RENEWAL_MS: 'how often a lease is renewed; absent: a third of LEASE_MS',
  STREAM_CAPACITY: 'entries in a priority before new work is refused',
  PRIORITY_WEIGHTS: 'shares such as high:8,medium:4,low:1; absent: strict priority',
  KEY_PREFIX: 'comes before every Redis key',
  DATA_MEMORY_MB: 'bars kept in shared memory, at most',
  THREAD_HEAP_MB: 'heap of one compute thread, at most',
  THREAD_STALL_MS: 'how long work in a thread may make no progress before the thread is replaced; that of a task: its timeout',
  HTTP_HOST: 'address the worker listens on',
  HTTP_PORT: 'port the worker listens on; 0: any free one',
  API_TOKENS: 'bearer tokens, separated by commas; absent: loopback only',
  DATA_ROOTS: `folders whose files a task sent over HTTP may read, separated by "${delimiter}"`,
  BYBIT_URL: 'where klines of Bybit come from',
  LOG_LEVEL: `one of ${LOG_LEVELS.join(', ')}`,
  STRATEGY_DIR: 'folder of strategy files that may be named without a path',
  STATE_DIR: 'folder for the data of the embedded services; absent: the user\'s folder for data',
} as const
export type VariableName = keyof typeof VARIABLES

const URLS: ReadonlySet<VariableName> = new Set(['REDIS_URL', 'DATABASE_URL', 'BYBIT_URL'])

/** What defaults depend on; a test passes its own. */
export interface Host {
  readonly cwd: string
  readonly hostname: string
  /** Of this process: two workers on one host have different names. */
  readonly pid?: number
  readonly cores: number
  readonly memoryBytes: number
  /** Of this user; absent: none. */
  readonly home?: string | undefined
  readonly platform?: string
  folderKind(path: string): 'folder' | 'other' | 'missing'
  /** Whether a folder belongs to this user; absent: it does. */
  isOwn?(path: string): boolean
}

/** Where the embedded services' data lie without STATE_DIR, and why there. */
export function statePlacesHere(env: Environment): StatePlaces { return statePlaces(env, thisHost()) }

/** The environment of this process, for the composition root to pass on. */
export function environment(): Environment {
  return process.env
}

/** Throws CONFIG_UNKNOWN or CONFIG_INVALID; `details.problems` lists every variable that is wrong. */
export function loadConfig(env: Environment, host: Host = thisHost()): Config {
  refusePrefixed(env, Object.keys(VARIABLES))
  const problems: Problem[] = []
  const sources = {} as Record<VariableName, 'environment' | 'default'>

  const read = <T>(name: VariableName, parse: (text: string) => T, fallback: T): T => {
    const text = env[name]?.trim() ?? ''
    sources[name] = text === '' ? 'default' : 'environment'
    if (text === '') return fallback
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      const value = shown(name, text)
      problems.push({ variable: name, value, message: `${name} is "${value}", which cannot be used: ${error.message}.` })
      return fallback
    }
  }
  const whole = (name: VariableName, min: number, max: number, fallback: number): number =>
    read(name, (text) => parseWhole(text, min, max), fallback)
  const folder = (text: string): string => {
    const path = resolve(host.cwd, text)
    if (host.folderKind(path) !== 'folder') throw new BadValue(`${path} is no folder; write one that exists`)
    return path
  }

  const memoryMb = Math.max(64, Math.floor(host.memoryBytes / 2 ** 20))
  const leaseMs = whole('LEASE_MS', 100, 3_600_000, 15_000)
  const config: Omit<Config, 'sources'> = {
    redisUrl: read<string | null>('REDIS_URL', parseRedisUrl, null),
    databaseUrl: read<string | null>('DATABASE_URL', parseDatabaseUrl, null),
    workerName: read('WORKER_NAME', parseName, defaultWorkerName(host)),
    workerThreads: whole('WORKER_THREADS', 1, 1024, Math.max(1, host.cores)),
    maxTasksPerBatch: whole('MAX_TASKS_PER_BATCH', 1, 1000, 10),
    pollIntervalMs: whole('POLL_INTERVAL_MS', 10, 60_000, 1000),
    recoveryIntervalMs: whole('RECOVERY_INTERVAL_SEC', 1, 86_400, 60) * 1000,
    leaseMs,
    leaseRenewalMs: whole('LEASE_RENEWAL_MS', 10, 3_600_000, Math.floor(leaseMs / 3)),
    streamCapacity: whole('STREAM_CAPACITY', 1, 100_000_000, 100_000),
    priorityWeights: read<Config['priorityWeights']>('PRIORITY_WEIGHTS', parseWeights, null),
    keyPrefix: read('KEY_PREFIX', parseKeyPrefix, ''),
    dataMemoryMb: whole('DATA_MEMORY_MB', 16, memoryMb, Math.max(64, Math.floor(memoryMb / 4))),
    threadHeapMb: whole('THREAD_HEAP_MB', 32, 65_536, 512),
    threadStallMs: whole('THREAD_STALL_MS', 1000, 86_400_000, 60_000),
    httpHost: read('HTTP_HOST', parseHost, '127.0.0.1'),
    httpPort: whole('HTTP_PORT', 0, 65_535, 8080),
    apiTokens: read<readonly string[]>('API_TOKENS', parseTokens, Object.freeze([])),
    dataRoots: Object.freeze(read('DATA_ROOTS', (text) => text.split(delimiter).filter((part) => part.trim() !== '').map(folder), [host.cwd])),
    bybitUrl: read('BYBIT_URL', parseHttpUrl, 'https://api.bybit.com'),
    logLevel: read<LogLevel>('LOG_LEVEL', (text) => parseChoice(text, LOG_LEVELS), 'info'),
    strategyDir: read<string | null>('STRATEGY_DIR', folder, null),
    stateDir: read('STATE_DIR', (text) => {
      const path = resolve(host.cwd, text)
      if (host.folderKind(path) === 'other') throw new BadValue(`${path} is not a folder; write another place`)
      return path
    }, statePlaces(env, host).path),
  }
  if (problems.length === 0 && config.leaseMs < 2 * config.leaseRenewalMs) {
    problems.push({
      variable: 'LEASE_MS',
      value: String(config.leaseMs),
      message: `LEASE_MS (${config.leaseMs}) is shorter than twice LEASE_RENEWAL_MS (${config.leaseRenewalMs}), so one late renewal would lose tasks: `
        + `write LEASE_MS=${2 * config.leaseRenewalMs} or more, or leave LEASE_RENEWAL_MS out.`,
    })
  }
  const [first] = problems
  if (first !== undefined) {
    throw new SweepmillError('CONFIG_INVALID', problems.map((problem) => problem.message).join(' '), {
      details: { variable: first.variable, value: first.value, problems },
    })
  }
  return Object.freeze({ ...config, sources: Object.freeze(sources) })
}

interface Problem {
  readonly variable: VariableName
  readonly value: string
  readonly message: string
}

export interface DescribedVariable {
  readonly name: VariableName
  /** As it would be written in the environment; null when it has no value. Secrets hidden. */
  readonly value: string | null
  readonly source: 'environment' | 'default'
  readonly meaning: string
}

/** Every variable in effect, in the order of `VARIABLES`, secrets hidden. */
export function describeConfig(config: Config): readonly DescribedVariable[] {
  const weights = config.priorityWeights
  const values: Record<VariableName, string | null> = {
    REDIS_URL: config.redisUrl,
    DATABASE_URL: config.databaseUrl,
    WORKER_NAME: config.workerName,
    WORKER_THREADS: String(config.workerThreads),
    MAX_TASKS_PER_BATCH: String(config.maxTasksPerBatch),
    POLL_INTERVAL_MS: String(config.pollIntervalMs),
    RECOVERY_INTERVAL_SEC: String(config.recoveryIntervalMs / 1000),
    LEASE_MS: String(config.leaseMs),
    LEASE_RENEWAL_MS: String(config.leaseRenewalMs),
    STREAM_CAPACITY: String(config.streamCapacity),
    PRIORITY_WEIGHTS: weights === null ? null : `high:${weights.high},medium:${weights.medium},low:${weights.low}`,
    KEY_PREFIX: config.keyPrefix === '' ? null : config.keyPrefix,
    DATA_MEMORY_MB: String(config.dataMemoryMb),
    THREAD_HEAP_MB: String(config.threadHeapMb),
    THREAD_STALL_MS: String(config.threadStallMs),
    HTTP_HOST: config.httpHost,
    HTTP_PORT: String(config.httpPort),
    API_TOKENS: config.apiTokens.length === 0 ? null : config.apiTokens.join(','),
    DATA_ROOTS: config.dataRoots.join(delimiter),
    BYBIT_URL: config.bybitUrl,
    LOG_LEVEL: config.logLevel,
    STRATEGY_DIR: config.strategyDir,
    STATE_DIR: config.stateDir,
  }
  return (Object.keys(VARIABLES) as VariableName[]).map((name) => ({
    name, value: values[name] === null ? null : shown(name, values[name]), source: config.sources[name], meaning: VARIABLES[name],
  }))
}

/** The one gate of values that are shown. Any of them may hold a URL, also one that belongs to another variable. */
function shown(name: VariableName, text: string): string {
  if (name === 'API_TOKENS') return text.split(',').map(() => '***').join(',')
  return URLS.has(name) || text.includes('://') ? hideSecrets(text) : text
}

function parseHttpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw new BadValue('write an address such as https://api.bybit.com')
  return text
}

function parseHost(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  if (!/^[A-Za-z0-9.:_%-]{1,253}$/.test(bare) || bare.includes('://')) {
    throw new BadValue('write an address or host name without scheme and port, such as 127.0.0.1')
  }
  return bare
}

function defaultWorkerName({ hostname: name, pid }: Host): string {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 45)
  return `worker-${clean === '' ? 'local' : clean}${pid === undefined ? '' : `-${pid}`}`
}

/** What HOME says, else the list of users; undefined for a number that nobody gave a name. */
function homeFolder(): string | undefined {
  for (const find of [homedir, () => userInfo().homedir]) {
    try {
      const path = find()
      if (isAbsolute(path)) return path
    } catch {
      // Not in the list of users.
    }
  }
  return undefined
}

function thisHost(): Host {
  const constrained = process.constrainedMemory()
  const total = totalmem()
  return {
    cwd: process.cwd(),
    hostname: hostname(),
    pid: process.pid,
    home: homeFolder(),
    platform: process.platform,
    isOwn: (path) => statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.(),
    cores: availableParallelism(),
    // A container's limit where there is one; "no limit" is reported as 0, undefined or a huge number.
    memoryBytes: typeof constrained === 'number' && constrained > 0 ? Math.min(constrained, total) : total,
    folderKind: (path) => {
      try {
        const found = statSync(path, { throwIfNoEntry: false })
        return found === undefined ? 'missing' : found.isDirectory() ? 'folder' : 'other'
      } catch {
        // Below a file, or a folder that may not be entered.
        return 'other'
      }
    },
  }
}
