/**
 * Rows of finished trials and their bytes. A row is [index, parameters of the space…, SWEEP_METRICS…] as
 * float64, parameters by value. Every NaN has the one canonical bit pattern, so
 * that equal results are equal bytes.
 *
 * Bytes: 'S' 'R', format version (2; in 1 a choice was its position), 0, width as uint32 little-endian; then count × width float64 little-endian.
 */
import { SweepmillError } from '../../base/errors.js'

const VERSION = 2
const HEADER_BYTES = 8
const MAX_WIDTH = 4096

export interface TrialRows {
  /** Numbers a row: 1 + parameters + metrics. */
  readonly width: number
  readonly count: number
  /** Row-major, exactly count × width. */
  readonly rows: Float64Array
}

export function encodeTrialRows(rows: TrialRows): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + rows.rows.length * 8)
  const view = new DataView(bytes.buffer)
  bytes.set([0x53, 0x52, VERSION, 0])
  view.setUint32(4, rows.width, true)
  // A header of 8 bytes keeps the numbers aligned: on a little-endian machine this is one copy.
  if (isLittleEndian) new Float64Array(bytes.buffer, HEADER_BYTES).set(rows.rows)
  else rows.rows.forEach((value, k) => view.setFloat64(HEADER_BYTES + k * 8, value, true))
  canonicaliseNaN(bytes)
  return bytes
}

/** The bytes of consecutive parts of a range as those of the whole: what encodeTrialRows would have made of all rows at once. */
export function joinTrialRows(parts: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(), ...others] = parts
  if (others.length === 0) return first
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length - HEADER_BYTES, HEADER_BYTES))
  joined.set(first)
  let at = first.length
  for (const part of others) {
    joined.set(part.subarray(HEADER_BYTES), at)
    at += part.length - HEADER_BYTES
  }
  return joined
}

/** Throws MESSAGE_UNDECODABLE for anything that encodeTrialRows did not write. */
export function decodeTrialRows(bytes: Uint8Array): TrialRows {
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0x53 || bytes[1] !== 0x52) throw undecodable('they do not begin with the mark of trial rows')
  if (bytes[2] !== VERSION) throw undecodable(`their format version is ${bytes[2]}, this program reads version ${VERSION}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = view.getUint32(4, true)
  const numbers = (bytes.length - HEADER_BYTES) / 8
  if (width < 1 || width > MAX_WIDTH || !Number.isInteger(numbers / width)) throw undecodable(`${bytes.length} bytes are no whole number of rows of ${width} numbers`)
  const rows = new Float64Array(numbers)
  if (isLittleEndian) new Uint8Array(rows.buffer).set(bytes.subarray(HEADER_BYTES))
  else for (let k = 0; k < numbers; k++) rows[k] = view.getFloat64(HEADER_BYTES + k * 8, true)
  return { width, count: numbers / width, rows }
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** A machine may compute a NaN with any sign and payload; the bytes must not depend on which. */
function canonicaliseNaN(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer)
  for (let at = HEADER_BYTES; at < bytes.length; at += 8) {
    const high = view.getUint32(at + 4, true) & 0x7fffffff
    if (high > 0x7ff00000 || (high === 0x7ff00000 && view.getUint32(at, true) !== 0)) {
      view.setUint32(at, 0, true)
      view.setUint32(at + 4, 0x7ff80000, true)
    }
  }
}

function undecodable(why: string): SweepmillError {
  return new SweepmillError('MESSAGE_UNDECODABLE', `The bytes are not trial rows: ${why}.`)
}
