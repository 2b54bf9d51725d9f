/**
 * Every door while Postgres is away, silent, cut in the middle of an answer, or says no: all of them say that it is, with
 * the code that means "come back later". The routes come from the server's own document, the commands from the program.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { openWorkbench } from '../../src/cli/open-workbench.js'
import { runProgram } from '../../src/cli/program.js'
import { createHttpServer } from '../../src/http/server.js'
import type { HttpServer } from '../../src/http/server.js'
import { Postgres } from '../../src/store/postgres.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { eventually } from '../eventually.js'
import { openProxy, through } from './proxy.js'
import type { Proxy } from './proxy.js'

let bed: TestBed
let proxy: Proxy
let toRedis: Proxy
const open: (() => Promise<void>)[] = []
beforeAll(async () => {
  bed = await openTestBed()
  const { hostname, port } = new URL(bed.databaseUrl)
  proxy = await openProxy({ host: hostname, port: Number(port) })
  const redis = new URL(bed.redisUrl)
  toRedis = await openProxy({ host: redis.hostname, port: Number(redis.port) })
})
afterEach(async () => {
  proxy.heal()
  toRedis.heal()
  for (const close of open.splice(0).toReversed()) await close()
})
afterAll(async () => {
  await proxy.close()
  await toRedis.close()
  await bed.close()
})

const ID = '01999999-0000-7000-8000-000000000000'
const bars = { symbol: 'BTCUSDT', timeframe: '1h', strategy: { name: 'sma-cross' } }
/** What a route must be sent to get as far as the store; the others take no body. */
const BODIES: Readonly<Record<string, object>> = {
  '/api/backtests': bars,
  '/api/optimizations': { ...bars, space: { fast: { min: 2, max: 4, step: 1 } } },
  '/api/data-syncs': { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', start_date: '2024-01-01' },
}
/** Routes that answer whatever is away, and how; `/health` is that of a process that takes no tasks. */
const OPEN_ALWAYS: Readonly<Record<string, number>> = { '/livez': 200, '/health': 503, '/metrics': 200, '/api/docs': 200, '/readyz': 503 }

async function serve(): Promise<{ readonly server: HttpServer; readonly routes: readonly (readonly ['GET' | 'POST', string])[] }> {
  const runtime = await bed.open({ role: 'client', databaseUrl: through(bed.databaseUrl, proxy), redisUrl: through(bed.redisUrl, toRedis) })
  open.push(() => runtime.close())
  const server = await createHttpServer({
    backend: runtime.backend, metrics: runtime.metrics, log: createLogger({ level: 'silent', workerName: 'doors' }), version: '0.0.0-test',
    config: { httpHost: '127.0.0.1', httpPort: 0, apiTokens: [], dataRoots: [] },
  })
  open.push(() => server.close())
  const { paths } = (await server.app.inject('/api/docs')).json<{ paths: Record<string, Record<string, unknown>> }>()
  return { server, routes: Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase() as 'GET' | 'POST', path] as const)) }
}

const faults: readonly (readonly [string, () => void])[] = [
  ['is cut in the middle of every answer', () => { proxy.cut() }],
  ['answers nothing', () => { proxy.swallow(true) }],
]

test.each(faults)('every route while Postgres %s', async (_what, strike) => {
  const { server, routes } = await serve()
  expect(routes.length).toBeGreaterThan(15)
  strike()
  const replies = await Promise.all(routes.map(async ([method, path]) => {
    const payload = method === 'POST' ? { payload: BODIES[path] ?? {} } : {}
    const reply = await server.app.inject({ method, url: path.replace('{id}', ID), ...payload })
    const { error } = (reply.headers['content-type'] as string).startsWith('application/json') ? reply.json<{ error?: { code: string } }>() : {}
    return `${method} ${path}: ${reply.statusCode} ${error?.code ?? ''}`.trim()
  }))
  expect(replies).toEqual(routes.map(([method, path]) => {
    const always = OPEN_ALWAYS[path]
    return `${method} ${path}: ${always === undefined ? '503 POSTGRES_UNAVAILABLE' : always}`
  }))
})

test('every route while Redis is cut in the middle of every answer: Postgres is the truth, so most go on', async () => {
  const { server, routes } = await serve()
  toRedis.cut()
  const replies = await Promise.all(routes.map(async ([method, path]) => {
    const payload = method === 'POST' ? { payload: BODIES[path] ?? {} } : {}
    const { statusCode } = await server.app.inject({ method, url: path.replace('{id}', ID), ...payload })
    return `${method} ${path}: ${statusCode}`
  }))
  const away: Readonly<Record<string, number>> = { '/readyz': 503, '/health': 503, '/api/data-syncs': 202, '/api/cleanups': 202, '/api/backtests': 404, '/api/optimizations': 404 }
  expect(replies).toEqual(routes.map(([method, path]) => `${method} ${path}: ${away[path] ?? (path.includes('{id}') ? 404 : 200)}`))
})

