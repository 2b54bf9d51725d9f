/** Every kind of file through a thread: the same bars, whatever they were packed in; what is damaged is refused by name. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { ColumnSource } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { parseCsv } from '../../src/market/read-csv.js'
import type { Reading } from '../../src/market/reading.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { prepare } from '../../src/runtime/submission.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { zipped } from '../zipped.js'

const HOUR = 3_600_000
const START = Date.UTC(2024, 0, 1)
const COUNT = 3000
const rows = Array.from({ length: COUNT }, (_, i) => {
  const open = 100 + (i % 17) / 8
  return { time: START + i * HOUR, open, high: open + 1.5, low: open - 1.25, close: open + 0.5, volume: i % 9 }
})
/** As Binance has it: no header, twelve fields, microseconds. */
const dump = rows.map((row) => [row.time * 1000, row.open, row.high, row.low, row.close, row.volume, (row.time + HOUR) * 1000 - 1, 1, 2, 3, 4, 0].join(',')).join('\n')
const { hash } = parseCsv(Buffer.from(dump), 'dump.csv')

let folder: string
let pool: ComputePool
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-files-'))
  pool = createComputePool({ threads: 1, clock: systemClock })
})
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Parsed { readonly data_hash: string; readonly bars: number; readonly warnings: string[] }

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function parse(name: string, bytes: Uint8Array | string, reading?: Reading): Promise<Parsed> {
  const file = write(name, bytes)
  const reply = await pool.run({ step: 'parse_bars', input: { file, source: name, reading }, priority: 'high', divisible: false, userCode: false })
  return JSON.parse(reply.json) as Parsed
}

async function notes(name: string): Promise<string[]> {
  const reply = await pool.run({ step: 'read_series_file', input: { file: join(folder, name), source: name, timeframe: '1h' }, priority: 'high', divisible: false, userCode: false })
  return (JSON.parse(reply.json) as { notes: string[] }).notes
}

describe('what a file does not say', () => {
  const tickers = (name: string): string => rows.slice(0, 50).map((row) => [name, new Date(row.time).toISOString(), row.open, row.high, row.low, row.close, name === 'A' ? 1 : 2].join(';')).join('\n')
  const both = `Kürzel;Zeit;open;high;low;close;volume\n${tickers('A')}\n${tickers('B')}\n`
  const reading: Reading = { columns: { time: 'Zeit', ticker: 'Kürzel' } }

  test('is said to a CSV in any pack, and refused for Parquet', async () => {
    const { data_hash: wanted } = await parse('b.csv', `time;open;high;low;close;volume\n${tickers('B').replaceAll('B;', '')}\n`)
    for (const [name, bytes] of [['both.csv', both], ['both.csv.gz', gzipSync(both)], ['both.zip', zipped({ 'both.csv': both })]] as const) {
      expect((await parse(name, bytes, { ...reading, ticker: 'B' })).data_hash).toBe(wanted)
      await expect(parse(name, bytes, reading)).rejects.toMatchObject({ code: 'DATA_FORMAT', details: { tickers: ['A', 'B'] } })
      await expect(parse(name, bytes, { tickers: 'A' } as Reading)).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path: 'reading.tickers' } })
    }
    const parquet = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'time', data: [START], type: 'DOUBLE' }] }))
    await expect(parse('x.parquet', parquet, { ticker: 'A' })).rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('reading.ticker (--ticker)') as string })
  })

  test('a spec says it for all of its files, and for one of them', async () => {
    const file = write('both.csv', both)
    const spec = (json: object): Promise<Awaited<ReturnType<typeof prepare>>> => prepare({ taskType: TaskType.BACKTEST, data: { strategy: { name: 'buy-and-hold' }, ...json }, roots: null }, { pool, clock: systemClock, strategyDir: null })
    const alone = await spec({ file, reading: { ...reading, ticker: 'A' } })
    expect(alone.bars?.dataset.bars).toBe(50)
    expect(alone.data).toMatchObject({ file, reading: { ticker: 'A', columns: { time: 'Zeit', ticker: 'Kürzel' } } })
    const portfolio = await spec({ symbols: ['A', 'B'].map((symbol) => ({ symbol, file, reading: { ticker: symbol } })), reading })
    expect(portfolio.data).toMatchObject({ data_parts: [50, 50], symbols: [{ symbol: 'A', reading: { ticker: 'A' } }, { symbol: 'B' }] })
    await expect(spec({ file, reading: { ...reading, ticker: 'C' } })).rejects.toMatchObject({ code: 'DATA_EMPTY' })
    await expect(spec({ file, reading: { date_fromat: 'dmy' } })).rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('did you mean "date_format"') as string })
    await expect(spec({ symbol: 'A', timeframe: '1h', reading })).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path: 'reading' } })
  })
})

