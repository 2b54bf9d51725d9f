/**
 * Bars as immutable blocks, one a UTC month: what the store keeps. A block is a version byte and msgpack of its
 * columns as raw little-endian doubles; its name is the SHA-256 of its bytes, so equal months are stored once.
 */
import { createHash } from 'node:crypto'
import { Unpackr } from 'msgpackr'
import { SweepmillError } from '../base/errors.js'
import { problemOfYear } from './bar-years.js'
import { layOutBars } from './bars.js'
import { blockBytes } from './block-bytes.js'
import { COLUMN_NAMES } from './layout.js'
import type { BarColumns, Bars, BarsMeta, ColumnName } from './layout.js'

const BLOCK_VERSION = 1
const unpackr = new Unpackr({ useRecords: false })

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
  return encodeFirst(bars, bars.length)
}

/** Blocks of the first `stop` bars. */
export function encodeFirst(bars: BarColumns, stop: number): BarBlock[] {
  const blocks: BarBlock[] = []
  for (let from = 0; from < stop;) {
    const month = monthOf(bars.time[from] ?? 0)
    const endMs = endOfMonth(bars.time[from] ?? 0)
    let to = from + 1
    while (to < stop && (bars.time[to] ?? 0) < endMs) to += 1
    const columns = COLUMN_NAMES.flatMap((name) => {
      const column = bars[name]
      return column === undefined ? [] : [[name, new Uint8Array(column.buffer, column.byteOffset + from * 8, (to - from) * 8)] as const]
    })
    const bytes = blockBytes({ version: BLOCK_VERSION, month, bars: to - from, columns })
    blocks.push({ month, hash: createHash('sha256').update(bytes).digest('hex'), bars: to - from, bytes, firstTime: bars.time[from] ?? 0, lastTime: bars.time[to - 1] ?? 0 })
    from = to
  }
  return blocks
}

/**
 * Finds the months that are over while rows are still being read. Where times do not ascend it finds none any more: such a
 * file is turned round when all of it is there, or refused.
 */
export class MonthsAsRead {
  /** Rows that were looked at, of those that are there. */
  #looked = 0
  #last = Number.NEGATIVE_INFINITY
  #ascends = true
  /** The row that the last month begins with, and when the month ends. */
  #month = 0
  #endMs = Number.NEGATIVE_INFINITY

  /** How many of the rows are of months that are over. They are gone when it is asked again. */
  over({ time, length }: BarColumns): number {
    let last = this.#last
    for (let i = this.#looked; this.#ascends && i < length; i += 1) {
      const at = time[i]!
      this.#ascends = at > last
      last = at
      if (at < this.#endMs) continue
      this.#month = i
      this.#endMs = endOfMonth(at)
    }
    this.#last = last
    const over = this.#ascends ? this.#month : 0
    this.#month -= over
    this.#looked = length - over
    return over
  }
}

/** Bars from `fromMs` (included) to `toMs` (excluded). */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Puts blocks together in the order given, all of them or a range of times; their bytes are copied once, to where they stay.
 * A column that some blocks lack is left out. Throws DATA_FORMAT for bytes that are no blocks, DATA_EMPTY where no bar is left.
 */
export function decodeBlocks(blocks: readonly Uint8Array[], meta: BarsMeta, range: TimeRange = { fromMs: -Infinity, toMs: Infinity }): Bars {
  const parts = blocks.map((bytes) => cutBlock(decodeBlock(bytes), range))
  const names = COLUMN_NAMES.filter((name) => name !== 'adjclose' || parts.every(({ columns }) => columns.adjclose !== undefined))
  return layOutBars(parts.reduce((sum, { from, to }) => sum + to - from, 0), names, meta, (name, into) => {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
    let at = 0
    for (const { columns, month, bars, from, to } of parts) {
      const part = columns[name]
      if (part?.length !== bars * 8) throw broken(`block ${month} has no whole column ${name}`)
      bytes.set(part.subarray(from * 8, to * 8), at)
      at += (to - from) * 8
    }
  })
}

/** Which bars of a block lie in the range; times are looked at one by one, because they stand at any byte. */
function cutBlock(body: BlockBody, { fromMs, toMs }: TimeRange): BlockBody & { readonly from: number; readonly to: number } {
  const { time } = body.columns
  if (time?.length !== body.bars * 8) throw broken(`block ${body.month} has no whole column time`)
  const view = new DataView(time.buffer, time.byteOffset, time.byteLength)
  const firstAtOrAfter = (ms: number): number => {
    let low = 0
    let high = body.bars
    while (low < high) {
      const middle = (low + high) >> 1
      if (view.getFloat64(middle * 8, true) < ms) low = middle + 1
      else high = middle
    }
    return low
  }
  const from = firstAtOrAfter(fromMs)
  return { ...body, from, to: Math.max(from, firstAtOrAfter(toMs)) }
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
    body = unpackr.unpack(bytes.subarray(1))
  } catch (cause) {
    throw broken('its msgpack is damaged', cause)
  }
  const { bars, columns } = (body ?? {}) as Partial<BlockBody>
  if (!Number.isInteger(bars) || typeof columns !== 'object' || columns === null) throw broken('it holds no columns')
  return body as BlockBody
}

/** Compared as numbers: a text for each of five million bars takes longer than parsing them. */
function endOfMonth(timeMs: number): number {
  const date = new Date(timeMs)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

function monthOf(timeMs: number): string {
  const wrong = problemOfYear(timeMs)
  if (wrong !== null) throw new SweepmillError('DATA_INVALID', `A bar ${wrong}.`)
  return new Date(timeMs).toISOString().slice(0, 7)
}

function broken(why: string, cause?: unknown): SweepmillError {
  return new SweepmillError('DATA_FORMAT', `A block of bars cannot be read: ${why}.`, { cause })
}
