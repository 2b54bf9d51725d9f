/**
 * Small files of bars with flipped, cut, repeated and inserted bytes: the right bars or an error that says what is wrong, and nothing
 * between. FUZZ_CASES asks for more of each kind, FUZZ_SEED for others.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetMetadata } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { ColumnSource } from 'hyparquet-writer'
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { afterAll, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { seededRandom } from '../../src/base/random.js'
import { crc32, crc32ByTable } from '../../src/market/crc32.js'
import type { BarColumns } from '../../src/market/layout.js'
import { readBars } from '../../workers/bar-file.js'
import { zipped } from '../zipped.js'

const CASES = Number(process.env['FUZZ_CASES'] ?? 150)
const SEED = Number(process.env['FUZZ_SEED'] ?? 12)
const COUNT = 500
const START_MS = Date.UTC(2024, 0, 1)

const folder = mkdtempSync(join(tmpdir(), 'sweepmill-damaged-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

const closes = Array.from({ length: COUNT }, (_, i) => 100 + Math.round(Math.sin(i / 9) * 800) / 64 + (i % 7) / 8)
const rows = closes.map((close, i) => ({ time: START_MS + i * 60_000, open: close - 0.25, high: close + 1.5, low: close - 1.25, close, volume: (i * 37) % 101 }))
const csv = `time,open,high,low,close,volume\n${rows.map((row) => [new Date(row.time).toISOString(), row.open, row.high, row.low, row.close, row.volume].join(',')).join('\n')}\n`

type Codec = 'UNCOMPRESSED' | 'SNAPPY'

function parquet(codec: Codec): Uint8Array {
  const column = (name: 'open' | 'high' | 'low' | 'close' | 'volume', more: Partial<ColumnSource> = {}): ColumnSource => ({ name, data: rows.map((row) => row[name]), type: 'DOUBLE', ...more })
  return new Uint8Array(parquetWriteBuffer({
    columnData: [
      { name: 'time', data: rows.map(({ time }) => new Date(time)), type: 'TIMESTAMP', encoding: 'DELTA_BINARY_PACKED' },
      column('open'), column('high', { encoding: 'BYTE_STREAM_SPLIT' }), column('low'), column('close', { nullable: true }), column('volume'),
    ],
    codec, rowGroupSize: 200,
  }))
}

/** The same file with a checksum at each page, as Arrow writes it when it is asked to. */
function withPageChecksums(file: Uint8Array): Uint8Array {
  const metadata = parquetMetadata(file)
  const writer = new ByteWriter()
  writer.appendUint32(0x31524150)
  for (const group of metadata.row_groups) {
    for (const { meta_data: meta } of group.columns) {
      if (meta === undefined) continue
      const from = Number(meta.dictionary_page_offset ?? meta.data_page_offset)
      const end = from + Number(meta.total_compressed_size)
      const start = writer.offset
      delete meta.dictionary_page_offset
      for (let at = from; at < end;) {
        const reader = { view: new DataView(file.buffer, file.byteOffset, file.byteLength), offset: at }
        const header = parquetHeader(reader)
        const body = file.subarray(reader.offset, reader.offset + header.compressed_page_size)
        at = reader.offset + header.compressed_page_size
        if (header.type === 'DICTIONARY_PAGE') meta.dictionary_page_offset = BigInt(writer.offset)
        else meta.data_page_offset = BigInt(writer.offset)
        // The writer has types of another version of the reader.
        writePageHeader(writer, { ...header, crc: crc32(body) | 0 } as never)
        writer.appendBytes(body)
      }
      meta.total_compressed_size = BigInt(writer.offset - start)
    }
  }
  writeMetadata(writer, metadata as never)
  writer.appendUint32(0x31524150)
  return new Uint8Array(writer.getBytes())
}

