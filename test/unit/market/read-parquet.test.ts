/** A Parquet file that does not agree with itself is refused with the place of the fault, and before work that its size does not bear out. */
import { parquetMetadata } from 'hyparquet'
import type { FileMetaData } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { ColumnSource } from 'hyparquet-writer'
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { expect, test } from 'vitest'
import type { SweepmillError } from '../../../src/base/errors.js'
import { decodeRuns } from '../../../src/market/parquet-runs.js'
import { readParquet } from '../../../src/market/read-parquet.js'
import { endOfStruct } from '../../../src/market/thrift-struct.js'

const COUNT = 500
const MAGIC = 0x31524150
const prices = Array.from({ length: COUNT }, (_, i) => 100 + (i % 40) / 4)
const column = (name: string, more: Partial<ColumnSource> = {}): ColumnSource => ({ name, data: prices, type: 'DOUBLE', ...more })
const file = parquetWriteBuffer({
  columnData: [{ name: 'time', data: prices.map((_, i) => new Date(Date.UTC(2024, 0, 1 + i))), type: 'TIMESTAMP' }, column('open'), column('high'), column('low'), column('close'), column('volume')],
  rowGroupSize: 200,
})

type Group = FileMetaData['row_groups'][number]
type Meta = NonNullable<Group['columns'][number]['meta_data']>

/** The same pages under other metadata. */
function saying(change: (metadata: FileMetaData) => void): ArrayBuffer {
  const metadata = parquetMetadata(file)
  const writer = new ByteWriter()
  writer.appendBytes(new Uint8Array(file, 0, file.byteLength - 8 - metadata.metadata_length))
  change(metadata)
  // The writer has types of another version of the reader.
  writeMetadata(writer, metadata as never)
  writer.appendUint32(MAGIC)
  return new Uint8Array(writer.getBytes()).buffer
}

async function outcome(bytes: ArrayBuffer): Promise<string> {
  try {
    return `${(await readParquet(bytes, 'x.parquet')).columns.length} bars`
  } catch (error) {
    const { code, message } = error as SweepmillError
    return `${code} ${message}`
  }
}

const meta = ({ row_groups: groups }: FileMetaData, group: number, name: string): Meta => {
  const found = groups[group]?.columns.find(({ meta_data: one }) => one?.path_in_schema[0] === name)?.meta_data
  if (found === undefined) throw new Error('no such column')
  return found
}

function moved(one: Meta, bytes: bigint): void {
  one.data_page_offset += bytes
  if (one.dictionary_page_offset !== undefined) one.dictionary_page_offset += bytes
}

test('the file itself is read, also under metadata that were written anew', async () => {
  const { columns } = await readParquet(file, 'x.parquet')
  expect([columns.length, ...columns.close.subarray(0, 3)]).toEqual([COUNT, 100, 100.25, 100.5])
  expect((await readParquet(saying(() => undefined), 'x.parquet')).columns.length).toBe(COUNT)
})

