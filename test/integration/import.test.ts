/** Files into the store: merged month by month by comparison, checked as a whole, refused when they are something else. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { readSeriesFile } from '../../src/runtime/series-file.js'
import type { AddedBars, NewBlock } from '../../src/tasks/bar-series.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
let pool: ComputePool
let runtime: TestRuntime
let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-import-'))
  bed = await openTestBed()
  pool = createComputePool({ threads: 1, clock: systemClock })
  runtime = await bed.open({ role: 'client', pool })
})
afterEach(async () => {
  await bed.close()
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

const KEY = { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h' }
const HOUR = 3_600_000
const START = Date.UTC(2024, 0, 30)

/** Bars number `from` to `to` of a series that begins two days before February; `price` decides the values. */
function file(from: number, to: number, price = 100): string {
  const rows = Array.from({ length: to - from }, (_, i) => `${START + (from + i) * HOUR},${price},${price + 2},${price - 2},${price + 1},5`)
  const path = join(folder, `bars-${from}-${to}-${price}.csv`)
  writeFileSync(path, ['time,open,high,low,close,volume', ...rows].join('\n'))
  return path
}

type Counts = Pick<AddedBars, 'added' | 'replaced' | 'same' | 'changed'>

async function add(path: string, replace = false): Promise<Counts> {
  const { added, replaced, same, changed } = await runtime.backend.series.add(KEY, readSeriesFile(pool, path, KEY.timeframe), replace)
  return { added, replaced, same, changed }
}

const months = (): Promise<{ month: string; bars: number }[]> => bed.sql('select month, bars from series_blocks order by month')

test('a second file adds what is new, replaces what differs, and the whole is checked', async () => {
  expect(await add(file(0, 100))).toEqual({ added: 100, replaced: 0, same: 0, changed: ['2024-01', '2024-02'] })
  expect(await add(file(0, 100))).toEqual({ added: 0, replaced: 0, same: 100, changed: [] })
  expect(await add(file(90, 110, 200), true)).toEqual({ added: 10, replaced: 10, same: 0, changed: ['2024-02'] })
  expect(await add(file(200, 210))).toEqual({ added: 10, replaced: 0, same: 0, changed: ['2024-02'] })
  expect(await months()).toEqual([{ month: '2024-01', bars: 48 }, { month: '2024-02', bars: 72 }])
  const quality = await runtime.backend.series.check(KEY)
  expect(quality).toMatchObject({ timeframe: '1h', bars: 120, gaps: { count: 1, missing_bars: 90 }, partial_last_bar: false, repaired: 0 })
  expect(await bed.sql('select quality from bar_series')).toEqual([{ quality }])
})

test('series are listed and shown with their months', async () => {
  const { series } = runtime.backend
  await add(file(0, 100))
  const quality = await series.check(KEY)
  const [listed] = await series.list()
  expect(listed).toEqual(await series.show(KEY))
  expect(listed).toMatchObject({ ...KEY, bars: 100, first_time: '2024-01-30T00:00:00.000Z', last_time: '2024-02-03T03:00:00.000Z', quality, months: [
    { month: '2024-01', bars: 48, last_time: '2024-01-31T23:00:00.000Z' }, { month: '2024-02', bars: 52, first_time: '2024-02-01T00:00:00.000Z' },
  ] })
  await expect(series.show({ ...KEY, timeframe: '2h' })).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
})

test('two imports of one month at the same time lose no bar', async () => {
  await add(file(0, 10))
  const added = await Promise.all([add(file(50, 60)), add(file(60, 70)), add(file(70, 80))])
  expect(added.map((one) => one.added)).toEqual([10, 10, 10])
  expect(await months()).toEqual([{ month: '2024-01', bars: 10 }, { month: '2024-02', bars: 30 }].map(({ month, bars }) => ({ month, bars })))
})

test('two blocks of one month in one call are both put in', async () => {
  const [first, second] = [readSeriesFile(pool, file(48, 60), '1h'), readSeriesFile(pool, file(70, 80), '1h')]
  async function* both(): AsyncGenerator<readonly NewBlock[]> {
    yield* first.months
    yield* second.months
  }
  await add(file(100, 110))
  const added = await runtime.backend.series.add(KEY, { ...first, months: both() })
  expect(added).toMatchObject({ added: 22, replaced: 0, same: 0 })
  expect(await months()).toEqual([{ month: '2024-02', bars: 32 }])
})

test('repair fills gaps within and between months, keeps their marks, and real bars take their place', async () => {
  const { series } = runtime.backend
  await add(file(0, 40))
  await add(file(60, 70, 200))
  await add(file(72, 100, 200))
  const { filled, quality } = await series.repair(KEY)
  expect(filled).toBe(22)
  expect(quality).toMatchObject({ bars: 100, repaired: 22, gaps: { count: 0 }, zero_volume: { bars: 0 }, repaired_ranges: [
    { from: START + 40 * HOUR, to: START + 59 * HOUR }, { from: START + 70 * HOUR, to: START + 71 * HOUR },
  ] })
  expect(await months()).toEqual([{ month: '2024-01', bars: 48 }, { month: '2024-02', bars: 52 }])
  expect((await series.repair(KEY)).filled).toBe(0)
  expect(await add(file(50, 71, 150), true)).toMatchObject({ added: 0, replaced: 21 })
  expect(await series.check(KEY)).toMatchObject({ repaired: 11, repaired_ranges: [{ from: START + 40 * HOUR, to: START + 49 * HOUR }, { from: START + 71 * HOUR, to: START + 71 * HOUR }] })
})

test('a file that is wrong at its end adds nothing, though its first months were stored on the way', async () => {
  const path = file(0, 24 * 90)
  appendFileSync(path, '\n1800000000000,1,2,3,4,5')
  await expect(add(path)).rejects.toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining('line 2162 (row 2161)') as string })
  expect(await months()).toEqual([])
  await expect(runtime.backend.series.show(KEY)).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
  expect(await add(file(0, 24 * 90))).toMatchObject({ added: 24 * 90, changed: ['2024-01', '2024-02', '2024-03', '2024-04'] })
  expect(await bed.sql('select count(*)::int as n from bar_blocks')).toEqual([{ n: 4 }])
})

test('a reading waits for whoever takes its months, and ends when they stop', async () => {
  const path = join(folder, 'long.csv')
  // 80 MB of blocks: more than a reading is ahead by.
  writeFileSync(path, Array.from({ length: 1_700_000 }, (_, i) => `${1_500_000_000 + i * 60},1,1,1,1,1\n`).join(''))
  const reading = readSeriesFile(pool, path, '1m')
  for await (const some of reading.months) {
    expect(some.length).toBeGreaterThan(0)
    break
  }
  await expect(reading.facts).rejects.toMatchObject({ code: 'TASK_CANCELLED' })
  const again = readSeriesFile(pool, path, '1m')
  let bars = 0
  for await (const some of again.months) bars += some.reduce((sum, one) => sum + one.bars, 0)
  expect(await again.facts).toMatchObject({ bars, months: 40 })
  expect(bars).toBe(1_700_000)
})

test('what does not fit is refused before anything is stored', async () => {
  await expect(readSeriesFile(pool, file(0, 100), '1m').facts).rejects.toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining('most of its bars are 1h apart') as string })
  writeFileSync(join(folder, 'empty.csv'), '')
  await expect(readSeriesFile(pool, join(folder, 'empty.csv'), '1h').facts).rejects.toMatchObject({ code: 'DATA_EMPTY' })
  await expect(readSeriesFile(pool, join(folder, 'nowhere.csv'), '1h').begun).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  await expect(runtime.backend.series.check(KEY)).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
})