describe('CSV in a pack', () => {
  test('plain, gzip and zip hold the same bars', async () => {
    expect((await parse('dump.csv', dump)).data_hash).toBe(hash)
    expect((await parse('dump.csv.gz', gzipSync(dump))).data_hash).toBe(hash)
    expect((await parse('dump.zip', zipped({ 'dump.csv': dump }))).data_hash).toBe(hash)
    expect((await parse('mac.zip', zipped({ 'dump.csv': dump, '__MACOSX/._dump.csv': 'x' }))).data_hash).toBe(hash)
  })

  test('larger than the pieces it is read in', async () => {
    const long = Array.from({ length: 60_000 }, (_, i) => `${START + i * 60_000},1.5,2.5,1.25,2,${i}`).join('\n')
    const whole = parseCsv(Buffer.from(long), 'long.csv').hash
    expect(long.length).toBeGreaterThan(1.5 * 2 ** 20)
    expect((await parse('long.csv', long)).data_hash).toBe(whole)
    expect((await parse('long.csv.gz', gzipSync(long))).data_hash).toBe(whole)
  })

  test('a wrong row is named by its line inside', async () => {
    const wrong = dump.split('\n').with(1999, 'nonsense').join('\n')
    await expect(parse('wrong.csv.gz', gzipSync(wrong))).rejects.toMatchObject({ code: 'DATA_INVALID', details: { line: 2000 } })
    await expect(parse('wrong.zip', zipped({ 'in.csv': wrong }))).rejects.toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining('wrong.zip/in.csv, line 2000') as string })
  })

  test.each([
    ['a gzip cut off', 'cut.csv.gz', () => gzipSync(dump).subarray(0, 9000)],
    ['a gzip with a byte changed', 'changed.csv.gz', () => { const bytes = gzipSync(dump); bytes[5000]! ^= 0xff; return bytes }],
    ['a zip cut off', 'cut.zip', () => zipped({ 'in.csv': dump }).subarray(0, 9000)],
    ['a zip with a wrong CRC', 'crc.zip', () => zipped({ 'in.csv': dump }, 12345)],
  ])('%s is damaged', async (_, name, bytes) => {
    await expect(parse(name, bytes())).rejects.toMatchObject({ code: 'DATA_FORMAT', message: expect.stringContaining('Fetch it again') as string })
  })

  test('a zip of several files or of none', async () => {
    await expect(parse('two.zip', zipped({ 'a.csv': dump, 'b.csv': dump }))).rejects.toMatchObject({ code: 'DATA_FORMAT', message: expect.stringContaining('holds 2 files: a.csv, b.csv') as string })
    await expect(parse('none.zip', zipped({ 'folder/': '' }))).rejects.toMatchObject({ code: 'DATA_FORMAT', message: expect.stringContaining('no file') as string })
  })

  test('a file without line ends is no CSV', async () => {
    await expect(parse('noise.csv', `time,open${'x'.repeat(3 * 2 ** 20)}`)).rejects.toMatchObject({ code: 'DATA_FORMAT' })
    await expect(parse('noise.bin', new Uint8Array(3 * 2 ** 20))).rejects.toMatchObject({ code: 'DATA_FORMAT', message: expect.stringContaining('not text') as string })
  })
})

describe('checksum', () => {
  const bytes = zipped({ 'dump.csv': dump })
  const digest = createHash('sha256').update(bytes).digest('hex')

  test('is verified where it lies beside the file, and missed beside a zip', async () => {
    write('sum.zip.CHECKSUM', `${digest}  sum.zip\n`)
    expect((await parse('sum.zip', bytes)).data_hash).toBe(hash)
    expect(await notes('sum.zip')).toEqual(['sum.zip is what its checksum file says.'])
    await parse('alone.zip', bytes)
    expect((await notes('alone.zip')).join()).toContain('There is no alone.zip.CHECKSUM')
  })

  test('that does not agree, or says nothing of the file, is an error', async () => {
    write('other.zip.CHECKSUM', `${'0'.repeat(64)}  other.zip\n`)
    await expect(parse('other.zip', bytes)).rejects.toMatchObject({ code: 'DATA_CHECKSUM', details: { found: digest } })
    write('silent.zip.CHECKSUM', '<html>not found</html>')
    await expect(parse('silent.zip', bytes)).rejects.toMatchObject({ code: 'DATA_CHECKSUM' })
  })
})

