/** Portfolios through the queue: from files, from stored bars, on a worker that has never seen them, and refused where they cannot be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { builtinStrategy, parseBacktestSpec, runPortfolio } from '../../src/engine/index.js'
import { parseCsv } from '../../src/market/read-csv.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { readSeriesFile } from '../../src/runtime/series-file.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const HOUR = 3_600_000
const NAMES = ['AAA', 'BBB', 'CCC'] as const
const STRATEGY = { name: 'sma-cross', params: { fast: 3, slow: 8 } }
const EXECUTION = { fee_rate: 0.001, sizing: { mode: 'fraction', value: 0.4 } }

let bed: TestBed
let pool: ComputePool
let client: TestRuntime
let folder: string

/** Different beginnings, lengths and months, so that nothing fits by chance. */
function rows(k: number): string {
  const start = Date.UTC(2024, 0, 30 - k, 3 * k)
  const lines = Array.from({ length: 300 + 100 * k }, (_, i) => {
    const open = 50 + 10 * Math.sin(i / (9 + k)), close = 50 + 10 * Math.sin((i + 1) / (9 + k))
    return [start + i * HOUR, open, Math.max(open, close) + 1, Math.min(open, close) - 1, close, 1 + (i % 5)].join(',')
  })
  return ['time,open,high,low,close,volume', ...lines].join('\n')
}

const path = (name: string): string => join(folder, `${name}.csv`)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-portfolio-'))
  NAMES.forEach((name, k) => { writeFileSync(path(name), rows(k)) })
  bed = await openTestBed()
  pool = createComputePool({ threads: 1, clock: systemClock })
  // It submits and works on nothing: what a worker knows comes from the store.
  client = await bed.open({ pool, role: 'client' })
  await client.start()
  for (const name of NAMES) await client.backend.series.add({ exchange: 'test', symbol: name, timeframe: '1h' }, readSeriesFile(pool, path(name), '1h'))
})
afterAll(async () => {
  await bed.close()
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a worker that never saw the bars gives the result of the engine alone, from files and from the store', async () => {
  const data = { strategy: STRATEGY, execution: EXECUTION }
  const byFile = await client.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { ...data, symbols: NAMES.map((symbol) => ({ symbol, file: path(symbol) })) } })
  const byName = await client.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { ...data, symbols: [...NAMES], timeframe: '1h' } })
  const worker = await bed.open()
  await worker.start()
  const expected = runPortfolio(NAMES.map((symbol, k) => ({ symbol, bars: parseCsv(new TextEncoder().encode(rows(k)), symbol) })), builtinStrategy('sma-cross'), parseBacktestSpec(data as unknown, { barsGiven: true }))
  expect(expected.trades.length).toBeGreaterThan(10)
  for (const { taskId } of [byFile, byName]) {
    const task = await eventually('it completes', async () => {
      const found = await client.backend.task(taskId)
      return found.status === 'completed' ? found : null
    })
    const { final_equity: equity, total_trades: trades, symbols, open_positions: open } = task.result as Record<string, unknown>
    expect({ equity, trades, symbols, open }).toEqual({
      equity: expected.summary['final_equity'], trades: expected.trades.length, symbols: expected.summary['symbols'], open: expected.summary['open_positions'],
    })
    expect(task.data['data_parts']).toEqual([300, 400, 500])
    const csv = new TextDecoder().decode(await client.backend.artifact(taskId, 'trades') ?? new Uint8Array())
    expect(csv.split('\n')[0]).toMatch(/,exit_reason,symbol$/)
    expect(csv.trim().split('\n').length).toBe(expected.trades.length + 1)
  }
  const [first, second] = await Promise.all([byFile, byName].map(({ taskId }) => client.backend.task(taskId)))
  expect(first?.data['data_hash']).toBe(second?.data['data_hash'])
})

test.each([
  ['the same symbol twice', { symbols: ['AAA', 'AAA'], timeframe: '1h' }, 'SPEC_INVALID', 'twice'],
  ['a symbol that is not stored', { symbols: ['AAA', 'ZZZ'], timeframe: '1h' }, 'SERIES_NOT_FOUND', 'ZZZ'],
  ['no timeframe', { symbols: ['AAA', 'BBB'] }, 'SPEC_INVALID', 'timeframe is missing'],
  ['one of them without bars in the range', { symbols: ['AAA', 'BBB'], timeframe: '1h', start_date: '2024-02-13' }, 'DATA_EMPTY', 'AAA'],
  ['a file beside them', { symbols: ['AAA'], timeframe: '1h', file: 'x.csv' }, 'SPEC_INVALID', 'keep one'],
  ['interest', { symbols: ['AAA', 'BBB'], timeframe: '1h', execution: { borrow_rate: 0.05 } }, 'NOT_SUPPORTED', 'borrow_rate'],
])('refuses %s', async (_name, bars, code, words) => {
  const refused = client.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { strategy: STRATEGY, ...bars } })
  await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string })
})

test('a sweep of several symbols is refused', async () => {
  const refused = client.backend.submit({ taskType: TaskType.OPTIMIZATION, roots: null, data: { symbols: ['AAA', 'BBB'], timeframe: '1h', strategy: { name: 'sma-cross' }, space: { fast: { min: 2, max: 5 } } } })
  await expect(refused).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
})
