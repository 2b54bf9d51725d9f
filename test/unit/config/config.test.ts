import { describe, expect, test } from 'vitest'
import { SweepmillError } from '../../../src/base/errors.js'
import { nearMisses, refuseUnknownSettings } from '../../../src/runtime/config-names.js'
import { hideSecrets } from '../../../src/runtime/config-variable.js'
import { describeConfig, loadConfig, VARIABLES } from '../../../src/runtime/config.js'
import type { Environment } from '../../../src/runtime/config-names.js'
import type { Config, Host, VariableName } from '../../../src/runtime/config.js'

const host: Host = {
  cwd: '/home/quant/project',
  hostname: 'desk 7',
  cores: 6,
  memoryBytes: 8 * 2 ** 30,
  folderKind: (path) => (path.endsWith('/missing') ? 'missing' : path.endsWith('.csv') ? 'other' : 'folder'),
}

const load = (env: Environment): Config => loadConfig(env, host)

function refusal(env: Environment): SweepmillError {
  try {
    load(env)
  } catch (error) {
    if (error instanceof SweepmillError) return error
    throw error
  }
  throw new Error(`accepted ${JSON.stringify(env)}`)
}

test('an empty environment gives the documented defaults, frozen', () => {
  const config = load({})
  expect(config).toEqual({
    redisUrl: null, databaseUrl: null, workerName: 'worker-desk-7', workerThreads: 6, maxTasksPerBatch: 10, pollIntervalMs: 1000,
    recoveryIntervalMs: 60_000, leaseMs: 15_000, leaseRenewalMs: 5000, streamCapacity: 100_000, priorityWeights: null, keyPrefix: '',
    dataMemoryMb: 2048, threadHeapMb: 512, threadStallMs: 60_000, httpHost: '127.0.0.1', httpPort: 8080, apiTokens: [], dataRoots: ['/home/quant/project'],
    bybitUrl: 'https://api.bybit.com', logLevel: 'info', strategyDir: null, stateDir: '/home/quant/project/.sweepmill',
    sources: Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, 'default'])),
  })
  expect(Object.isFrozen(config)).toBe(true)
  expect(load({ WORKER_THREADS: '', REDIS_URL: '   ' })).toEqual(config)
})

test('two workers of one host have different names', () => {
  const named = (pid: number): string => loadConfig({}, { ...host, pid }).workerName
  expect([named(7), named(8), loadConfig({ WORKER_NAME: 'mine' }, { ...host, pid: 7 }).workerName]).toEqual(['worker-desk-7-7', 'worker-desk-7-8', 'mine'])
  expect(loadConfig({}, { ...host, hostname: 'h'.repeat(200), pid: 4_194_304 }).workerName.length).toBeLessThanOrEqual(64)
  expect(loadConfig({}).workerName).toMatch(new RegExp(`-${process.pid}$`))
})

test('the real machine gives a valid configuration too', () => {
  expect(loadConfig({}).workerThreads).toBeGreaterThanOrEqual(1)
})

