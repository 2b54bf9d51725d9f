/** No import destroys a series: bars with other values are refused, every change is a revision, and there is a way back. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { readSeriesFile } from '../../src/runtime/series-file.js'
import type { AddedBars, SeriesFile } from '../../src/tasks/bar-series.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
let pool: ComputePool
let runtime: TestRuntime
let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-revisions-'))
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

let written = 0
/** Bars number `from` to `to` of a series that begins two days before February. */
function file(from: number, to: number, price = 100, volume = 5): SeriesFile {
  written += 1
  const path = join(folder, `f${written}.csv`)
  const rows = Array.from({ length: to - from }, (_, i) => `${START + (from + i) * HOUR},${price},${price + 2},${price - 2},${price + 1},${volume}`)
  writeFileSync(path, ['time,open,high,low,close,volume', ...rows].join('\n'))
  return readSeriesFile(pool, path, KEY.timeframe)
}

async function* files(...all: (() => SeriesFile)[]): AsyncGenerator<SeriesFile> {
  for (const one of all) yield one()
}

function add(file: SeriesFile | AsyncIterable<SeriesFile>, replace = false): Promise<AddedBars> {
  return runtime.backend.series.add(KEY, file, replace)
}

const blocks = async (): Promise<string[]> => (await bed.sql<{ b: string }>("select month || ' ' || block_hash as b from series_blocks order by 1")).map(({ b }) => b)
const revisions = async (): Promise<unknown[][]> => (await runtime.backend.series.history(KEY)).map((one) => [one.revision, one.kind, one.bars, one.added, one.replaced, one.current])

test('bars that differ from stored ones are refused with their count and the first side by side, and change nothing', async () => {
  await add(file(0, 100))
  const before = await blocks()
  await expect(add(file(40, 120, 200))).rejects.toMatchObject({
    code: 'DATA_CONFLICT', details: { series: 'bybit/BTCUSDT/1h', count: 60, example: { time: '2024-01-31T16:00:00.000Z', stored: { close: 101 }, incoming: { close: 201 } } },
    message: expect.stringMatching(/would change 60 bars of bybit\/BTCUSDT\/1h .*open is 100 and 200 in f\d+\.csv.*--replace/) as string,
  })
  // Volume is a value too.
  await expect(add(file(99, 101, 100, 6))).rejects.toMatchObject({ code: 'DATA_CONFLICT', details: { count: 1 }, message: expect.stringContaining('volume is 5 and 6') as string })
  expect(await blocks()).toEqual(before)
  expect(await revisions()).toEqual([[1, 'import', 100, 100, 0, true]])
  expect(await add(file(40, 120, 200), true)).toMatchObject({ added: 20, replaced: 60, revision: 2 })
})

test('what is equal is neither refused nor a revision', async () => {
  await add(file(0, 100))
  expect(await add(file(0, 100))).toMatchObject({ added: 0, replaced: 0, same: 100, revision: null })
  expect(await add(file(30, 60))).toMatchObject({ same: 30, revision: null })
  expect(await add(files(() => file(90, 110), () => file(100, 120)))).toMatchObject({ added: 20, same: 20, revision: 2, files: [{ added: 10, same: 10 }, { added: 10, same: 10 }] })
  expect(await revisions()).toEqual([[2, 'import', 120, 20, 0, true], [1, 'import', 100, 100, 0, false]])
  await add(files(...[120, 121, 122, 123].map((from) => () => file(from, from + 1))))
  expect((await runtime.backend.series.history(KEY)).map(({ source }) => source.replaceAll(/\d+\.csv/g, 'N.csv'))).toEqual(['fN.csv to fN.csv (4 files)', 'fN.csv, fN.csv', 'fN.csv'])
})

test('files of two instruments in one import: the second is refused, and nothing of the first is stored', async () => {
  await expect(add(files(() => file(0, 100), () => file(50, 150, 7)))).rejects.toMatchObject({ code: 'DATA_CONFLICT', details: { count: 50 }, message: expect.stringContaining('or in a file before it') as string })
  expect(await blocks()).toEqual([])
  expect(await runtime.backend.series.list()).toEqual([])
  await expect(runtime.backend.series.show(KEY)).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
  expect(await add(files(() => file(0, 100), () => file(50, 150, 7)), true)).toMatchObject({ added: 150, replaced: 50, revision: 1 })
})

