/** Tables of tasks and series as files: the same values in every format, and a series that is read again is the same bars. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ByteSink, TableFormat } from '../../src/base/table-format.js'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { readSeriesFile } from '../../src/runtime/series-file.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const CSV: TableFormat = { kind: 'csv', gzip: false }
const PARQUET: TableFormat = { kind: 'parquet', gzip: false }
const PACKED: TableFormat = { kind: 'csv', gzip: true }
const HOUR = 3_600_000
const START = Date.UTC(2024, 0, 30)
const KEY = { exchange: 'x', symbol: 'ETH', timeframe: '1h' }

let bed: TestBed
let pool: ComputePool
let runtime: TestRuntime
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-exports-'))
  bed = await openTestBed()
  pool = createComputePool({ threads: 1, clock: systemClock })
  runtime = await bed.open({ pool })
  await runtime.start()
  await runtime.backend.series.add(KEY, readSeriesFile(pool, bars('bars.csv', 0, 3000), '1h'))
  await runtime.backend.series.check(KEY)
})
afterAll(async () => {
  await bed.close()
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

function bars(name: string, from: number, to: number, more: (i: number) => string = () => ''): string {
  const rows = Array.from({ length: to - from }, (_, k) => {
    const i = from + k
    const price = 100 + 10 * Math.sin(i / 9) + i / 7
    return `${START + i * HOUR},${price},${price * 1.01},${price / 1.01},${price + 0.1},${i / 3}${more(i)}`
  })
  const path = join(folder, name)
  writeFileSync(path, [`time,open,high,low,close,volume${more(0) === '' ? '' : ',adjclose'}`, ...rows].join('\n'))
  return path
}

async function written(fill: (write: ByteSink) => Promise<unknown>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  await fill((bytes) => { parts.push(bytes); return Promise.resolve() })
  return Buffer.concat(parts)
}

/** Cells as the CSV has them. */
async function cells(parquet: Buffer): Promise<string[]> {
  const rows = await parquetReadObjects({ file: parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.length) as ArrayBuffer })
  const cell = (value: unknown): string => (value === null || value === undefined ? '' : value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value as number | string | bigint))
  return [Object.keys(rows[0] ?? {}).join(','), ...rows.map((row) => Object.values(row).map(cell).join(','))]
}

const lines = (csv: Buffer): string[] => csv.toString().trimEnd().split('\n')

test.each([['s.csv', CSV], ['s.csv.gz', PACKED], ['s.parquet', PARQUET]] as const)('a series that was written to %s and is read again is block for block the same', async (name, format) => {
  const { series } = runtime.backend
  const path = join(folder, name)
  writeFileSync(path, await written(async (write) => { expect(await series.export(KEY, format, write)).toEqual({ bars: 3000, notes: [] }) }))
  const again = { ...KEY, symbol: name }
  await series.add(again, readSeriesFile(pool, path, '1h'))
  expect((await series.show(again)).months).toEqual((await series.show(KEY)).months)
  expect(await series.add(KEY, readSeriesFile(pool, path, '1h'))).toMatchObject({ same: 3000, revision: null })
})

test('adjclose goes along where all months have it; an unfinished last bar and marks of repair are told', async () => {
  const { series } = runtime.backend
  const key = { ...KEY, symbol: 'ADJ' }
  await series.add(key, readSeriesFile(pool, bars('a.csv', 0, 40, (i) => `,${i + 1}`), '1h'))
  const [header, first] = lines(await written((write) => series.export(key, CSV, write)))
  expect([header, first?.split(',').at(-1)]).toEqual(['time,open,high,low,close,volume,adjclose', '1'])
  const open = Math.floor(systemClock.wallMs() / HOUR) - START / HOUR
  await series.add(key, readSeriesFile(pool, bars('b.csv', open - 5, open + 1), '1h'))
  await series.add(key, readSeriesFile(pool, bars('c.csv', open - 9, open - 6), '1h'))
  await series.repair(key)
  let told
  const all = lines(await written(async (write) => { told = await series.export(key, CSV, write) }))
  expect(told).toEqual({ bars: 40 + 9, notes: [expect.stringMatching(/^The last bar .* was not finished/), '1 bar was made up by --repair; the file does not tell which.', 'Not all months have adjclose, so the file has none.'] })
  expect([all.length, all[0]]).toEqual([1 + 49, 'time,open,high,low,close,volume'])
})

test('trials, trades and equity are the same in CSV, gzip and Parquet', async () => {
  const { backend } = runtime
  const spec = { symbol: 'ETH', timeframe: '1h', exchange: 'x' }
  const sweep = await backend.submit({ taskType: TaskType.OPTIMIZATION, roots: null, data: { ...spec, strategy: { name: 'sma-cross' }, space: { fast: { min: 2, max: 30, step: 1 }, slow: { min: 5, max: 60, step: 5 } }, constraint: 'fast < slow' } })
  const backtest = await backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { ...spec, strategy: { name: 'sma-cross', params: { fast: 3, slow: 12 } } } })
  expect([(await backend.wait(sweep.taskId)).status, (await backend.wait(backtest.taskId)).status]).toEqual(['completed', 'completed'])
  const trials = (format: TableFormat): Promise<Buffer> => written((write) => backend.exportTrials(sweep.taskId, write, format))
  const csv = await trials(CSV)
  expect(lines(csv)[0]).toMatch(/^trial,fast,slow,total_return,/)
  expect(lines(csv).length).toBeGreaterThan(200)
  expect(await cells(await trials(PARQUET))).toEqual(lines(csv))
  expect(gunzipSync(await trials(PACKED)).equals(csv)).toBe(true)
  for (const kind of ['trades', 'equity'] as const) {
    const table = (format: TableFormat): Promise<Buffer> => written((write) => backend.exportTable(backtest.taskId, kind, format, write))
    const text = await table(CSV)
    expect(Buffer.from(await backend.artifact(backtest.taskId, kind) ?? []).equals(text)).toBe(true)
    expect(lines(text).length).toBeGreaterThan(10)
    expect(await cells(await table(PARQUET))).toEqual(lines(text))
    expect(gunzipSync(await table(PACKED)).equals(text)).toBe(true)
  }
  expect(await backend.exportTable(sweep.taskId, 'equity', CSV, () => Promise.resolve())).toBe(true)
})

test('a file that cannot be written ends the export with its error, and leaves the thread to others', async () => {
  const full = (): Promise<void> => Promise.reject(new Error('the disk is full'))
  await expect(runtime.backend.series.export(KEY, CSV, full)).rejects.toThrow('the disk is full')
  expect(lines(await written((write) => runtime.backend.series.export(KEY, CSV, write)))).toHaveLength(3001)
})
