/**
 * A CSV of bars to columns, straight from its bytes: no string is made for a field on the fast path.
 *
 * It is fed in pieces of any size, so that a large file never lies in memory as a whole. Every row is checked (numbers,
 * signs, high and low, order of times); the first that is wrong ends the reading with its row, line, column and text.
 * Rows count data rows from 1, lines count lines of the file from 1. Cost: about 25 ns a field of a plain row, 0.2 µs of any other.
 */
import { SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { createBars } from './bars.js'
import { problemOfOrder, problemOfRow, runsBackwards, turnRound } from './check-rows.js'
import { detectFormat } from './csv-format.js'
import type { CsvFormat } from './csv-format.js'
import { GrowingColumns } from './growing-columns.js'
import type { BarColumns, Bars, ColumnName } from './layout.js'
import { parseNumber, textOf } from './parse-number.js'
import { parseTime, TIME_FORMS } from './parse-time.js'
import { PlainRows } from './plain-rows.js'

const LF = 10
const CR = 13
const QUOTE = 34
const SPACE = 32
/** No line of bars is near it; a file without line ends is something else. */
const LONGEST_LINE = 2 ** 20
const FIRST_ROWS = 1024
const MANY_ROWS = 2 ** 18

/** Bars as a reader found them, not yet in shared memory. */
export interface ReadBars {
  /** Without those that a watcher took before the end. */
  readonly columns: BarColumns
  readonly warnings: readonly string[]
  /** What the importer of the file may want to know, and nobody else. */
  readonly notes?: readonly string[]
}

/**
 * Is shown the rows so far, from time to time while a file is read, and says how many of the first it needs no more; they are
 * forgotten. The rows are checked, but for the order of their times: whoever takes some has seen that they ascend.
 */
export type RowWatcher = (rows: BarColumns) => number

/** `source` is the file's name, for errors and the result. Throws DATA_EMPTY, DATA_FORMAT, DATA_INVALID, DATA_ORDER. */
export function parseCsv(bytes: Uint8Array, source: string): Bars {
  const reader = new CsvReader(source, bytes.length)
  reader.feed(bytes)
  const { columns, warnings } = reader.finish()
  return createBars(columns, { source, warnings })
}

interface Line {
  readonly from: number
  readonly to: number
  readonly next: number
  readonly line: number
}

/** The next line of `bytes[start, stop)` that is not blank. */
function nextLine(bytes: Uint8Array, start: number, stop: number, firstLine: number): Line | null {
  let line = firstLine
  for (let from = start; from < stop; line += 1) {
    let end = bytes.indexOf(LF, from)
    if (end < 0 || end > stop) end = stop
    let to = end
    while (to > from && (bytes[to - 1] === CR || bytes[to - 1] === SPACE)) to -= 1
    if (to > from) return { from, to, next: end + 1, line }
    from = end + 1
  }
  return null
}

/** `feed` any number of times, then `finish` once. */
export class CsvReader {
  readonly #source: string
  /** Size of the whole text, by which room is reserved; null where nobody knows. */
  readonly #totalBytes: number | null
  #rows = new GrowingColumns(false)
  #format: CsvFormat | null = null
  #bytes = new Uint8Array()
  /** The line that the next piece goes on with. */
  #rest = new Uint8Array()
  #line = 1
  #plain: PlainRows | null = null
  /** Bytes of the lines read so far: how long a row is follows from them. */
  #readBytes = 0

  readonly #onRows: RowWatcher | undefined

  constructor(source: string, totalBytes: number | null, onRows?: RowWatcher) {
    this.#source = source
    this.#totalBytes = totalBytes
    this.#onRows = onRows
  }

  /** The piece is not kept: the caller may use its memory again. */
  feed(piece: Uint8Array): void {
    if (piece.length === 0) return
    const end = piece.lastIndexOf(LF) + 1
    if (end === 0) {
      this.#keep(joined(this.#rest, piece))
      return
    }
    let from = 0
    if (this.#rest.length > 0) {
      from = piece.indexOf(LF) + 1
      const line = joined(this.#rest, piece.subarray(0, from))
      this.#read(line, 0, line.length)
    }
    this.#read(piece, from, end)
    if (this.#onRows !== undefined) this.#rows.drop(this.#onRows(this.#rows.written()))
    this.#keep(piece.slice(end))
  }

  finish(): ReadBars {
    const source = this.#source
    this.#read(this.#rest, 0, this.#rest.length)
    if (this.#format === null) throw new SweepmillError('DATA_EMPTY', `${source} is empty. It should hold rows such as 2020-01-02,open,high,low,close,volume.`, { details: { file: source } })
    const columns = this.#rows.written()
    const { dropped, lines } = this.#rows
    if (columns.length + dropped === 0) throw new SweepmillError('DATA_EMPTY', `${source} has a header but no row of data.`, { details: { file: source } })
    const warnings: string[] = []
    const backwards = dropped === 0 && runsBackwards(columns.time)
    const disorder = problemOfOrder(columns.time, (row) => `line ${lines[row]}`, backwards)
    if (disorder !== null) throw this.#bad('DATA_ORDER', disorder.what, disorder.column, disorder.value, disorder.row)
    if (backwards) {
      turnRound(columns)
      warnings.push(`The rows of ${source} run from new to old and were turned round.`)
    }
    if (!this.#format.hasVolume) warnings.push(`${source} has no volume; it counts as 0.`)
    return { columns, warnings }
  }

  #keep(rest: Uint8Array<ArrayBuffer>): void {
    this.#rest = rest
    if (rest.length <= LONGEST_LINE) return
    // It may be a file of another kind, which is said better there.
    if (this.#format === null) detectFormat(rest, 0, rest.length, this.#source)
    throw new SweepmillError('DATA_FORMAT', `${this.#source}, line ${this.#line} is longer than ${LONGEST_LINE} bytes: this is not a CSV of bars.`, { details: { file: this.#source, line: this.#line } })
  }

  /** Room for one row more, and for the rest of the text by the length of its rows so far. */
  #reserve(readBytes: number): void {
    const { count, capacity, dropped } = this.#rows
    if (count < capacity) return
    // Where rows are taken as they come, few are there at a time.
    const total = this.#onRows !== undefined && count < MANY_ROWS ? null : this.#totalBytes
    const guess = count < FIRST_ROWS ? FIRST_ROWS : total === null ? count * 1.5 : (count + dropped) * (total / readBytes) * 1.02 - dropped
    this.#rows.reserve(Math.ceil(Math.max(count + FIRST_ROWS, guess)))
  }

  /** Whole lines. */
  #read(bytes: Uint8Array, start: number, stop: number): void {
    this.#bytes = bytes as Uint8Array<ArrayBuffer>
    let from = start
    if (this.#format === null) {
      if (this.#line === 1 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) from += 3
      const first = nextLine(bytes, from, stop, this.#line)
      if (first === null) {
        for (let at = start; at < stop; at += 1) if (bytes[at] === LF) this.#line += 1
        return
      }
      const format = detectFormat(bytes, first.from, first.to, this.#source)
      this.#format = format
      this.#rows = new GrowingColumns(format.hasAdjclose)
      this.#plain = new PlainRows(format)
      from = format.hasHeader ? first.next : first.from
      this.#line = format.hasHeader ? first.line + 1 : first.line
    }
    const rows = this.#rows
    // What ends without a line end would be read beyond its end.
    const plain = bytes[stop - 1] === LF ? this.#plain : null
    for (;;) {
      this.#reserve(this.#readBytes + from - start)
      if (plain !== null) {
        const before = rows.count
        from = plain.read(bytes, from, stop, this.#line, rows)
        this.#line += rows.count - before
        if (rows.count === rows.capacity) continue
      }
      const found = nextLine(bytes, from, stop, this.#line)
      if (found === null) break
      rows.lines[rows.count] = found.line
      this.#row(found, this.#format)
      const problem = problemOfRow(rows.columns, rows.count, this.#format.hasAdjclose)
      if (problem !== null) throw this.#bad('DATA_INVALID', problem.what, problem.column, problem.value)
      rows.count += 1
      from = found.next
      this.#line = found.line + 1
    }
    for (let at = from; at < stop; at += 1) if (bytes[at] === LF) this.#line += 1
    this.#readBytes += stop - start
  }

  #row(line: Line, { separator, fields }: CsvFormat): void {
    const bytes = this.#bytes
    let at = line.from
    for (let field = 0; field < fields.length; field += 1) {
      const name = fields[field]!
      if (at > line.to) {
        if (fields.slice(field).every((rest) => rest === null)) return
        throw this.#bad('DATA_FORMAT', `has ${field} fields where ${fields.length} are expected`, null, textOf(bytes, line.from, line.to))
      }
      let end = at
      // A quoted field may hold the separator.
      if (bytes[at] === QUOTE) do end += 1; while (end < line.to && bytes[end] !== QUOTE)
      while (end < line.to && bytes[end] !== separator) end += 1
      if (name !== null) this.#field(name, at, end)
      at = end + 1
    }
    if (at <= line.to) throw this.#bad('DATA_FORMAT', `has more than the ${fields.length} fields of the first line`, null, textOf(bytes, line.from, line.to))
  }

  #field(name: ColumnName, start: number, stop: number): void {
    const bytes = this.#bytes
    let from = start
    let to = stop
    while (from < to && bytes[from] === SPACE) from += 1
    while (to > from && bytes[to - 1] === SPACE) to -= 1
    if (to - from >= 2 && bytes[from] === QUOTE && bytes[to - 1] === QUOTE) {
      from += 1
      to -= 1
    }
    const value = name === 'time' ? parseTime(bytes, from, to) : parseNumber(bytes, from, to)
    if (!Number.isFinite(value)) {
      const text = textOf(bytes, from, to)
      const what = text === '' ? 'nothing' : JSON.stringify(text)
      const which = name === 'time' ? `not a time; write ${TIME_FORMS}` : /^[-+\d.]*,[\d.,]*$/.test(text) ? 'not a number: decimals have a point and thousands no sign' : 'not a number'
      throw this.#bad('DATA_INVALID', `has ${what} as ${name}, which is ${which}`, name, text)
    }
    this.#rows.columns[name][this.#rows.count] = value
  }

  #bad(code: ErrorCode, what: string, column: ColumnName | null, value: string, row = this.#rows.count): SweepmillError {
    const line = this.#rows.lines[row]
    const number = this.#rows.dropped + row + 1
    return new SweepmillError(code, `${this.#source}, line ${line} (row ${number}) ${what}. Correct or remove the row.`, {
      details: { file: this.#source, line, row: number, ...(column === null ? {} : { column }), value: value.slice(0, 200) },
    })
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
