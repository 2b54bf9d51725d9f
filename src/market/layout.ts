/**
 * Bars in memory: one SharedArrayBuffer holds a small msgpack header and then the columns, 8-byte aligned.
 *
 * `attachBars` makes views and copies nothing, so every thread sees the same bytes. Columns are read-only by
 * agreement: nobody writes to a frame after `createBars`. No `node:` import, because the engine uses this file.
 *
 * Frame: bytes 0-2 "SWB", byte 3 the format version, bytes 4-7 header length (little-endian), header, padding, columns.
 */
import { Unpackr } from 'msgpackr'
import { SweepmillError } from '../base/errors.js'

/** Columns of equal length; `time` is the start of the bar in milliseconds since 1970, UTC. */
export interface BarColumns {
  readonly length: number
  readonly time: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array
  readonly adjclose?: Float64Array
}

export interface BarsMeta {
  /** Where the bars came from: a file name, or exchange and symbol. */
  readonly source: string
  readonly symbol?: string
  readonly timeframe?: string
  readonly warnings: readonly string[]
}

export interface Bars extends BarColumns {
  readonly buffer: SharedArrayBuffer
  /** SHA-256 of the columns' content, hexadecimal. */
  readonly hash: string
  readonly meta: BarsMeta
  readonly sizeBytes: number
}

export type ColumnName = 'time' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'adjclose'

/** The stated order: of columns in a frame, in a block, and of the bytes under the content hash. */
export const COLUMN_NAMES: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close', 'volume', 'adjclose']

export const FRAME_MAGIC = [0x53, 0x57, 0x42] as const
export const FRAME_VERSION = 1
export const FRAME_HEADER_AT = 8

export interface FrameHeader {
  readonly length: number
  readonly hash: string
  readonly meta: BarsMeta
  readonly columns: readonly ColumnName[]
}

export function alignTo8(bytes: number): number {
  return (bytes + 7) & ~7
}

const unpackr = new Unpackr({ useRecords: false })

export interface FrameLayout {
  readonly header: FrameHeader
  /** Byte of the first column. */
  readonly dataAt: number
}

/** What stands before the columns. Throws DATA_FORMAT for anything that is not a whole frame of a known version. */
export function frameLayout(buffer: SharedArrayBuffer): FrameLayout {
  const bytes = new Uint8Array(buffer)
  if (bytes.length < FRAME_HEADER_AT || FRAME_MAGIC.some((byte, i) => bytes[i] !== byte)) throw unreadable('it does not begin as one')
  if (bytes[3] !== FRAME_VERSION) throw unreadable(`its version is ${String(bytes[3])}, this program reads ${FRAME_VERSION}`)
  const headerBytes = new DataView(buffer).getUint32(4, true)
  const dataAt = alignTo8(FRAME_HEADER_AT + headerBytes)
  if (dataAt > bytes.length) throw unreadable('its header is cut off')
  let header: FrameHeader
  try {
    // A copy: msgpackr decodes strings with TextDecoder, which refuses shared memory.
    header = unpackr.unpack(bytes.slice(FRAME_HEADER_AT, FRAME_HEADER_AT + headerBytes)) as FrameHeader ?? {}
  } catch (cause) {
    throw unreadable('its header does not decode', cause)
  }
  const { length } = header
  const names: readonly ColumnName[] = header.columns ?? []
  if (!Number.isInteger(length) || names.length < 6 || names.some((name) => !COLUMN_NAMES.includes(name))
    || dataAt + names.length * length * 8 !== bytes.length) throw unreadable('its header does not fit its size')
  return { header, dataAt }
}

/** Views over a frame. Throws as `frameLayout` does. */
export function attachBars(buffer: SharedArrayBuffer): Bars {
  const { header, dataAt } = frameLayout(buffer)
  const { length, columns: names } = header
  const views: Partial<Record<ColumnName, Float64Array>> = {}
  names.forEach((name, i) => { views[name] = new Float64Array(buffer, dataAt + i * length * 8, length) })
  const { time, open, high, low, close, volume, adjclose } = views
  if (time === undefined || open === undefined || high === undefined || low === undefined || close === undefined || volume === undefined) {
    throw unreadable('a column is missing')
  }
  return {
    length, time, open, high, low, close, volume, ...(adjclose === undefined ? {} : { adjclose }),
    buffer, hash: header.hash, meta: header.meta, sizeBytes: buffer.byteLength,
  }
}

function unreadable(why: string, cause?: unknown): SweepmillError {
  return new SweepmillError('DATA_FORMAT', `These bytes are not a frame of bars: ${why}.`, { cause })
}
