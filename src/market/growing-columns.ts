/**
 * Columns that a reader fills row by row without knowing how many rows there will be. Memory that was reserved and not
 * written takes no room: the system gives a page when it is touched.
 */
import { DataRoom } from './data-room.js'
import type { BarColumns, ColumnName } from './layout.js'

const NAMES: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close', 'volume']

export class GrowingColumns {
  columns: Readonly<Record<ColumnName, Float64Array>>
  /** Where each row stands in its file: blank lines make that differ from the row's number. */
  lines: Uint32Array
  count = 0
  /** Rows before the first of the columns, which nobody needs any more. */
  dropped = 0
  readonly hasAdjclose: boolean
  readonly #room: DataRoom

  constructor(hasAdjclose: boolean, room = new DataRoom()) {
    this.#room = room
    const none = new Float64Array(0)
    this.hasAdjclose = hasAdjclose
    this.columns = { time: none, open: none, high: none, low: none, close: none, volume: none, adjclose: none }
    this.lines = new Uint32Array(0)
  }

  get capacity(): number { return this.lines.length }

  /**
   * Room for so many rows in all, or for `least` where there is no more. One column at a time, so that at most one is there
   * twice. Throws DATA_TOO_LARGE.
   */
  reserve(wanted: number, least: number): void {
    if (wanted <= this.capacity) return
    const names = this.hasAdjclose ? [...NAMES, 'adjclose' as const] : NAMES
    const rows = this.#room.rows(wanted, least, names.length * Float64Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT)
    const grown = { ...this.columns }
    for (const name of names) {
      const column = this.#room.column(rows)
      column.set(grown[name].subarray(0, this.count))
      grown[name] = column
      this.columns = { ...grown }
    }
    const lines = new Uint32Array(rows)
    lines.set(this.lines.subarray(0, this.count))
    this.lines = lines
  }

  /** Forgets the first rows. */
  drop(rows: number): void {
    if (rows === 0) return
    for (const name of this.hasAdjclose ? [...NAMES, 'adjclose' as const] : NAMES) this.columns[name].copyWithin(0, rows, this.count)
    this.lines.copyWithin(0, rows, this.count)
    this.count -= rows
    this.dropped += rows
  }

  /** The rows that were written and not dropped, as views. */
  written(): BarColumns {
    const cut = (column: Float64Array): Float64Array => column.subarray(0, this.count)
    const { time, open, high, low, close, volume, adjclose } = this.columns
    return {
      length: this.count, time: cut(time), open: cut(open), high: cut(high), low: cut(low), close: cut(close), volume: cut(volume),
      ...(this.hasAdjclose ? { adjclose: cut(adjclose) } : {}),
    }
  }
}