describe('good values', () => {
  const good: readonly [Environment, Partial<Config>][] = [
    [{ REDIS_URL: 'redis://localhost:6379/3' }, { redisUrl: 'redis://localhost:6379/3' }],
    [{ REDIS_URL: 'rediss://user:secret@cache.example:6380' }, { redisUrl: 'rediss://user:secret@cache.example:6380' }],
    [{ REDIS_URL: '/run/redis.sock' }, { redisUrl: '/run/redis.sock' }],
    [{ REDIS_URL: 'unix:///run/redis.sock' }, { redisUrl: '/run/redis.sock' }],
    [{ DATABASE_URL: 'postgresql://me@db/quant' }, { databaseUrl: 'postgresql://me@db/quant' }],
    [{ DATABASE_URL: 'postgres:///quant?host=/run/postgresql' }, { databaseUrl: 'postgres:///quant?host=/run/postgresql' }],
    [{ WORKER_NAME: 'worker-prod-1' }, { workerName: 'worker-prod-1' }],
    [{ WORKER_THREADS: ' 4 ' }, { workerThreads: 4 }],
    [{ RECOVERY_INTERVAL_SEC: '5' }, { recoveryIntervalMs: 5000 }],
    [{ LEASE_MS: '3000' }, { leaseMs: 3000, leaseRenewalMs: 1000 }],
    [{ LEASE_MS: '3000', LEASE_RENEWAL_MS: '1500' }, { leaseRenewalMs: 1500 }],
    [{ PRIORITY_WEIGHTS: 'high:6, medium=3, LOW:1' }, { priorityWeights: { high: 6, medium: 3, low: 1 } }],
    [{ KEY_PREFIX: '{team-a}:' }, { keyPrefix: '{team-a}:' }],
    [{ HTTP_HOST: '[::1]', HTTP_PORT: '0' }, { httpHost: '::1', httpPort: 0 }],
    [{ API_TOKENS: 'one, two,one' }, { apiTokens: ['one', 'two'] }],
    [{ DATA_ROOTS: 'data:/srv/bars' }, { dataRoots: ['/home/quant/project/data', '/srv/bars'] }],
    [{ LOG_LEVEL: 'DEBUG' }, { logLevel: 'debug' }],
    [{ STATE_DIR: '/var/lib/missing' }, { stateDir: '/var/lib/missing' }],
  ]
  test.each(good)('%j', (env, wanted) => {
    const config = load(env)
    expect(config).toMatchObject(wanted)
    for (const name of Object.keys(env) as VariableName[]) expect(config.sources[name]).toBe('environment')
  })
})

