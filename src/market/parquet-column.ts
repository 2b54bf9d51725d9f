/**
 * One column of one row group of a Parquet file: its pages, one after the other, to values.
 *
 * hyparquet decodes a page and believes its header; here nothing is believed that the bytes do not bear out. Pages fill their
 * column to the last byte and give exactly its rows, values fill their page, runs and indices stay within what there is,
 * a checksum is verified where the writer gave one, and nothing is made room for that the file's size does not allow.
 */
import type { DataPageHeader, DecodedArray, Encoding, PageHeader } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { convert } from 'hyparquet/src/convert.js'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { crc32 } from './crc32.js'
import { assertDeltas } from './parquet-deltas.js'
import { decodeRuns, WIDEST_BITS } from './parquet-runs.js'
import { endOfStruct } from './thrift-struct.js'

export type ColumnDecoder = Parameters<typeof convert>[1]

/** What a file may unpack to, all pages together: a thousand times of its bytes, which no bars come near to. */
export class UnpackAllowance {
  #left: number

  constructor(fileBytes: number) {
    this.#left = mostUnpackedBytes(fileBytes)
  }

  spend(bytes: number): void {
    this.#left -= bytes
    if (!(bytes >= 0 && this.#left >= 0)) throw new Error('it says that it unpacks to more than a thousand times of its size')
  }
}

export function mostUnpackedBytes(fileBytes: number): number {
  return 2 ** 24 + 1000 * fileBytes
}

/** The values of each data page, with the row of the first. Throws an Error with what does not agree. */
export function readChunk(chunk: ArrayBuffer, rows: number, decoder: ColumnDecoder, allowance: UnpackAllowance, take: (values: DecodedArray, from: number) => void): void {
  const bytes = new Uint8Array(chunk)
  const view = new DataView(chunk)
  let dictionary: DecodedArray | null = null
  let seen = 0
  for (let at = 0; at < bytes.length;) {
    const from = endOfStruct(bytes, at, bytes.length)
    const header = parquetHeader({ view, offset: at })
    const size = header.compressed_page_size
    if (!(size >= 0 && size <= bytes.length - from)) throw new Error(`a page of ${size} bytes stands where ${bytes.length - from} are left`)
    const body = bytes.subarray(from, from + size)
    at = from + size
    if (header.crc !== undefined && crc32(body) !== header.crc >>> 0) throw new Error('the checksum of a page is wrong')
    if (header.type === 'DICTIONARY_PAGE') {
      if (dictionary !== null || seen > 0) throw new Error('its dictionary stands at a wrong place')
      dictionary = dictionaryOf(body, header, decoder, allowance)
    } else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
      const values = header.type === 'DATA_PAGE' ? valuesOfV1(body, header, rows - seen, dictionary, decoder, allowance) : valuesOfV2(body, header, rows - seen, dictionary, decoder, allowance)
      take(values, seen)
      seen += values.length
    } else if (header.type !== 'INDEX_PAGE') throw new Error('a page is of an unknown kind')
  }
  if (seen !== rows) throw new Error(`its pages have ${seen} values for ${rows} rows`)
}

function unpacked(body: Uint8Array, size: number, { codec, compressors }: ColumnDecoder, allowance: UnpackAllowance): Uint8Array {
  allowance.spend(size)
  if (codec === 'UNCOMPRESSED' && body.length !== size) throw new Error(`a page has ${body.length} bytes and says ${size}`)
  return size === 0 ? new Uint8Array() : decompressPage(body, size, codec, compressors)
}

function dictionaryOf(body: Uint8Array, header: PageHeader, decoder: ColumnDecoder, allowance: UnpackAllowance): DecodedArray {
  const { num_values: count } = present(header.dictionary_page_header)
  const page = unpacked(body, header.uncompressed_page_size, decoder, allowance)
  return convert(plainValues(page, count, decoder), decoder)
}

function valuesOfV1(body: Uint8Array, header: PageHeader, left: number, dictionary: DecodedArray | null, decoder: ColumnDecoder, allowance: UnpackAllowance): DecodedArray {
  const { num_values: count, encoding, definition_level_encoding: levels } = present(header.data_page_header as DataPageHeader | undefined)
  checkCount(count, left)
  const page = unpacked(body, header.uncompressed_page_size, decoder, allowance)
  if (isRequired(decoder)) return decoded(page, encoding, count, dictionary, decoder)
  if (levels !== 'RLE') throw new Error(`its levels are written as ${levels}, which is not read`)
  const levelBytes = page.length < 4 ? Number.NaN : new DataView(page.buffer, page.byteOffset).getUint32(0, true)
  if (!(levelBytes <= page.length - 4)) throw new Error('the levels of a page are longer than the page')
  const defined = decodeRuns(page.subarray(4, 4 + levelBytes), 1, count)
  return withNulls(decoded(page.subarray(4 + levelBytes), encoding, ones(defined), dictionary, decoder), defined)
}

function valuesOfV2(body: Uint8Array, header: PageHeader, left: number, dictionary: DecodedArray | null, decoder: ColumnDecoder, allowance: UnpackAllowance): DecodedArray {
  const head = present(header.data_page_header_v2)
  const { num_values: count, num_nulls: nulls, num_rows: rows, encoding, definition_levels_byte_length: levelBytes } = head
  checkCount(count, left)
  if (rows !== count) throw new Error(`a page has ${count} values for ${rows} rows`)
  if (!(levelBytes >= 0 && levelBytes <= body.length) || head.repetition_levels_byte_length !== 0) throw new Error('the levels of a page are longer than the page')
  const size = header.uncompressed_page_size - levelBytes
  const rest = body.subarray(levelBytes)
  const page = unpacked(rest, size, head.is_compressed === false ? { ...decoder, codec: 'UNCOMPRESSED' } : decoder, allowance)
  const defined = levelBytes > 0 && !isRequired(decoder) ? decodeRuns(body.subarray(0, levelBytes), 1, count) : null
  const there = defined === null ? count : ones(defined)
  if (nulls !== count - there) throw new Error(`a page says that ${nulls} of its values are missing, and ${count - there} are`)
  const values = decoded(page, encoding, there, dictionary, decoder)
  return defined === null ? values : withNulls(values, defined)
}

function present<T>(header: T | undefined): T {
  if (header === undefined) throw new Error('a page has no header of its kind')
  return header
}

function checkCount(count: number, left: number): void {
  if (!(count >= 0 && count <= left)) throw new Error(`a page of ${count} values stands where ${left} rows are left`)
}

function isRequired({ element }: ColumnDecoder): boolean {
  return element.repetition_type === 'REQUIRED'
}

function ones(levels: Int32Array): number {
  let count = 0
  for (const level of levels) count += level
  return count
}

function withNulls(values: DecodedArray, defined: Int32Array): DecodedArray {
  if (values.length === defined.length) return values
  let at = 0
  return Array.from(defined, (level) => {
    if (level === 0) return null
    at += 1
    return values[at - 1] as unknown
  })
}

function decoded(page: Uint8Array, encoding: Encoding, count: number, dictionary: DecodedArray | null, decoder: ColumnDecoder): DecodedArray {
  if (encoding !== 'PLAIN_DICTIONARY' && encoding !== 'RLE_DICTIONARY') return convert(written(page, encoding, count, decoder), decoder)
  if (count === 0) return []
  if (dictionary === null) throw new Error('its dictionary is missing')
  const width = page[0] ?? Number.NaN
  if (!(width <= WIDEST_BITS)) throw new Error(`the indices of a page have ${width} bits`)
  const indices = decodeRuns(page.subarray(1), width, count)
  const values: DecodedArray = dictionary instanceof Float64Array ? new Float64Array(count) : Array.from<unknown>({ length: count })
  for (let i = 0; i < count; i += 1) {
    const index = indices[i]!
    if (index >= dictionary.length) throw new Error(`index ${index} is not in its dictionary of ${dictionary.length} values`)
    values[i] = dictionary[index] as never
  }
  return values
}

/** Bytes of one value, where all have as many. */
function widthOf({ type, element }: ColumnDecoder): number | null {
  switch (type) {
    case 'INT32': case 'FLOAT': return 4
    case 'INT64': case 'DOUBLE': return 8
    case 'INT96': return 12
    case 'FIXED_LEN_BYTE_ARRAY': return element.type_length ?? 0
    case 'BYTE_ARRAY': return null
    case 'BOOLEAN':
    default: throw new Error(`it is of the type ${type}, which is no number and no time`)
  }
}

function readerOf(page: Uint8Array): { view: DataView; offset: number } {
  return { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 }
}

function plainValues(page: Uint8Array, count: number, decoder: ColumnDecoder): DecodedArray {
  const width = widthOf(decoder)
  // A text has four bytes for its length.
  if (width === null ? !(count * 4 <= page.length) : count * width !== page.length || width === 0) throw new Error(`a page of ${page.length} bytes cannot hold ${count} values`)
  if (width === null) return texts(page, count)
  return readPlain(readerOf(page) as Parameters<typeof readPlain>[0], decoder.type, count, decoder.element.type_length)
}

function texts(page: Uint8Array, count: number): DecodedArray {
  const { view } = readerOf(page)
  let at = 0
  const values = Array.from({ length: count }, () => {
    const length = view.getUint32(at, true)
    if (length > page.length - at - 4) throw new Error('a text is longer than its page')
    at += 4 + length
    return page.subarray(at - length, at)
  })
  if (at !== page.length) throw new Error(`a page of ${page.length} bytes has ${count} values in ${at}`)
  return values
}

function written(page: Uint8Array, encoding: Encoding, count: number, decoder: ColumnDecoder): DecodedArray {
  const reader = readerOf(page) as Parameters<typeof readPlain>[0]
  if (encoding === 'PLAIN') return plainValues(page, count, decoder)
  if (encoding === 'BYTE_STREAM_SPLIT') {
    const width = widthOf(decoder)
    if (width === null || count * width !== page.length) throw new Error(`a page of ${page.length} bytes cannot hold ${count} values`)
    return byteStreamSplit(reader, count, decoder.type, decoder.element.type_length)
  }
  if (encoding === 'DELTA_BINARY_PACKED') {
    if (decoder.type === 'INT32') return deltas(reader, count, new Int32Array(count))
    if (decoder.type === 'INT64') return deltas(reader, count, new BigInt64Array(count))
  }
  if (decoder.type === 'BYTE_ARRAY' && (encoding === 'DELTA_LENGTH_BYTE_ARRAY' || encoding === 'DELTA_BYTE_ARRAY')) return deltaTexts(page, encoding === 'DELTA_BYTE_ARRAY', count)
  throw new Error(`it is written as ${encoding}, which is not read`)
}

function deltas<T extends Int32Array | BigInt64Array>(reader: Parameters<typeof readPlain>[0], count: number, into: T): T {
  if (count === 0) return into
  assertDeltas(reader.view, reader.offset, count, into instanceof Int32Array ? 32 : 64)
  deltaBinaryUnpack(reader, count, into)
  return into
}

/** Texts behind their lengths; with `share`, each begins with a part of the one before. */
function deltaTexts(page: Uint8Array, share: boolean, count: number): DecodedArray {
  const reader = readerOf(page) as Parameters<typeof readPlain>[0]
  const shared = share ? deltas(reader, count, new Int32Array(count)) : new Int32Array(count)
  const lengths = deltas(reader, count, new Int32Array(count))
  let at = reader.offset
  // A time has about 30 characters: shared beginnings must not multiply without end.
  let room = page.length + 64 * count
  let before: Uint8Array = new Uint8Array()
  return Array.from({ length: count }, (_, i) => {
    const [begin, length] = [shared[i]!, lengths[i]!]
    if (!(begin >= 0 && begin <= before.length && length >= 0 && length <= page.length - at)) throw new Error('a text is longer than its page')
    room -= begin + length
    if (room < 0) throw new Error('its texts are longer than any time or number')
    const text = new Uint8Array(begin + length)
    text.set(before.subarray(0, begin))
    text.set(page.subarray(at, at + length), begin)
    at += length
    before = text
    return text
  })
}
