/** One table in every format: CSV is what the others are compared with, and memory does not grow with the table. */
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import type { TableFormat } from '../../../src/base/table-format.js'
import { csvCells } from '../../../workers/csv-cells.js'
import { tableEncoder } from '../../../workers/table-encoder.js'
import type { TableBatch, TableColumn } from '../../../workers/table.js'

const COLUMNS: readonly TableColumn[] = [
  { name: 'bar', type: 'int' }, { name: 'index', type: 'long' }, { name: 'time', type: 'time' }, { name: 'price', type: 'double' }, { name: 'a, "b"', type: 'text' },
]

async function written(format: TableFormat, batches: readonly TableBatch[], columns = COLUMNS): Promise<Buffer[]> {
  const parts: Buffer[] = []
  const encoder = await tableEncoder(format, columns, (bytes) => { parts.push(Buffer.from(bytes)) })
  for (const batch of batches) {
    encoder.add(batch)
    await encoder.flush()
  }
  await encoder.end()
  return parts
}

async function parquet(batches: readonly TableBatch[]): Promise<Record<string, unknown>[]> {
  const bytes = Buffer.concat(await written({ kind: 'parquet', gzip: false }, batches))
  return parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer })
}

const row = fc.tuple(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -(2 ** 53), max: 2 ** 53 }), fc.integer({ min: 0, max: 4e12 }),
  fc.oneof(fc.double(), fc.constant(Number.NaN)), fc.string(),
)
const batch = fc.array(row, { maxLength: 6 }).map((rows): TableBatch => ({
  length: rows.length, values: [0, 1, 2, 3].map((column) => Float64Array.from(rows, (one) => one[column] as number) as Float64Array | string[]).concat([rows.map((one) => one[4])]),
}))

test('CSV, JSON and Parquet hold the same values, and gzip the same text', async () => {
  await fc.assert(fc.asyncProperty(fc.array(batch, { maxLength: 4 }), async (batches) => {
    const csv = Buffer.concat(await written({ kind: 'csv', gzip: false }, batches)).toString()
    const [header, ...rows] = csvCells(csv)
    expect(header).toEqual(COLUMNS.map(({ name }) => name))
    expect(rows).toHaveLength(batches.reduce((sum, { length }) => sum + length, 0))
    expect(gunzipSync(Buffer.concat(await written({ kind: 'csv', gzip: true }, batches))).toString()).toBe(csv)
    const cell = (value: unknown): string => (value === null || value === undefined ? '' : value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value as number | string | bigint))
    const objects = await parquet(batches)
    expect(objects.map((one) => COLUMNS.map(({ name }) => cell(one[name])))).toEqual(rows)
    for (const { price } of objects) expect(price === null || Number.isFinite(price)).toBe(true)
    const json = JSON.parse(Buffer.concat(await written({ kind: 'json', gzip: false }, batches)).toString()) as Record<string, unknown>[]
    expect(json.map((one) => COLUMNS.map(({ name }) => cell(one[name])))).toEqual(rows)
  }), { numRuns: 60 })
})

test('a large table is written in row groups of bounded size, handed on as they are full, each column of its type', async () => {
  const rows = 500_000
  const columns: TableColumn[] = [{ name: 'trial', type: 'int' }, { name: 'x', type: 'double' }, { name: 'at', type: 'time' }, { name: 'side', type: 'text' }]
  const size = 50_000
  const batches = Array.from({ length: rows / size }, (_, part): TableBatch => {
    const column = Float64Array.from({ length: size }, (__, i) => part * size + i)
    return { length: size, values: [column, column.map((value) => value / 3), column.map((value) => value * 1000), Array.from(column, () => 'long')] }
  })
  const parts = await written({ kind: 'parquet', gzip: false }, batches, columns)
  const bytes = Buffer.concat(parts)
  const { row_groups: groups, schema, num_rows: count } = parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
  expect(Number(count)).toBe(rows)
  expect(groups.map(({ num_rows: some }) => Number(some))).toEqual([262_144, 237_856])
  expect(parts).toHaveLength(groups.length + 1)
  expect(schema.slice(1).map(({ name, type, converted_type: converted }) => [name, type, converted])).toEqual([
    ['trial', 'INT32', undefined], ['x', 'DOUBLE', undefined], ['at', 'INT64', 'TIMESTAMP_MILLIS'], ['side', 'BYTE_ARRAY', 'UTF8'],
  ])
})

test('a table without rows is one in every format', async () => {
  expect(Buffer.concat(await written({ kind: 'csv', gzip: false }, [])).toString()).toBe('bar,index,time,price,"a, ""b"""\n')
  expect(Buffer.concat(await written({ kind: 'json', gzip: false }, [])).toString()).toBe('[]\n')
  expect(await parquet([])).toEqual([])
})
