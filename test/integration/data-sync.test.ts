/** data_sync against an exchange that answers over real HTTP, with real threads, Redis and Postgres. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { decodeColumns } from '../../src/market/blocks.js'
import { Postgres } from '../../src/store/postgres.js'
import { PostgresBarSeriesStore } from '../../src/store/bar-series.js'
import { SweepmillError } from '../../src/base/errors.js'
import { TaskType } from '../../src/tasks/task.js'
import { dataSyncWorkflow } from '../../src/workflows/data-sync.js'
import { register } from '../../src/workflows/workflow.js'
import type { TaskView } from '../../src/tasks/backend.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'
import { barAt, BybitServer } from '../exchange/bybit-server.js'
import type { BybitOptions } from '../exchange/bybit-server.js'

let bed: TestBed
let postgres: Postgres
let exchange: BybitServer | undefined
beforeEach(async () => {
  bed = await openTestBed()
  postgres = new Postgres({ databaseUrl: bed.databaseUrl })
})
afterEach(async () => {
  await postgres.close()
  await bed.close()
  await exchange?.stop()
})

const MINUTE_MS = 60_000
const START = Date.UTC(2024, 0, 30)
const minutes = (n: number): number => START + n * MINUTE_MS
const iso = (ms: number): string => new Date(ms).toISOString()

async function open(options: BybitOptions, workflows: Parameters<TestBed['open']>[0] = {}): Promise<TestRuntime> {
  exchange = await BybitServer.start(options)
  const worker = await bed.open({ retry: { baseMs: 20, capMs: 50 }, ...workflows, env: { BYBIT_URL: exchange.url } })
  await worker.start()
  return worker
}

async function sync(worker: TestRuntime, fromMs: number, toMs: number | null, more: Record<string, unknown> = {}, maxRetries?: number): Promise<TaskView> {
  const { taskId } = await worker.backend.submit({
    taskType: TaskType.DATA_SYNC, roots: null, maxRetries,
    data: { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1m', start_date: iso(fromMs), ...(toMs === null ? {} : { end_date: iso(toMs) }), ...more },
  })
  return worker.backend.wait(taskId)
}

/** What is stored: times, and every value against what the exchange has. */
async function stored(volumeAt: 4 | 5 = 4): Promise<number[]> {
  const store = new PostgresBarSeriesStore(postgres)
  const series = await store.find({ exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1m' })
  const times: number[] = []
  for (const bytes of await store.blocks(series?.blocks.map(({ hash }) => hash) ?? [])) {
    const bars = decodeColumns(bytes)
    for (let i = 0; i < bars.length; i += 1) {
      const time = bars.time[i] ?? 0
      const expected = barAt(time)
      expect([bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i]]).toEqual([...expected.slice(0, 4), expected[volumeAt]])
      times.push(time)
    }
  }
  return times
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => minutes(from + i))

test('pages over a month\'s end arrive whole and in order; a second sync fetches only what is new', async () => {
  const worker = await open({})
  expect(await sync(worker, START, minutes(3500))).toMatchObject({
    status: 'completed', attempt: 1, priority: 'medium',
    result: { bars_added: 3500, bars_replaced: 0, pages: 4, bars: 3500, first_time: iso(START), last_time: iso(minutes(3499)), gaps: [], bars_missing: 0 },
  })
  expect(await stored()).toEqual(range(0, 3500))
  const before = exchange?.requests
  expect(await sync(worker, START, minutes(3600))).toMatchObject({ result: { bars_added: 100, pages: 1, bars: 3600 } })
  expect((exchange?.requests ?? 0) - (before ?? 0)).toBe(1)
  expect(await sync(worker, START, minutes(3600))).toMatchObject({ result: { bars_added: 0, pages: 0, bars: 3600 } })
  expect(await stored()).toEqual(range(0, 3600))
})

test('403, error 10006, status 500, truncated JSON, HTML and a cut connection are ridden out within the attempt', async () => {
  const worker = await open({ misbehaves: ['limited_403', 'limited_code', 'status_500', 'truncated', 'cut', 'not_json'] })
  expect(await sync(worker, START, minutes(2500))).toMatchObject({ status: 'completed', attempt: 1, result: { bars_added: 2500 } })
  expect(exchange?.requests).toBe(9)
  expect(await stored()).toEqual(range(0, 2500))
})

test('the bar that is not closed yet is dropped, and before its listing a market has no gap', async () => {
  const nowMs = minutes(500) + 30_000
  const worker = await open({ nowMs, listedMs: minutes(100) })
  const task = await sync(worker, START, minutes(800))
  expect(task).toMatchObject({ result: { bars: 400, first_time: iso(minutes(100)), last_time: iso(minutes(499)) } })
  expect(await stored()).toEqual(range(100, 500))
})

test('a gap is asked for once more; what the exchange does not have is listed', async () => {
  const worker = await open({ forgets: [minutes(200), minutes(250)], outage: [minutes(1100), minutes(1160)] })
  expect(await sync(worker, START, minutes(2000))).toMatchObject({
    result: { bars: 1940, gaps: [{ from: iso(minutes(1100)), to: iso(minutes(1160)), bars: 60 }], gaps_total: 1, bars_missing: 60 },
  })
  expect(await stored()).toEqual([...range(0, 1100), ...range(1160, 2000)])
})

test('an exchange that repeats its last page for ever is refused at once, and nothing is stored', async () => {
  const worker = await open({ repeatsLastPage: true, nowMs: minutes(9000) })
  expect(await sync(worker, START, minutes(1000))).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'DATA_INVALID', message: expect.stringContaining('not asked for') as string } })
  expect(exchange?.requests).toBe(1)
  expect(await stored()).toEqual([])
})

