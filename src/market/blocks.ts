/**
 * Bars as immutable blocks, one a UTC month: what the store keeps. A block is a version byte and msgpack of its
 * columns as raw little-endian doubles; its name is the SHA-256 of its bytes, so equal months are stored once.
 */
import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr'
import { SweepmillError } from '../base/errors.js'
import { createBars } from './bars.js'
import { COLUMN_NAMES } from './layout.js'
import type { BarColumns, Bars, BarsMeta, ColumnName } from './layout.js'

const BLOCK_VERSION = 1
const packr = new Packr({ useRecords: false })

export interface BarBlock {
  /** Such as 2004-08. */
  readonly month: string
  readonly hash: string
  readonly bars: number
  readonly bytes: Uint8Array
  readonly firstTime: number
  readonly lastTime: number
}

interface BlockBody {
  readonly month: string
  readonly bars: number
  readonly columns: Partial<Record<ColumnName, Uint8Array>>
}

export function encodeBlocks(bars: BarColumns): BarBlock[] {
  const blocks: BarBlock[] = []
  for (let from = 0; from < bars.length;) {
    const month = monthOf(bars.time[from] ?? 0)
    let to = from + 1
    while (to < bars.length && monthOf(bars.time[to] ?? 0) === month) to += 1
    const columns: Partial<Record<ColumnName, Uint8Array>> = {}
    for (const name of COLUMN_NAMES) {
      const column = bars[name]
      // A copy out of shared memory, which msgpackr cannot take.
      if (column !== undefined) columns[name] = new Uint8Array(column.slice(from, to).buffer)
    }
    const packed = packr.pack({ month, bars: to - from, columns } satisfies BlockBody)
    const bytes = new Uint8Array(packed.length + 1)
    bytes[0] = BLOCK_VERSION
    bytes.set(packed, 1)
    blocks.push({ month, hash: createHash('sha256').update(bytes).digest('hex'), bars: to - from, bytes, firstTime: bars.time[from] ?? 0, lastTime: bars.time[to - 1] ?? 0 })
    from = to
  }
  return blocks
}

/** Puts blocks together in the order given. Throws DATA_FORMAT for bytes that are not blocks of one kind. */
export function decodeBlocks(blocks: readonly Uint8Array[], meta: BarsMeta): Bars {
  const bodies = blocks.map(decodeBlock)
  const length = bodies.reduce((sum, body) => sum + body.bars, 0)
  const columns: Partial<Record<ColumnName, Float64Array>> = {}
  for (const name of COLUMN_NAMES) {
    if (bodies[0]?.columns[name] === undefined) continue
    const column = new Float64Array(length)
    const bytes = new Uint8Array(column.buffer)
    let at = 0
    for (const body of bodies) {
      const part = body.columns[name]
      if (part === undefined || part.length !== body.bars * 8) throw broken(`block ${body.month} has no whole column ${name}`)
      bytes.set(part, at)
      at += part.length
    }
    columns[name] = column
  }
  const { time, open, high, low, close, volume, adjclose } = columns
  if (time === undefined || open === undefined || high === undefined || low === undefined || close === undefined || volume === undefined) {
    throw broken('a column is missing')
  }
  return createBars({ length, time, open, high, low, close, volume, ...(adjclose === undefined ? {} : { adjclose }) }, meta)
}

/** The columns of one block, as a copy. Throws DATA_FORMAT. */
export function decodeColumns(bytes: Uint8Array): BarColumns {
  const { bars, columns: parts } = decodeBlock(bytes)
  const columns: Partial<Record<ColumnName, Float64Array>> = {}
  for (const name of COLUMN_NAMES) {
    const part = parts[name]
    if (part === undefined && name === 'adjclose') continue
    if (part?.length !== bars * 8) throw broken(`it has no whole column ${name}`)
    // Doubles stand at any byte within msgpack.
    columns[name] = new Float64Array(new Uint8Array(part).buffer)
  }
  return { ...(columns as Required<typeof columns>), length: bars }
}

function decodeBlock(bytes: Uint8Array): BlockBody {
  if (bytes[0] !== BLOCK_VERSION) throw broken(`its version is ${String(bytes[0])}, this program reads ${BLOCK_VERSION}`)
  let body: unknown
  try {
    body = packr.unpack(bytes.subarray(1))
  } catch (cause) {
    throw broken('its msgpack is damaged', cause)
  }
  const { bars, columns } = (body ?? {}) as Partial<BlockBody>
  if (!Number.isInteger(bars) || typeof columns !== 'object' || columns === null) throw broken('it holds no columns')
  return body as BlockBody
}

function monthOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 7)
}

function broken(why: string, cause?: unknown): SweepmillError {
  return new SweepmillError('DATA_FORMAT', `A block of bars cannot be read: ${why}.`, { cause })
}