function damaged(bytes: Uint8Array, random: { next(): number }, tail: number): Uint8Array {
  const below = (count: number): number => Math.floor(random.next() * count)
  // Half of the faults fall into the part that says how the rest is to be read.
  const place = (): number => (random.next() < 0.5 ? below(bytes.length) : bytes.length - 1 - below(Math.min(bytes.length, tail)))
  const [from, length] = [place(), 1 + below(40)]
  const slice = bytes.slice(from, from + length)
  const spliced = (middle: Uint8Array, skip: number): Uint8Array => new Uint8Array(Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(from + skip)]))
  switch (below(7)) {
    case 0: return bytes.slice(0, from)
    case 1: return spliced(new Uint8Array(), length)
    case 2: return spliced(Buffer.concat([slice, slice]), length)
    case 3: return spliced(new Uint8Array(length).map(() => below(256)), 0)
    case 4: return new Uint8Array(Buffer.concat([bytes, bytes.subarray(from)]))
    default: {
      const changed = bytes.slice()
      for (let i = 1 + below(2); i > 0; i -= 1) {
        const at = place()
        changed[at] = below(2) === 0 ? changed[at]! ^ (1 << below(8)) : below(256)
      }
      return changed
    }
  }
}

async function read(bytes: Uint8Array): Promise<BarColumns | SweepmillError> {
  const file = join(folder, 'x')
  writeFileSync(file, bytes)
  try {
    return (await readBars(file, 'x')).columns
  } catch (error) {
    if (error instanceof SweepmillError) return error
    throw error
  }
}

const asText = ({ time, open, high, low, close, volume }: BarColumns): string => [time, open, high, low, close, volume].map((column) => column.join()).join('\n')

interface Kind {
  readonly bytes: Uint8Array
  /** Bytes at the end that say how the rest is to be read. */
  readonly tail: number
  /** Whether every change of the content can be seen, or only one of how much there is. */
  readonly checked: boolean
}

const KINDS: Readonly<Record<string, Kind>> = {
  gzip: { bytes: gzipSync(csv), tail: 40, checked: true },
  zip: { bytes: zipped({ 'x.csv': csv }), tail: 120, checked: true },
  'Parquet with checksums': { bytes: withPageChecksums(parquet('UNCOMPRESSED')), tail: 2500, checked: true },
  'Snappy with checksums': { bytes: withPageChecksums(parquet('SNAPPY')), tail: 2500, checked: true },
  Parquet: { bytes: parquet('UNCOMPRESSED'), tail: 2500, checked: false },
  Snappy: { bytes: parquet('SNAPPY'), tail: 2500, checked: false },
}

test.each(Object.entries(KINDS))('%s: the right bars or an error', async (name, { bytes, tail, checked }) => {
  const random = seededRandom(SEED)
  const whole = await read(bytes)
  if (whole instanceof SweepmillError) throw whole
  expect(whole.length).toBe(COUNT)
  const right = asText(whole)
  const before = process.resourceUsage().maxRSS
  let refused = 0
  for (let i = 0; i < CASES; i += 1) {
    const found = await read(damaged(bytes, random, tail))
    const say = `${name}, seed ${SEED}, case ${i}`
    if (found instanceof SweepmillError) {
      refused += 1
      expect(found.code, say).toMatch(/^DATA_/)
      expect(found.message, say).toContain('x')
    } else if (checked) expect(asText(found) === right, say).toBe(true)
    else expect(found.length, say).toBe(COUNT)
  }
  expect(refused).toBeGreaterThan(CASES / 4)
  // In KiB. None of them asked for more room than a few times its size.
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(600_000)
})

test('CSV: bars or an error, and never more bars', async () => {
  const random = seededRandom(SEED)
  const bytes = Buffer.from(csv)
  for (let i = 0; i < CASES; i += 1) {
    const found = await read(damaged(bytes, random, 100))
    if (found instanceof SweepmillError) expect(found.code).toMatch(/^DATA_/)
    else expect(found.length).toBeLessThanOrEqual(COUNT + 1)
  }
})

test('both ways to a CRC are one', () => {
  const bytes = Buffer.from(csv)
  expect(crc32(bytes)).toBe(crc32ByTable(bytes))
  expect(crc32ByTable(bytes.subarray(100), crc32ByTable(bytes.subarray(0, 100)))).toBe(crc32(bytes))
})