test('the same bars under another stamp are refused, with --replace too, from the store as from a file before', async () => {
  const half = HOUR / 4
  await add(file(0, 100))
  const before = await blocks()
  const shifted = (from: number, to: number): SeriesFile => file(from + half / HOUR, to + half / HOUR)
  for (const replace of [false, true]) {
    await expect(add(shifted(90, 130), replace)).rejects.toMatchObject({
      code: 'DATA_CONFLICT', details: { count: 10, example: { stored: '2024-02-02T18:00:00.000Z', incoming: '2024-02-02T18:15:00.000Z' } },
      message: expect.stringMatching(/has 10 bars of bybit\/BTCUSDT\/1h under another time than the store: .* 15 minutes after .*series remove/) as string,
    })
  }
  await expect(add(files(() => file(100, 120), () => shifted(118, 125)))).rejects.toMatchObject({ details: { count: 2 }, message: expect.stringContaining('a file before it') as string })
  expect(await blocks()).toEqual(before)
  // What only goes on at another minute is another session.
  expect(await add(shifted(100, 110))).toMatchObject({ added: 10 })
})

test('of two imports at the same time that differ, the later is refused', async () => {
  const both = await Promise.allSettled([add(file(0, 60)), add(file(40, 100, 200))])
  const refused = both.find((one) => one.status === 'rejected')
  expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(refused?.reason).toMatchObject({ code: 'DATA_CONFLICT', details: { count: 20 } })
  expect(await revisions()).toEqual([[1, 'import', 60, 60, 0, true]])
})

test('a last bar that was not finished and bars that were made up are replaced by anybody', async () => {
  const { series } = runtime.backend
  const now = new Date()
  const open = Math.floor(now.getTime() / HOUR) - START / HOUR
  await add(file(open - 20, open + 1))
  expect(await series.check(KEY)).toMatchObject({ partial_last_bar: true })
  // The bar before it was whole.
  await expect(add(file(open - 1, open + 2, 200))).rejects.toMatchObject({ details: { count: 1 } })
  expect(await add(file(open, open + 2, 200))).toMatchObject({ added: 1, replaced: 1 })
  await add(file(open - 50, open - 30))
  await series.repair(KEY)
  expect(await add(file(open - 30, open - 25, 300))).toMatchObject({ added: 0, replaced: 5 })
  expect((await series.history(KEY)).map(({ kind }) => kind)).toEqual(['import', 'repair', 'import', 'import', 'import'])
})

test('a restore brings back blocks and marks byte by byte, is a revision itself, and can be taken back', async () => {
  const { series } = runtime.backend
  await add(file(0, 40))
  await add(file(60, 100))
  await series.repair(KEY)
  const repaired = await blocks()
  const quality = await series.check(KEY)
  expect(quality.repaired).toBe(20)
  await add(file(20, 200, 300), true)
  await series.check(KEY)
  const wrong = await blocks()
  expect(await series.restore(KEY, 3)).toEqual({ revision: 5, bars: 100, months_changed: 2 })
  expect(await blocks()).toEqual(repaired)
  expect(await series.check(KEY)).toEqual(quality)
  expect(await series.restore(KEY, 4)).toMatchObject({ revision: 6, bars: 200 })
  expect(await blocks()).toEqual(wrong)
  expect(await series.restore(KEY, 1)).toMatchObject({ revision: 7, bars: 40, months_changed: 2 })
  expect((await series.history(KEY)).map(({ revision, kind, source, bars, restorable }) => [revision, kind, source, bars, restorable]).slice(0, 3)).toEqual([
    [7, 'restore', 'revision 1', 40, true], [6, 'restore', 'revision 4', 200, true], [5, 'restore', 'revision 3', 100, true],
  ])
  await expect(series.restore(KEY, 8)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND', message: expect.stringContaining('it has 1 to 7') as string })
})

test('a restore of what is there already changes nothing', async () => {
  await add(file(0, 100))
  await add(file(0, 100, 200), true)
  expect(await runtime.backend.series.restore(KEY, 2)).toEqual({ revision: 2, bars: 100, months_changed: 0 })
  expect(await revisions()).toHaveLength(2)
})

test.each([
  ['import', ['import', 'again.csv', '--exchange', 'bybit', '--symbol', 'BTCUSDT', '--timeframe', '1h', '--replace']],
  ['restore', ['series', 'restore', 'bybit/BTCUSDT/1h', '--revision', '1']], ['removal', ['series', 'remove', 'bybit/BTCUSDT/1h']],
])('an %s that is killed in its middle has changed nothing, and is repeated as it is', async (_, args) => {
  await add(file(0, 100))
  await add(file(0, 100, 200), true)
  const [before, history] = [await blocks(), await revisions()]
  writeFileSync(join(folder, 'again.csv'), ['time,open,high,low,close,volume', ...Array.from({ length: 100 }, (__, i) => `${START + i * HOUR},7,7,7,7,7`)].join('\n'))
  const command = [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), ...args]
  const options = { cwd: folder, env: { ...process.env, ...bed.environment, WORKER_THREADS: '1' }, stdio: 'ignore' } as const
  // The first month is written when the second one is waited for.
  await bed.sql('begin')
  await bed.sql("select 1 from series_blocks where month = '2024-02' for update")
  const child = spawn(process.execPath, command, options)
  const ended = once(child, 'exit')
  await eventually('it waits for the month', async () => (await bed.sql('select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))')).length > 0)
  child.kill('SIGKILL')
  await ended
  await bed.sql('rollback')
  expect([await blocks(), await revisions()]).toEqual([before, history])
  expect(await once(spawn(process.execPath, command, options), 'exit')).toEqual([0, null])
  expect(await revisions()).toHaveLength(3)
})