describe('bad values name the variable, the value and what to write', () => {
  const bad: readonly [VariableName, string, RegExp][] = [
    ['REDIS_URL', 'localhost:6379', /redis:\/\/host:6379/],
    ['REDIS_URL', 'redis:/localhost', /redis:\/\/host:6379/],
    ['REDIS_URL', 'redis://', /redis:\/\/host:6379/],
    ['REDIS_URL', 'redis://localhost:99999', /redis:\/\/host:6379/],
    ['REDIS_URL', 'redis://localhost:0', /port 0/],
    ['REDIS_URL', 'redis://localhost/abc', /number of a database/],
    ['REDIS_URL', 'http://localhost:6379', /redis:\/\/host:6379/],
    ['REDIS_URL', 'redis://local host', /redis:\/\/host:6379/],
    ['DATABASE_URL', 'mysql://localhost/x', /postgres:\/\//],
    ['DATABASE_URL', 'postgres://localhost', /database's name is missing/],
    ['DATABASE_URL', 'postgres:///quant', /host is missing/],
    ['WORKER_NAME', 'two words', /letters, digits/],
    ['WORKER_THREADS', '0', /from 1 to 1024/],
    ['WORKER_THREADS', 'many', /from 1 to 1024/],
    ['WORKER_THREADS', '2.5', /whole number/],
    ['WORKER_THREADS', '-1', /whole number/],
    ['WORKER_THREADS', '1e2', /whole number/],
    ['MAX_TASKS_PER_BATCH', '0', /from 1 to 1000/],
    ['POLL_INTERVAL_MS', '1', /from 10 to 60000/],
    ['RECOVERY_INTERVAL_SEC', '0', /from 1 to 86400/],
    ['LEASE_MS', '15s', /whole number/],
    ['STREAM_CAPACITY', '0', /from 1/],
    ['PRIORITY_WEIGHTS', 'high:6,low:1', /each priority/],
    ['PRIORITY_WEIGHTS', 'high:6,medium:3,low:0', /1 to 1000/],
    ['PRIORITY_WEIGHTS', 'high:6,high:5,medium:3,low:1', /each priority/],
    ['PRIORITY_WEIGHTS', '6:3:1', /high:8,medium:4,low:1/],
    ['KEY_PREFIX', 'a b', /without spaces/],
    ['DATA_MEMORY_MB', '9000', /from 16 to 8192/],
    ['THREAD_HEAP_MB', '8', /from 32/],
    ['HTTP_HOST', 'http://0.0.0.0', /without scheme/],
    ['HTTP_PORT', '65536', /from 0 to 65535/],
    ['API_TOKENS', ',', /separated by commas/],
    ['DATA_ROOTS', 'data:missing', /project\/missing is no folder/],
    ['LOG_LEVEL', 'loud', /one of trace/],
    ['STRATEGY_DIR', 'missing', /is no folder/],
    ['STATE_DIR', 'bars.csv', /not a folder/],
  ]
  test.each(bad)('%s=%s', (name, value, sentence) => {
    const error = refusal({ [name]: value })
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(name)
    expect(error.message).toMatch(sentence)
    expect(error.details).toMatchObject({ variable: name })
    if (name !== 'API_TOKENS') expect(error.message).toContain(`"${value}"`)
  })
})

test('all bad values are told at once', () => {
  const error = refusal({ WORKER_THREADS: 'x', HTTP_PORT: 'y' })
  expect(error.message).toContain('WORKER_THREADS')
  expect(error.message).toContain('HTTP_PORT')
  expect(error.details?.['problems']).toHaveLength(2)
})

test('a lease shorter than twice its renewal is a contradiction', () => {
  const error = refusal({ LEASE_MS: '1000', LEASE_RENEWAL_MS: '501' })
  expect(error.code).toBe('CONFIG_INVALID')
  expect(error.message).toMatch(/LEASE_MS \(1000\).*LEASE_RENEWAL_MS \(501\).*LEASE_MS=1002/)
})

test('an unknown SWEEPMILL_ name is refused, with the name that was meant', () => {
  expect(refusal({ SWEEPMILL_TURBO: '1' })).toMatchObject({ code: 'CONFIG_UNKNOWN', details: { variable: 'SWEEPMILL_TURBO' } })
  expect(refusal({ SWEEPMILL_WORKER_THREADS: '4' }).message).toContain('write WORKER_THREADS instead')
  expect(load({ OTHER_TURBO: '1' }).workerThreads).toBe(6)
})

test('a name that nearly is one of ours is told, unless the right one is set too', () => {
  const told = (env: Environment): readonly string[] => nearMisses(env, Object.keys(VARIABLES))
  expect(told({ WORKER_THREAD: '4' })).toEqual(['WORKER_THREAD is set, but is no variable of Sweepmill: write WORKER_THREADS if that is meant.'])
  for (const [given, meant] of [['worker_threads', 'WORKER_THREADS'], ['REDIS_URI', 'REDIS_URL'], ['DATABASEURL', 'DATABASE_URL'], ['lease-ms', 'LEASE_MS'], ['LEASE_MSEC', 'LEASE_MS'],
    ['API_TOKEN', 'API_TOKENS'], ['STATE_DIRS', 'STATE_DIR'], ['DATAROOTS', 'DATA_ROOTS'], ['HTTP_PROT', 'HTTP_PORT']]) {
    expect(told({ [given!]: '1' })).toEqual([expect.stringContaining(`write ${meant} if`)])
  }
  expect(told({ REDIS_URI: 'x', REDIS_URL: 'redis://localhost' })).toEqual([])
  expect(told({ WORKER_THREADS: '4', PATH: '/bin', HOME: '/root', HTTP_PROXY: 'x', HOSTNAME: 'x', LOGNAME: 'me', SHELL: 'sh', TERM: 'xterm', PGDATA: 'x', NODE_ENV: 'test', WORKER_THREAD: '' })).toEqual([])
  expect(refusal({ sweepmill_worker_thread: '4' }).message).toContain('write WORKER_THREADS instead')
  expect(() => { refuseUnknownSettings({ WORKER_THREAD: '4' }, Object.keys(VARIABLES)) }).toThrow(/settings\.WORKER_THREAD is not known; did you mean WORKER_THREADS/)
  expect(() => { refuseUnknownSettings({ WORKER_THREADS: '4' }, Object.keys(VARIABLES)) }).not.toThrow()
})

describe('secrets', () => {
  const secret = 'hunter2'
  test.each([
    ['REDIS_URL', `redis:/:${secret}@localhost`],
    ['REDIS_URL', `redis://:${secret}@localhost:99999`],
    ['REDIS_URL', `redis://:${secret}/@x@localhost:abc`],
    ['REDIS_URL', `http://user:${secret}@localhost`],
    ['DATABASE_URL', `postgres://user:${secret}@localhost`],
    ['DATABASE_URL', `mysql://localhost/db?password=${secret}`],
    ['API_TOKENS', `${secret},two words`],
  ])('%s=%s is refused without showing it', (name, value) => {
    const error = refusal({ [name]: value })
    expect(error.message).toContain(name)
    expect(JSON.stringify(error.toData())).not.toContain(secret)
  })

  test('the description hides them and says where values came from', () => {
    const described = describeConfig(load({
      REDIS_URL: `redis://user:${secret}@localhost:6379`, DATABASE_URL: `postgres://user@db/quant?password=${secret}`,
      API_TOKENS: `${secret},${secret}2`, LEASE_MS: '3000', PRIORITY_WEIGHTS: 'high:3,medium:2,low:1',
    }))
    expect(JSON.stringify(described)).not.toContain(secret)
    expect(described.map((row) => row.name)).toEqual(Object.keys(VARIABLES))
    const byName = new Map(described.map((row) => [row.name, row]))
    expect(byName.get('REDIS_URL')).toMatchObject({ value: 'redis://user:***@localhost:6379', source: 'environment' })
    expect(byName.get('API_TOKENS')).toMatchObject({ value: '***,***', source: 'environment' })
    expect(byName.get('LEASE_MS')).toMatchObject({ value: '3000', source: 'environment' })
    expect(byName.get('LEASE_RENEWAL_MS')).toMatchObject({ value: '1000', source: 'default' })
    expect(byName.get('PRIORITY_WEIGHTS')?.value).toBe('high:3,medium:2,low:1')
    expect(byName.get('STRATEGY_DIR')).toMatchObject({ value: null, source: 'default' })
  })

  test.each(Object.keys(VARIABLES).filter((name) => !/_(DIR|ROOTS)$/.test(name)).flatMap((name) => ['https', 'redis', 'postgres', 'ftp'].map((scheme) => [name, `${scheme}://user:${secret}@host/1?apiKey=${secret}`])))(
    'whatever %s=%s is, refused or not, it is not shown', (name, value) => {
      let shown: unknown
      try {
        shown = describeConfig(load({ [name]: value }))
      } catch (error) {
        shown = (error as SweepmillError).toData()
      }
      expect(JSON.stringify(shown)).not.toContain(secret)
    })

  test.each([
    ['https://user:hunter2@api.example.com/v5', 'https://***@api.example.com/v5'],
    ['https://hunter2@api.example.com/', 'https://***@api.example.com/'],
    ['https://hunter2:@api.example.com/', 'https://***@api.example.com/'],
    ['https://api.example.com/?signature=hunter2&a=1&auth=hunter2', 'https://api.example.com/?signature=***&a=1&auth=***'],
    ['https://api.example.com/#access_token=hunter2', 'https://api.example.com/#***'],
    ['https://api.example.com/v5?a=1#top', 'https://api.example.com/v5?a=1#top'],
    ['redis://hunter2@cache:6379', 'redis://***@cache:6379'],
    ['redis://:hunter2@cache:6379', 'redis://:***@cache:6379'],
    // The slash ends the host: this parses, with a port and a path.
    ['postgres://user:12/hunter2@db/quant', 'postgres://***@db/quant'],
    ['postgres:host?password=hunter2;x=1', 'postgres:host?password=***;x=1'],
    ['postgres://user:hunter2@a:1,b:2/quant', 'postgres://***@a:1,b:2/quant'],
  ])('%s is shown as %s', (text, shown) => { expect(hideSecrets(text)).toBe(shown) })
})