describe('Parquet', () => {
  const column = (name: string, data: ColumnSource['data'], type?: ColumnSource['type']): ColumnSource => ({ name, data, ...(type === undefined ? {} : { type }) })
  const prices = (['open', 'high', 'low', 'close', 'volume'] as const).map((name) => column(name, rows.map((row) => row[name]), 'DOUBLE'))
  const file = (time: ColumnSource, others = prices, rowGroupSize?: number): Uint8Array =>
    new Uint8Array(parquetWriteBuffer({ columnData: [...others, time], ...(rowGroupSize === undefined ? {} : { rowGroupSize }) }))

  test.each([
    ['milliseconds', column('open_time', rows.map(({ time }) => BigInt(time)), 'INT64')],
    ['microseconds', column('time', rows.map(({ time }) => BigInt(time) * 1000n), 'INT64')],
    ['nanoseconds', column('timestamp', rows.map(({ time }) => BigInt(time) * 1_000_000n), 'INT64')],
    ['timestamps', column('date', rows.map(({ time }) => new Date(time)), 'TIMESTAMP')],
    ['texts', column('Datetime', rows.map(({ time }) => new Date(time).toISOString()), 'STRING')],
    ['the index of pandas', column('__index_level_0__', rows.map(({ time }) => new Date(time)), 'TIMESTAMP')],
  ])('times as %s', async (name, time) => {
    expect(await parse(`${name}.parquet`, file(time))).toMatchObject({ data_hash: hash, bars: COUNT, warnings: [] })
  })

  const time = column('time', rows.map(({ time }) => BigInt(time)), 'INT64')

  test('many row groups, integers as prices, no volume, newest first', async () => {
    expect((await parse('groups.parquet', file(time, prices, 100))).data_hash).toBe(hash)
    const whole = (['open', 'high', 'low', 'close'] as const).map((name) => column(name, rows.map(() => 7), 'INT32'))
    expect(await parse('whole.parquet', file(time, whole))).toMatchObject({ bars: COUNT, warnings: [expect.stringContaining('no volume')] })
    const back = [...prices, time].map(({ name, data, type }) => column(name, [...data as number[]].toReversed(), type))
    expect(await parse('back.parquet', new Uint8Array(parquetWriteBuffer({ columnData: back })))).toMatchObject({ data_hash: hash, warnings: [expect.stringContaining('turned round')] })
  })

  test('several tickers are refused by their names, and of two columns of one meaning the left one is named', async () => {
    const ticker = (names: readonly string[]): ColumnSource => column('symbol', rows.map((_, i) => names[i % names.length]), 'STRING')
    expect(await parse('one.parquet', file(time, [...prices, ticker(['A'])], 700))).toMatchObject({ data_hash: hash, warnings: [] })
    await expect(parse('several.parquet', file(time, [...prices, ticker(['B', 'A', 'C'])], 700))).rejects.toMatchObject({ code: 'DATA_FORMAT', message: expect.stringContaining('several tickers: B, A, C. Write those of one ticker') as string })
    const two = column('timestamp', rows.map((row) => BigInt(row.time + HOUR)), 'INT64')
    const opened = column('timeOpen', rows.map((row) => BigInt(row.time)), 'INT64')
    expect(await parse('two.parquet', file(opened, [...prices, two]))).toMatchObject({ data_hash: hash, warnings: [expect.stringContaining('"timeOpen" is taken and "timestamp" left') as string] })
    const digits = column('time', rows.map((row) => BigInt(new Date(row.time).toISOString().replaceAll(/\D/g, ''))), 'INT64')
    expect(await parse('digits.parquet', file(digits))).toMatchObject({ data_hash: hash })
  })

  test('what is wrong is named by its row or column', async () => {
    const withClose = (close: unknown[]): Uint8Array => file(time, [...prices.filter(({ name }) => name !== 'close'), column('close', close, 'DOUBLE')])
    const closes = rows.map(({ close }): number | null => close)
    await expect(parse('null.parquet', withClose(closes.with(1233, null)))).rejects.toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining('row 1234 has nothing as close') as string })
    await expect(parse('high.parquet', withClose(closes.with(1233, 9999)))).rejects.toMatchObject({ code: 'DATA_INVALID', details: { row: 1234, column: 'high' } })
    await expect(parse('order.parquet', file(column('time', rows.map(({ time }, i) => BigInt(i === 5 ? START : time)), 'INT64')))).rejects.toMatchObject({ code: 'DATA_ORDER', details: { row: 6 } })
    await expect(parse('late.parquet', file(column('time', rows.map(({ time }, i) => new Date(i === 5 ? 8.64e15 : time)), 'TIMESTAMP')))).rejects.toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining('row 6 has 8640000000000000 as time') as string })
    await expect(parse('lacking.parquet', file(time, prices.slice(1)))).rejects.toMatchObject({ code: 'DATA_FORMAT', message: expect.stringMatching(/"high", "low".*none for open/) as string })
    const bytes = file(time)
    await expect(parse('cut.parquet', bytes.subarray(0, bytes.length - 500))).rejects.toMatchObject({ code: 'DATA_FORMAT' })
    await expect(parse('changed.parquet', bytes.map((byte, i) => (i > 5000 && i < 5100 ? byte ^ 0xff : byte)))).rejects.toMatchObject({ code: expect.stringMatching(/DATA_/) as string })
  })
})