test('inverse contracts swap volume and turnover; an unknown symbol is refused for good', async () => {
  const worker = await open({})
  expect(await sync(worker, START, minutes(10), { category: 'inverse' })).toMatchObject({ status: 'completed' })
  expect(await stored()).toEqual(range(0, 10))
  expect(await sync(worker, START, minutes(10), { symbol: 'NOPE' })).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'EXCHANGE_REFUSED', message: expect.stringContaining('Not supported symbols\u2400') as string } })
})

test('from the command line: the result, the series with its quality, and a backtest on it', async () => {
  exchange = await BybitServer.start({ outage: [minutes(100), minutes(110)] })
  const cli = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), ...args, '--json'],
      { env: { ...process.env, ...bed.environment, BYBIT_URL: exchange?.url ?? '', WORKER_THREADS: '1', LOG_LEVEL: 'silent' } })
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const named = ['--exchange', 'bybit', '--symbol', 'BTCUSDT', '--timeframe', '1m']
  expect(await cli('sync', ...named, '--start', iso(START), '--end', iso(minutes(600)))).toMatchObject({ status: 'completed', bars_added: 590, bars_missing: 10 })
  expect(await cli('series', 'show', 'bybit/BTCUSDT/1m')).toMatchObject({ bars: 590, quality: { gaps: { count: 1 } } })
  expect(await cli('backtest', ...named, '--strategy', 'sma-cross')).toMatchObject({ status: 'completed', result: { bars: 590 } })
})

describe('the way back', () => {
  test('a sync that cannot be saved takes back what it added, and no more', async () => {
    const unsaved = { ...dataSyncWorkflow, definition: { ...dataSyncWorkflow.definition, steps: dataSyncWorkflow.definition.steps.map((step) =>
      (step.name === 'save_results' ? { ...step, run: () => Promise.reject(new SweepmillError('COMPUTE_FAILED', 'no \0 \ud800')) } : step)) } }
    const worker = await open({})
    await sync(worker, minutes(1000), minutes(2000))
    await worker.worker.stop()
    const failing = await bed.open({ workflows: [register(unsaved)], env: { BYBIT_URL: exchange?.url ?? '' } })
    await failing.start()
    expect(await sync(failing, START, minutes(3000))).toMatchObject({ status: 'failed', error: { code: 'COMPUTE_FAILED', message: 'no \u2400 \ufffd' } })
    expect(await stored()).toEqual(range(1000, 2000))
    expect(await bed.sql('select count(*)::int as n from series_changes where undone_at is null')).toEqual([{ n: 1 }])
    expect(await bed.sql("select status from saga_runs where status <> 'completed'")).toEqual([{ status: 'compensated' }])
  })
})

test.each([
  [{ exchange: 'nasdaq' }, /choose one of: bybit/], [{ timeframe: '7m' }, /no bars of 7m/], [{ timeframe: 'soon' }, /timeframe "soon"/], [{ category: 'option' }, /linear, spot, inverse/],
  [{ end_date: '2020-01-01' }, /not after start_date/], [{ start_date: 'yesterday' }, /write a date/], [{ simbol: 'X' }, /did you mean "symbol"/], [{ symbol: 'BTC USDT' }, /a symbol such as/],
])('refused at the door: %j', async (change, message) => {
  const client = await bed.open({ role: 'client' })
  await expect(client.backend.submit({ taskType: TaskType.DATA_SYNC, roots: null, data: { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1m', start_date: '2024-01-01', ...change } }))
    .rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringMatching(message) as string })
  expect(await bed.sql('select 1 from tasks')).toEqual([])
})
