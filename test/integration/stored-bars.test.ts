/** Backtests by symbol: the same result as from the file, cut, made of shorter bars, and refused with what there is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { readSeriesFile } from '../../src/runtime/series-file.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const HOUR = 3_600_000
/** Three hours into a day, eleven hours before the end of a month. */
const START = Date.UTC(2024, 0, 31, 3)
const BARS = 500

interface Row { readonly time: number; readonly open: number; readonly high: number; readonly low: number; readonly close: number; readonly volume: number }
const ROWS: readonly Row[] = Array.from({ length: BARS }, (_, i) => {
  const open = 100 + 10 * Math.sin(i / 9)
  const close = 100 + 10 * Math.sin((i + 1) / 9)
  return { time: START + i * HOUR, open, high: Math.max(open, close) + 1, low: Math.min(open, close) - 1, close, volume: 1 + (i % 5) }
})

let bed: TestBed
let pool: ComputePool
let runtime: TestRuntime
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-stored-'))
  bed = await openTestBed()
  pool = createComputePool({ threads: 1, clock: systemClock })
  runtime = await bed.open({ pool })
  await runtime.start()
  await store('bybit', '1h', ROWS)
})
afterAll(async () => {
  await bed.close()
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

function file(rows: readonly Row[]): string {
  const path = join(folder, `bars-${rows.length}-${rows[0]?.time}.csv`)
  writeFileSync(path, ['time,open,high,low,close,volume', ...rows.map((row) => Object.values(row).join(','))].join('\n'))
  return path
}

async function store(exchange: string, timeframe: string, rows: readonly Row[], symbol = 'BTCUSDT'): Promise<void> {
  const key = { exchange, symbol, timeframe }
  await runtime.backend.series.add(key, readSeriesFile(pool, file(rows), timeframe))
  await runtime.backend.series.check(key)
}

const STRATEGY = { name: 'sma-cross', params: { fast: 3, slow: 8 } }

async function backtest(bars: Record<string, unknown>): Promise<{ data: Record<string, unknown>; result: Record<string, unknown> }> {
  const { taskId } = await runtime.backend.submit({ taskType: TaskType.BACKTEST, data: { ...bars, strategy: STRATEGY }, roots: null })
  const task = await runtime.backend.wait(taskId)
  expect(task.status).toBe('completed')
  return { data: task.data, result: task.result as Record<string, unknown> }
}

test('the same bars by symbol and by file give the same result', async () => {
  const bySymbol = await backtest({ symbol: 'BTCUSDT', timeframe: '60m' })
  const byFile = await backtest({ file: file(ROWS) })
  expect(bySymbol.result).toEqual(byFile.result)
  expect(bySymbol.result['bars']).toBe(BARS)
  expect(bySymbol.data).toMatchObject({ exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', data_hash: byFile.data['data_hash'] })
  expect(bySymbol.data).not.toHaveProperty('data_warnings')
})

test('a benchmark by symbol and by file, beside bars, a portfolio and finer bars', async () => {
  const spx = ROWS.map((row, i) => ({ ...row, open: 50 + i / 10, high: 51 + i / 10, low: 49 + i / 10, close: 50 + (i + 1) / 10 }))
  await store('bybit', '1h', spx, 'INDEX')
  const path = file(spx.slice(0, -1)) // of another length than the bars, which are written under the same name
  const total = (rows: typeof spx): number => (rows.at(-1)!.close / rows[0]!.close - 1) * 100
  const bySymbol = await backtest({ symbol: 'BTCUSDT', timeframe: '1h', benchmark: 'INDEX' })
  expect(bySymbol.result['benchmark']).toMatchObject({ name: 'INDEX' })
  expect((bySymbol.result['benchmark'] as Record<string, number>)['total_return']).toBeCloseTo(total(spx), 9)
  expect(bySymbol.data).toMatchObject({ benchmark: { symbol: 'INDEX' }, data_parts: [BARS, BARS] })
  const byFile = await backtest({ file: file(ROWS), benchmark: { file: path } })
  expect((byFile.result['benchmark'] as Record<string, number>)['total_return']).toBeCloseTo(total(spx.slice(0, -1)), 9)
  expect((byFile.result['warnings'] as string[]).join(' ')).toMatch(/covers 499 of 500 bars/)
  const portfolio = await backtest({ symbols: [{ symbol: 'A', file: file(ROWS) }, { symbol: 'B', file: file(ROWS) }], benchmark: { symbol: 'INDEX', timeframe: '1h' } })
  expect(portfolio.result['benchmark']).toMatchObject({ name: 'INDEX' })
  expect(portfolio.data).toMatchObject({ data_parts: [BARS, BARS, BARS] })
  const finer = await backtest({ file: file(ROWS), finer: { file: file(ROWS) }, execution: { intrabar_path: 'finer' }, benchmark: { file: path } })
  expect(finer.data).toMatchObject({ data_parts: [BARS, BARS, BARS - 1] })
  expect(finer.result['benchmark']).toMatchObject({ name: expect.stringMatching(/^bars-499/) as string })
  const submit = (data: Record<string, unknown>): Promise<unknown> => runtime.backend.submit({ taskType: TaskType.BACKTEST, data: { ...data, strategy: STRATEGY }, roots: null })
  await expect(submit({ file: file(ROWS), benchmark: { symbol: 'NONE', timeframe: '1h' } })).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
  await expect(submit({ file: file(ROWS), benchmark: { file: file(spx.map((row) => ({ ...row, time: row.time - 1e11 }))) } })).rejects.toMatchObject({ code: 'DATA_EMPTY' })
})

test('dates cut the series, across months', async () => {
  const { result } = await backtest({ symbol: 'BTCUSDT', timeframe: '1h', exchange: 'bybit', start_date: '2024-01-31T10:00:00Z', end_date: '2024-02-02' })
  const inside = ROWS.filter(({ time }) => time >= Date.UTC(2024, 0, 31, 10) && time < Date.UTC(2024, 1, 3))
  expect(result).toMatchObject({ bars: inside.length, data_hash: (await backtest({ file: file(inside) })).result['data_hash'] })
})

/** What four hours are, made by hand from whole ones only. */
function fourHours(rows: readonly Row[]): Row[] {
  const made = new Map<number, Row[]>()
  for (const row of rows) {
    const start = Math.floor(row.time / (4 * HOUR)) * 4 * HOUR
    made.set(start, [...made.get(start) ?? [], row])
  }
  return [...made].filter(([, inside]) => inside.length === 4).map(([time, inside]) => ({
    time, open: inside[0]?.open ?? 0, high: Math.max(...inside.map((row) => row.high)), low: Math.min(...inside.map((row) => row.low)),
    close: inside.at(-1)?.close ?? 0, volume: inside.reduce((sum, row) => sum + row.volume, 0),
  }))
}

test('longer bars are made of the stored ones, whole ones only, and the result says so', async () => {
  const { result, data } = await backtest({ symbol: 'BTCUSDT', timeframe: '4h' })
  const made = fourHours(ROWS)
  expect(result).toMatchObject({ bars: made.length, data_hash: (await backtest({ file: file(made) })).result['data_hash'] })
  expect((result['warnings'] as string[]).join()).toMatch(/bars of 4h were made of stored bars of 1h.*2 bars of 4h at the ends are left out/)
  expect(data['data_warnings']).toHaveLength(2)
  const cut = await backtest({ symbol: 'BTCUSDT', timeframe: '4h', start_date: '2024-02-01T01:00:00Z', end_date: '2024-02-03T05:00:00Z' })
  const inside = made.filter(({ time }) => time >= Date.UTC(2024, 1, 1, 1) && time <= Date.UTC(2024, 1, 3, 5))
  expect(cut.result).toMatchObject({ bars: inside.length, data_hash: (await backtest({ file: file(inside) })).result['data_hash'] })
  expect((cut.result['warnings'] as string[]).join()).not.toContain('left out')
})

test('of several that divide it the longest is taken, and a stored one needs no making', async () => {
  await store('okx', '1h', ROWS, 'ETHUSDT')
  await store('okx', '4h', fourHours(ROWS), 'ETHUSDT')
  expect((await backtest({ symbol: 'ETHUSDT', timeframe: '4h' })).result['warnings']).toEqual([])
  expect(((await backtest({ symbol: 'ETHUSDT', timeframe: '1d' })).result['warnings'] as string[]).join()).toContain('made of stored bars of 4h')
})

test('what is not there is refused with what is', async () => {
  const refusal = (bars: Record<string, unknown>): Promise<unknown> => runtime.backend.submit({ taskType: TaskType.BACKTEST, data: { ...bars, strategy: STRATEGY }, roots: null })
  await expect(refusal({ symbol: 'btcusdt', timeframe: '1h' })).rejects.toMatchObject({
    code: 'SERIES_NOT_FOUND', message: expect.stringMatching(/Stored of it are bybit\/BTCUSDT\/1h.*sweepmill import FILE --exchange NAME --symbol btcusdt --timeframe 1h/) as string, details: { stored: ['bybit/BTCUSDT/1h'] },
  })
  await expect(refusal({ symbol: 'BTCUSDT', timeframe: '1m' })).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
  await expect(refusal({ symbol: 'BTCUSDT', timeframe: 'hourly' })).rejects.toMatchObject({ code: 'SPEC_INVALID' })
  await expect(refusal({ symbol: 'BTCUSDT', timeframe: '1h', start_date: '2030-01-01' })).rejects.toMatchObject({ code: 'DATA_EMPTY', message: expect.stringContaining('2024-01-31T03:00:00.000Z') as string })
  await store('kraken', '1h', ROWS, 'SOLUSDT')
  await store('okx', '1h', ROWS, 'SOLUSDT')
  await expect(refusal({ symbol: 'SOLUSDT', timeframe: '4h' })).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { exchanges: ['kraken', 'okx'] } })
})

test('every result on bars that were made up says so', async () => {
  await store('okx', '1h', ROWS.filter((_, i) => i < 100 || i >= 110), 'LTCUSDT')
  await runtime.backend.series.repair({ exchange: 'okx', symbol: 'LTCUSDT', timeframe: '1h' })
  const said = async (bars: Record<string, unknown>): Promise<string> => ((await backtest({ symbol: 'LTCUSDT', ...bars })).result['warnings'] as string[]).join()
  expect(await said({ timeframe: '1h' })).toContain('10 of 500 stored bars were made up')
  expect(await said({ timeframe: '4h' })).toContain('10 of 500 stored bars were made up')
  expect(await said({ timeframe: '1h', end_date: '2024-02-04T08:00:00Z' })).toContain('2 of 102 stored bars were made up')
  expect(await said({ timeframe: '1h', end_date: '2024-02-03' })).toBe('')
  const data = { symbol: 'LTCUSDT', timeframe: '1h', strategy: { name: 'sma-cross' }, space: { fast: { min: 2, max: 4, step: 1 }, slow: { choices: [8] } } }
  const { taskId } = await runtime.backend.submit({ taskType: TaskType.OPTIMIZATION, data, roots: null })
  expect(((await runtime.backend.wait(taskId)).result as { warnings: string[] }).warnings.join()).toContain('10 of 500 stored bars were made up')
})

test('a last bar that was unfinished when it came is left out', async () => {
  const hour = Math.floor(systemClock.wallMs() / HOUR) * HOUR
  const rows = ROWS.map((row, i) => ({ ...row, time: hour - (BARS - 1 - i) * HOUR }))
  await store('okx', '1h', rows, 'XRPUSDT')
  const { result } = await backtest({ symbol: 'XRPUSDT', timeframe: '1h' })
  expect(result['bars']).toBe(BARS - 1)
  expect((result['warnings'] as string[]).join()).toContain('was not finished')
})