test.each<readonly [what: string, change: (metadata: FileMetaData) => void, sentence: RegExp]>([
  ['fewer rows in all', (all) => { all.num_rows = 244n }, /its 3 row groups have 500 rows, and it says 244/],
  ['more rows in all', (all) => { all.num_rows = 501n }, /row groups have 500 rows, and it says 501/],
  ['a row group less', (all) => { all.row_groups.pop() }, /its 2 row groups have 400 rows, and it says 500/],
  ['a negative count', (all) => { all.row_groups[1]!.num_rows = -200n }, /row group 2 says that it has -200 rows/],
  ['fewer rows in a group and in all', (all) => { all.row_groups[1]!.num_rows = 150n; all.num_rows = 450n }, /row group 2, column "time", cannot .* 200 values for 150 rows/],
  ['fewer rows in a group, its columns and in all', (all) => {
    all.row_groups[2]!.num_rows = 60n
    all.num_rows = 460n
    for (const { meta_data: one } of all.row_groups[2]!.columns) one!.num_values = 60n
  }, /row group 3, column "time", cannot .* page of 100 values stands where 60 rows are left/],
  ['more rows in a group, its columns and in all', (all) => {
    all.row_groups[0]!.num_rows = 300n
    all.num_rows = 600n
    for (const { meta_data: one } of all.row_groups[0]!.columns) one!.num_values = 300n
  }, /row group 1, column "time", cannot .* its pages have 200 values for 300 rows/],
  ['fewer values in one column', (all) => { meta(all, 1, 'close').num_values = 199n }, /row group 2, column "close", cannot .* 199 values for 200 rows/],
  ['more rows than it can have', (all) => { all.num_rows = 400_000_000n; all.row_groups[0]!.num_rows = 399_999_700n }, /says that it has 400000000 rows, which do not fit/],
  ['a column that is missing', (all) => { all.row_groups[2]!.columns.splice(3, 1) }, /row group 3 has 5 columns, and the schema 6/],
  ['a column at another place', (all) => { moved(meta(all, 1, 'low'), 8n) }, /row group 2, column "low", cannot be read/],
  ['a column outside of the file', (all) => { moved(meta(all, 2, 'volume'), 10_000_000n) }, /row group 3, column "volume", .* are not in the file/],
  ['a longer column', (all) => { meta(all, 0, 'open').total_compressed_size += 9n }, /row group 1, column/],
  ['a shorter column', (all) => { meta(all, 0, 'open').total_compressed_size -= 9n }, /row group 1, column "open", cannot/],
  ['two groups over the same bytes', (all) => { all.row_groups[1] = all.row_groups[0]! }, /row group 2, column "time", .* shares its bytes with another column/],
  ['another codec', (all) => { meta(all, 1, 'high').codec = 'GZIP' }, /row group 2, column "high", cannot be read/],
  ['another type', (all) => { meta(all, 1, 'high').type = 'INT64' }, /row group 2, column "high", .* is of the type INT64, and the schema says DOUBLE/],
  ['another greatest value', (all) => { meta(all, 1, 'high').statistics!.max_value = 101 }, /row group 2, column "high", .* is not between its least value 100 and its greatest 101/],
])('%s is refused', async (_what, change, sentence) => {
  expect(await outcome(saying(change))).toMatch(sentence)
})

test('a column that the schema names otherwise than the row groups do is not one that is not there', async () => {
  const bytes = Buffer.from(file.slice(0))
  bytes[bytes.indexOf('volume')] = 'w'.charCodeAt(0)
  expect(await outcome(new Uint8Array(bytes).buffer)).toMatch(/column 6 of row group 1 is not the one of the schema, \["wolume"\]/)
})

test('a file that was cut off is refused wherever the cut is', async () => {
  for (let bytes = 0; bytes < file.byteLength; bytes += 97) {
    expect(await outcome(file.slice(0, bytes))).toMatch(/^DATA_FORMAT x\.parquet/)
  }
})

/** One page of a time column, of these header fields, in a file of otherwise nothing. */
function onePage(header: object, body: Uint8Array, codec: Meta['codec'], rows: number): ArrayBuffer {
  const metadata = parquetMetadata(file)
  const writer = new ByteWriter()
  writer.appendUint32(MAGIC)
  writePageHeader(writer, header as never)
  writer.appendBytes(body)
  const [group] = metadata.row_groups
  const one = { ...metadata, num_rows: BigInt(rows), row_groups: [{ ...group!, num_rows: BigInt(rows) }] }
  for (const { meta_data: each } of one.row_groups[0]!.columns) Object.assign(each!, { data_page_offset: 4n, dictionary_page_offset: undefined, total_compressed_size: BigInt(writer.offset - 4), num_values: BigInt(rows), codec })
  writeMetadata(writer, one as never)
  writer.appendUint32(MAGIC)
  return new Uint8Array(writer.getBytes()).buffer
}

const head = (count: number): object => ({ num_values: count, num_nulls: 0, num_rows: count, encoding: 'PLAIN', definition_levels_byte_length: 0, repetition_levels_byte_length: 0, is_compressed: true })

/** Differences as a page has them: a head of three numbers, the first value, then blocks. */
const DELTA_HEAD = [0x80, 0x01, 0x04, 0x02]
test.each<readonly [what: string, bytes: readonly number[], sentence: RegExp]>([
  ['a first value without end', [...DELTA_HEAD, ...Array<number>(200_000).fill(0xff), 0x01], /a difference of a page has more than 64 bits/],
  ['a least difference without end', [...DELTA_HEAD, 0x00, ...Array<number>(200_000).fill(0xff), 0x01], /a difference of a page has more than 64 bits/],
  ['a head without end', Array<number>(200_000).fill(0x80), /a difference of a page has more than 64 bits/],
  ['differences of 255 bits', [...DELTA_HEAD, 0x00, 0x02, 255, 0, 0, 0, ...Array<number>(2000).fill(1)], /a difference of a page has 255 bits/],
  ['blocks of no whole words', [0x08, 0x04, 0x02, 0x00, 0x02, 1, 1, 1, 1, 0, 0, 0, 0], /the blocks of a page have an impossible size/],
  ['differences that end too soon', [...DELTA_HEAD, 0x00, 0x02, 64, 0, 0, 0], /the differences of a page end within a block/],
])('%s, where numbers are written as differences, is refused at once', async (_what, bytes, sentence) => {
  const header = { type: 'DATA_PAGE_V2', uncompressed_page_size: bytes.length, compressed_page_size: bytes.length, data_page_header_v2: { ...head(2), encoding: 'DELTA_BINARY_PACKED' } }
  expect(await outcome(onePage(header, Uint8Array.from(bytes), 'UNCOMPRESSED', 2))).toMatch(sentence)
})

