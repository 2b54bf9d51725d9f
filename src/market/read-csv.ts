/**
 * A CSV of bars to columns, straight from its bytes: no string is made for a field on the fast path.
 *
 * It is fed in pieces of any size, so that a large file never lies in memory as a whole. Its first lines are kept until they
 * tell its format. Every row is checked (numbers, signs, high and low, order of times); the first that is wrong ends the
 * reading with its row, line, column and text, unless bad rows are to be left out. Rows count data rows from 1, lines count
 * lines of the file from 1. Cost: about 25 ns a field of a plain row, 0.2 µs of any other.
 */
import { SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { BadRows, keepOrdered } from './bad-rows.js'
import { createBars } from './bars.js'
import { problemOfOrder, runsBackwards, turnRound } from './check-rows.js'
import { detectFormat, refuseNoText } from './csv-format.js'
import type { CsvFormat } from './csv-format.js'
import { nextLine } from './csv-lines.js'
import { CsvRow } from './csv-row.js'
import { DataRoom } from './data-room.js'
import { GrowingColumns } from './growing-columns.js'
import type { BarColumns, Bars } from './layout.js'
import { PlainRows } from './plain-rows.js'
import { parseReading } from './reading.js'
import type { Reading } from './reading.js'
import { noSuchTicker, severalTickers } from './ticker-columns.js'

const LF = 10
const CR = 13
/** No line of bars is near it; a file without line ends is something else. */
const LONGEST_LINE = 2 ** 20
/** Where the first lines do not tell the format, so many bytes do. */
const LONGEST_HEAD = 4 * 2 ** 20
/** In so many bytes there is an LF, or lines end with CR alone. */
const LINE_ENDS_BY = 2 ** 16
const FIRST_ROWS = 1024
const MANY_ROWS = 2 ** 18
/** A file may be shorter of rows than its first ones say: of its size most may be a hole. */
const MOST_GROWTH = 16
const MOST_TICKERS = 10_000

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

/**
 * `source` is the file's name, for errors and the result; `reading` says what the file does not (docs/data.md). Throws
 * DATA_EMPTY, DATA_FORMAT, DATA_INVALID, DATA_ORDER, and SPEC_INVALID for a reading that is none.
 */
export function parseCsv(bytes: Uint8Array, source: string, reading: Reading = {}): Bars {
  const reader = new CsvReader(source, bytes.length, undefined, reading)
  reader.feed(bytes)
  const { columns, warnings } = reader.finish()
  return createBars(columns, { source, warnings })
}

/** What is there once the format is known. */
interface Rows {
  readonly format: CsvFormat
  readonly plain: PlainRows
  readonly careful: CsvRow
  readonly columns: GrowingColumns
}

/** Looks at the first lines until they tell the format, then reads rows. `feed` any number of times, then `finish` once. */
export class CsvReader {
  readonly #source: string
  /** Size of the whole text, by which room is reserved; null where nobody knows. */
  readonly #totalBytes: number | null
  readonly #reading: Reading
  readonly #onRows: RowWatcher | undefined
  readonly #room: DataRoom
  #rows: Rows | null = null
  /** While the format is not known, the text so far; then the line that the next piece goes on with. */
  #rest = new Uint8Array()
  /** The first lines are looked at again when there are so many bytes of them. */
  #lookAt = 0
  /** Lines end with CR alone, as those of old Macintosh. */
  #endsWithCr = false
  #line = 1
  /** Bytes of the lines read so far: how long a row is follows from them. */
  #readBytes = 0
  readonly #bad: BadRows | null
  /** Rows that were passed over, as bad or of another ticker. */
  #passed = 0
  /** Tickers of rows that were passed over. */
  readonly #others = new Set<string>()

  constructor(source: string, totalBytes: number | null, onRows?: RowWatcher, reading: Reading = {}, room = new DataRoom()) {
    this.#source = source
    this.#totalBytes = totalBytes
    this.#onRows = onRows
    this.#room = room
    this.#reading = parseReading(reading)
    const { skip_bad: skipBad = false } = reading
    this.#bad = skipBad === false ? null : new BadRows(source, skipBad)
  }

  /** The piece is not kept: the caller may use its memory again. */
  feed(piece: Uint8Array): void {
    if (piece.length === 0) return
    if (this.#rows !== null) {
      this.#feedRows(this.#endsWithCr ? withLineFeeds(piece) : piece)
      return
    }
    const head = this.#rest.length === 0 ? piece : joined(this.#rest, piece)
    if (head.length < this.#lookAt || !this.#begin(head, false)) this.#keep(head === piece ? piece.slice() : head as Uint8Array<ArrayBuffer>)
  }

  finish(): ReadBars {
    const source = this.#source
    if (this.#rows === null) this.#begin(this.#rest, true)
    else this.#read(this.#rest, 0, this.#rest.length)
    if (this.#rows === null) throw new SweepmillError('DATA_EMPTY', `${source} is empty. It should hold rows such as 2020-01-02,open,high,low,close,volume.`, { details: { file: source } })
    const { format, columns: rows, careful } = this.#rows
    if (this.#others.size > 0 && !format.passOthers) throw severalTickers([format.ticker ?? '', ...this.#others], source)
    let columns = rows.written()
    const { dropped, lines } = rows
    if (columns.length + dropped === 0 && this.#others.size > 0) throw noSuchTicker(format.ticker ?? '', this.#others, source)
    const warnings: string[] = [...format.warnings]
    const backwards = dropped === 0 && runsBackwards(columns.time)
    if (this.#bad !== null) {
      columns = keepOrdered(rows, columns, backwards, (line, what) => this.#bad?.add(line, what))
      warnings.push(...this.#bad.warnings(columns.length + dropped))
    }
    if (columns.length + dropped === 0) throw new SweepmillError('DATA_EMPTY', `${source} has a header but no row of data.`, { details: { file: source } })
    const disorder = problemOfOrder(columns.time, (row) => `line ${lines[row]}`, backwards)
    if (disorder !== null) throw this.#refuse(disorder.code, `${disorder.what}${unreadAdvice(format.unread)}`, disorder.column, disorder.value, disorder.row)
    const stepMs = format.times.areCounts ? leastStep(columns.time.subarray(0, FIRST_ROWS)) : Infinity
    if (stepMs < 1000) warnings.push(`The times of ${source} are read as counts since 1970, and so its bars lie ${stepMs} ms apart.`)
    if (backwards) {
      turnRound(columns)
      warnings.push(`The rows of ${source} run from new to old and were turned round.`)
    }
    if (!format.hasVolume) warnings.push(`${source} has no volume; it counts as 0.`)
    const { thousands } = careful
    if (thousands !== null) warnings.push(`${source} has ${JSON.stringify(thousands.text)} in line ${thousands.line}: its comma was read as a sign of thousands. Where it is one of decimals say --decimal , (reading.decimal in a spec).`)
    return { columns, warnings }
  }

  /** False where more is needed to know the format. What is known is read at once. */
  #begin(text: Uint8Array, complete: boolean): boolean {
    // Whether CR ends lines is not to depend on where a piece does.
    if (!complete && text.length < LINE_ENDS_BY && !text.includes(LF)) return false
    const from = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0
    this.#endsWithCr = !text.includes(LF)
    const bytes = this.#endsWithCr ? withLineFeeds(text) : text
    const enough = complete || text.length >= LONGEST_HEAD
    const format = detectFormat(bytes.subarray(from, complete ? bytes.length : bytes.lastIndexOf(LF) + 1), this.#source, this.#reading, enough)
    if (format === null) {
      if (enough && !complete) throw new SweepmillError('DATA_FORMAT', `${this.#source} begins with ${text.length} bytes of blank lines: this is not a CSV of bars.`, { details: { file: this.#source } })
      this.#lookAt = 2 * text.length
      return false
    }
    const columns = new GrowingColumns(format.hasAdjclose, this.#room)
    this.#rows = { format, columns, plain: new PlainRows(format), careful: new CsvRow(format) }
    this.#rest = new Uint8Array()
    this.#line = format.dataLine
    const rows = bytes.subarray(from + format.dataAt)
    if (complete) this.#read(rows, 0, rows.length)
    else this.#feedRows(rows)
    return true
  }

  #feedRows(piece: Uint8Array): void {
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
    // Rows of several tickers are nobody's, and are refused at the end, when all of them are known.
    const isRefused = this.#others.size > 0 && this.#rows?.format.passOthers === false
    if (this.#onRows !== undefined && this.#rows !== null && !isRefused) this.#rows.columns.drop(this.#onRows(this.#rows.columns.written()))
    this.#keep(piece.slice(end))
  }

  #keep(rest: Uint8Array<ArrayBuffer>): void {
    this.#rest = rest
    if (rest.length <= LONGEST_LINE || (this.#rows === null && rest.includes(LF))) return
    // It may be a file of another kind, which is said better there.
    if (this.#rows === null) refuseNoText(rest, this.#source)
    throw new SweepmillError('DATA_FORMAT', `${this.#source}, line ${this.#line} is longer than ${LONGEST_LINE} bytes: this is not a CSV of bars.`, { details: { file: this.#source, line: this.#line } })
  }

  /** Room for one row more, and for the rest of the text by the length of its rows so far. */
  #reserve(rows: GrowingColumns, readBytes: number): void {
    const { count, capacity, dropped } = rows
    if (count < capacity) return
    // Where rows are taken as they come, few are there at a time; so it is where rows are passed over.
    const total = (this.#onRows !== undefined && count < MANY_ROWS) || this.#passed > 0 ? null : this.#totalBytes
    const guess = count < FIRST_ROWS ? FIRST_ROWS : total === null ? count * 1.5 : (count + dropped) * (total / readBytes) * 1.02 - dropped
    rows.reserve(Math.ceil(Math.max(count + FIRST_ROWS, Math.min(guess, MOST_GROWTH * count + FIRST_ROWS))), count + 1)
  }

  /** Whole lines, when the format is known. */
  #read(bytes: Uint8Array, start: number, stop: number): void {
    if (this.#rows === null) return
    const { columns: rows, careful, plain } = this.#rows
    // What ends without a line end would be read beyond its end.
    const isPlain = bytes[stop - 1] === LF
    let from = start
    for (;;) {
      this.#reserve(rows, this.#readBytes + from - start)
      if (isPlain) {
        const before = rows.count
        from = plain.read(bytes, from, stop, this.#line, rows)
        this.#line += rows.count - before
        if (rows.count === rows.capacity) continue
      }
      const found = nextLine(bytes, from, stop, this.#line)
      if (found === null) break
      rows.lines[rows.count] = found.line
      const kind = careful.read(bytes, found, rows)
      if (kind === 'bar') rows.count += 1
      else if (kind === 'other') {
        this.#passed += 1
        if (this.#others.size < MOST_TICKERS) this.#others.add(careful.other)
      } else if (this.#bad !== null) {
        this.#passed += 1
        this.#bad.add(found.line, kind.what)
      } else if (this.#others.size === 0 || this.#rows.format.passOthers) throw this.#refuse(kind.code, kind.what, kind.column, kind.value)
      from = found.next
      this.#line = found.line + 1
    }
    for (let at = from; at < stop; at += 1) if (bytes[at] === LF) this.#line += 1
    this.#readBytes += stop - start
  }

  #refuse(code: ErrorCode, what: string, column: string | null, value: string, row = this.#rows?.columns.count ?? 0): SweepmillError {
    const { lines, dropped } = this.#rows!.columns
    const line = lines[row]
    // Which row it is of the file is known only where none was passed over.
    const number = this.#passed === 0 ? dropped + row + 1 : null
    return new SweepmillError(code, `${this.#source}, line ${line}${number === null ? '' : ` (row ${number})`} ${what}${what.endsWith('none of both') ? ' c' : '. C'}orrect or remove the row${this.#bad === null ? ', or leave bad ones out with --skip-bad (reading.skip_bad in a spec)' : ''}.`, {
      details: { file: this.#source, line, ...(number === null ? {} : { row: number }), ...(column === null ? {} : { column }), value: value.slice(0, 200) },
    })
  }
}

/** What was not read may be why rows seem to repeat: removing them would destroy the file. */
function unreadAdvice(unread: readonly string[]): string {
  if (unread.length === 0) return ''
  const names = unread.slice(0, 8).map((name) => JSON.stringify(name)).join(', ')
  return `. Not read of it ${unread.length === 1 ? 'is' : 'are'} ${names}${unread.length > 8 ? ' and more' : ''}: what tells instruments apart is named with --columns ticker=…, a time of day with --columns date=…,time=… (reading.columns in a spec). If it is none of both`
}

function leastStep(time: Float64Array): number {
  let least = Infinity
  for (let i = 1; i < time.length; i += 1) least = Math.min(least, Math.abs(time[i]! - time[i - 1]!))
  return least
}

function withLineFeeds(text: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = text.slice()
  for (let at = copy.indexOf(CR); at >= 0; at = copy.indexOf(CR, at + 1)) copy[at] = LF
  return copy
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