test('a removed series is none for anybody, its tasks keep their bars, and it can be restored', async () => {
  const { series } = runtime.backend
  const whole = file(0, 1000)
  await add(whole)
  await series.check(KEY)
  const spec = { symbol: 'BTCUSDT', timeframe: '1h', strategy: { name: 'sma-cross', params: { fast: 3, slow: 8 } } }
  const { taskId } = await runtime.backend.submit({ taskType: TaskType.BACKTEST, data: spec, roots: null })
  const before = await blocks()
  expect(await series.remove(KEY)).toEqual({ revision: 2, bars: 0, months_changed: 3 })
  expect(await series.list()).toEqual([])
  for (const refused of ['show', 'check', 'repair', 'remove'] as const) {
    await expect(series[refused](KEY)).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND', message: expect.stringContaining('series history') as string })
  }
  await expect(runtime.backend.submit({ taskType: TaskType.BACKTEST, data: spec, roots: null })).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND' })
  const worker = await bed.open()
  await worker.start()
  expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'completed', result: { bars: 1000 } })
  expect(await series.restore(KEY, 1)).toMatchObject({ revision: 3, bars: 1000 })
  expect(await blocks()).toEqual(before)
})

test('a revision whose blocks a cleanup took is told as that, and nothing of it is restored', async () => {
  const { series } = runtime.backend
  await add(file(0, 100))
  await add(file(0, 100, 200), true)
  const after = await blocks()
  await bed.sql("delete from bar_blocks where month = '2024-02' and block_hash not in (select block_hash from series_blocks)")
  expect((await series.history(KEY)).map(({ revision, restorable }) => [revision, restorable])).toEqual([[2, true], [1, false]])
  await expect(series.restore(KEY, 1)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND', message: expect.stringContaining('a cleanup has removed its bars of 2024-02') as string })
  expect(await blocks()).toEqual(after)
  expect(await revisions()).toHaveLength(2)
})

test('imports, a restore and a removal at the same time each are whole, and the history is without a gap', async () => {
  await add(file(0, 50))
  const { series } = runtime.backend
  const all = await Promise.allSettled([add(file(50, 60)), add(file(60, 70)), series.restore(KEY, 1), series.remove(KEY), add(file(70, 80))])
  expect(all.filter(({ status }) => status === 'rejected')).toEqual([])
  const history = await series.history(KEY)
  expect(history.map(({ revision }) => revision)).toEqual(history.map((_, i) => history.length - i))
  const [{ bars } = { bars: -1 }] = history
  expect(await bed.sql('select coalesce(sum(bars), 0)::int as n from series_blocks')).toEqual([{ n: bars }])
  for (const { revision, bars: then } of history.toReversed()) expect(await series.restore(KEY, revision)).toMatchObject({ bars: then })
})

test('a symbol that is not stored is told with what is', async () => {
  await add(file(0, 10))
  const other = { ...KEY, timeframe: '1d' }
  const { series } = runtime.backend
  for (const refused of [() => series.history(other), () => series.restore(other, 1), () => series.remove(other)]) {
    await expect(refused()).rejects.toMatchObject({ code: 'SERIES_NOT_FOUND', message: expect.stringContaining('Stored are bybit/BTCUSDT/1h') as string })
  }
})

test('a series that is older than its history begins with what it is', async () => {
  await add(file(0, 100))
  const before = await blocks()
  const [, up = '', down = ''] = readFileSync(join(packageRoot, 'src', 'store', 'migrations', '0010_series_revisions.sql'), 'utf8').split(/-- (?:Up|Down) Migration/)
  await bed.sql(down)
  await bed.sql(up)
  await add(file(0, 100, 200), true)
  expect(await revisions()).toEqual([[2, 'import', 100, 0, 100, true], [1, 'found', 100, 100, 0, false]])
  await runtime.backend.series.restore(KEY, 1)
  expect(await blocks()).toEqual(before)
})