test.each<readonly [what: string, header: object, sentence: RegExp]>([
  ['a page that unpacks to 2 GB', { type: 'DATA_PAGE_V2', uncompressed_page_size: 2 ** 31 - 1, compressed_page_size: 16, data_page_header_v2: head(2) }, /more than a thousand times of its size/],
  ['a page of a negative size', { type: 'DATA_PAGE_V2', uncompressed_page_size: 16, compressed_page_size: -16, data_page_header_v2: head(2) }, /a page of -16 bytes stands where/],
  ['a page longer than its column', { type: 'DATA_PAGE_V2', uncompressed_page_size: 16, compressed_page_size: 17, data_page_header_v2: head(2) }, /a page of 17 bytes stands where 16 are left/],
  ['a page of too many values', { type: 'DATA_PAGE_V2', uncompressed_page_size: 16, compressed_page_size: 16, data_page_header_v2: head(2 ** 30) }, /a page of 1073741824 values stands where 2 rows are left/],
  ['a page of too few values', { type: 'DATA_PAGE_V2', uncompressed_page_size: 16, compressed_page_size: 16, data_page_header_v2: head(1) }, /a page of 16 bytes cannot hold 1 values/],
  ['a page of a wrong checksum', { type: 'DATA_PAGE_V2', uncompressed_page_size: 16, compressed_page_size: 16, crc: 7, data_page_header_v2: head(2) }, /row group 1, column "time", .* the checksum of a page is wrong/],
  ['a page of no kind', { type: 'DATA_PAGE', uncompressed_page_size: 16, compressed_page_size: 16 }, /a page has no header of its kind/],
])('%s is refused', async (_what, header, sentence) => {
  expect(await outcome(onePage(header, new Uint8Array(16), 'UNCOMPRESSED', 2))).toMatch(sentence)
})

test('runs give exactly the values that are asked for', () => {
  // A run of 5 ones of one bit; 8 packed values of 3 bits, 0 to 7.
  expect([...decodeRuns(Uint8Array.of(10, 1), 1, 5)]).toEqual([1, 1, 1, 1, 1])
  expect([...decodeRuns(Uint8Array.of(3, 0b10001000, 0b11000110, 0b11111010), 3, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect([...decodeRuns(Uint8Array.of(3, 0b10001000, 0b11000110), 3, 5)]).toEqual([0, 1, 2, 3, 4])
  for (const [bytes, count] of [[[10, 1], 4], [[10, 1], 6], [[254, 255, 255, 255, 15, 1], 5], [[3, 1], 17], [[5, 1], 3], [[10, 3], 5], [[255, 255, 255, 255, 255, 255], 5]] as const) {
    expect(() => decodeRuns(Uint8Array.from(bytes), 1, count), bytes.join()).toThrow(/run/)
  }
})

test('a structure is walked over once, and one that never ends is none', () => {
  expect(endOfStruct(Uint8Array.of(0x15, 4, 0x18, 2, 65, 66, 0, 9), 0, 8)).toBe(7)
  const endless = new Uint8Array(1_000_000)
  for (const [what, bytes] of [
    ['a number of a million bytes', Uint8Array.from([0x16, ...endless.fill(0x80).subarray(0, 1000)])], ['structures without end', endless.slice().fill(0x1c)],
    ['lists without end', endless.slice().fill(0x19)], ['a list of 2^31', Uint8Array.of(0x19, 0xfc, 255, 255, 255, 255, 7, 0)], ['a long text', Uint8Array.of(0x18, 200, 1, 65)], ['no end', Uint8Array.of(0x15, 2)],
  ] as const) expect(() => endOfStruct(bytes, 0, bytes.length), what).toThrow()
})