const FILE = 'samples/sp500-daily.csv'
const COMMANDS: readonly string[] = [
  `backtest --data ${FILE} --strategy sma-cross --detach`, `sweep --data ${FILE} --strategy sma-cross --param fast=2:4:1 --detach`,
  `import ${FILE} --exchange cboe --symbol SPX --timeframe 1d`, 'sync --exchange bybit --symbol BTCUSDT --timeframe 1h --start 2024-01-01 --detach', 'cleanup --detach',
  'tasks list', `tasks show ${ID}`, `tasks cancel ${ID}`, `tasks retry ${ID}`, `tasks export ${ID} --report /dev/null`,
  'dlq list', `dlq show ${ID}`, `dlq redrive ${ID}`, `dlq purge ${ID}`, 'sagas list', `sagas show ${ID}`, `sagas resume ${ID} --reason x`, `sagas skip ${ID} --reason x`,
  'schedules list', 'schedules remove x', 'schedules pause x', 'schedules resume x', 'schedules add cleanup --name x --cron @daily',
  'series list', 'series show a/B/1h', 'series history a/B/1h', 'series restore a/B/1h --revision 1', 'series remove a/B/1h', `series export a/B/1h --out ${join(tmpdir(), 'closed-doors.csv')}`, 'strategies list', 'strategies add sma-cross', 'strategies show sma-cross',
  'queue stats', 'queue pause low', 'queue resume low', 'migrate', 'worker',
]

async function command(line: string): Promise<{ readonly exitCode: number; readonly code: string | undefined }> {
  let stdout = ''
  const exitCode = await runProgram([...line.split(' '), '--json'], {
    env: { ...bed.environment, DATABASE_URL: through(bed.databaseUrl, proxy), REDIS_URL: through(bed.redisUrl, toRedis), WORKER_THREADS: '1', LOG_LEVEL: 'silent', HTTP_PORT: '0' },
    stdout: { isTTY: false, columns: 80, write: (text: string) => { stdout += text; return true } }, stderr: { isTTY: false, columns: 80, write: () => true },
    clock: systemClock, version: '0.0.0-test', openWorkbench,
  } as unknown as Parameters<typeof runProgram>[1])
  const code = /"code":\s*"([A-Z_]+)"/.exec(stdout)?.[1]
  return { exitCode, code: code ?? (exitCode === 0 ? undefined : stdout) }
}

test('every command while Postgres is cut in the middle of every answer', async () => {
  proxy.cut()
  const told: string[] = []
  for (const line of COMMANDS) {
    const { exitCode, code } = await command(line)
    told.push(`${line}: ${exitCode} ${code}`)
  }
  expect(told).toEqual(COMMANDS.map((line) => `${line}: 1 POSTGRES_UNAVAILABLE`))
})

test('every command while Redis is cut in the middle of every answer', async () => {
  toRedis.cut()
  const told: string[] = []
  for (const line of COMMANDS) {
    const { exitCode, code } = await command(line)
    told.push(`${line}: ${exitCode} ${code}`)
  }
  expect(told).toEqual(COMMANDS.map((line) => `${line}: ${line === 'migrate' ? '0 undefined' : '1 REDIS_UNAVAILABLE'}`))
})

test('a command whose connection is cut at any of its answers ends with the same code, or well', async () => {
  const seen = new Set<string>()
  for (const line of ['tasks list', 'queue stats', `backtest --data ${FILE} --strategy sma-cross --detach`]) {
    for (const after of [1, 2, 4, 8, 12, 16, 20, 30]) {
      proxy.cut(after)
      const { exitCode, code } = await command(line)
      seen.add(`${exitCode} ${code}`)
    }
  }
  expect([...seen].toSorted()).toEqual(['0 undefined', '1 POSTGRES_UNAVAILABLE'])
})

test('what Postgres refuses for a while is told as that, and what to change', async () => {
  const url = new URL(bed.databaseUrl)
  const told = async (options: string, statement: string): Promise<unknown> => {
    url.searchParams.set('options', `-c search_path=${bed.schema} ${options}`)
    const postgres = new Postgres({ databaseUrl: url.href, maxConnections: 1 })
    try {
      return await postgres.query(statement).catch((error: unknown) => error)
    } finally {
      await postgres.close()
    }
  }
  const unavailable = (words: string): object => ({ code: 'POSTGRES_UNAVAILABLE', message: expect.stringContaining(words) as string })
  expect(await told('-c default_transaction_read_only=on', 'create table t (n int)')).toMatchObject(unavailable('Point DATABASE_URL at the primary'))
  expect(await told('-c statement_timeout=20', 'select pg_sleep(60)')).toMatchObject(unavailable('statement_timeout'))
  expect(await told('', 'select pg_terminate_backend(pg_backend_pid())')).toMatchObject(unavailable('stopping or starting'))
  url.password = 'wrong'
  url.username = 'nobody'
  expect(await told('', 'select 1')).toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
  url.pathname = '/no_such_database'
  expect(await told('', 'select 1')).toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
})

test('a commit whose answer is cut is told as unanswered, and the next statement has a connection', async () => {
  const postgres = new Postgres({ databaseUrl: through(bed.databaseUrl, proxy), maxConnections: 1 })
  open.push(() => postgres.close())
  await expect(postgres.transaction(async (client) => {
    await client.query('select 1')
    proxy.cut()
  })).rejects.toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
  proxy.heal()
  expect(await postgres.query('select 1 as n')).toEqual([{ n: 1 }])
  // A defect of ours inside a transaction is not taken for trouble of the server, and leaves the connection in order.
  await expect(postgres.transaction(() => Promise.reject(new TypeError('a slip')))).rejects.toThrow(TypeError)
  expect(await postgres.query('select 1 as n')).toEqual([{ n: 1 }])
  await eventually('no transaction to be left open', async () => (await bed.sql("select 1 from pg_stat_activity where state like 'idle in transaction%' and application_name = 'sweepmill'")).length === 0)
})
