/**
 * A CSV of bars to columns, straight from its bytes: no string is made for a field on the fast path.
 *
 * Every row is checked (numbers, signs, high and low, order of times); the first that is wrong ends the reading
 * with its row, line, column and text. Rows count data rows from 1, lines count lines of the file from 1.
 * Cost: about 0.2 µs a field.
 */
import { SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { createBars } from './bars.js'
import { detectFormat } from './csv-format.js'
import type { CsvFormat } from './csv-format.js'
import type { BarColumns, Bars, ColumnName } from './layout.js'
import { parseNumber, textOf } from './parse-number.js'
import { parseTime, TIME_FORMS } from './parse-time.js'

const LF = 10
const CR = 13
const QUOTE = 34
const SPACE = 32
/** Rounded data may put a close a hair above its high. */
const TOLERANCE = 1e-9

const PRICES: readonly ColumnName[] = ['open', 'high', 'low', 'close']
const ADJUSTED_PRICES: readonly ColumnName[] = [...PRICES, 'adjclose']

interface Columns {
  readonly time: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array
  readonly adjclose: Float64Array
}

/** Bars as a reader found them, not yet in shared memory. */
export interface ReadBars {
  readonly columns: BarColumns
  readonly warnings: readonly string[]
}

/** `source` is the file's name, for errors and the result. Throws DATA_EMPTY, DATA_FORMAT, DATA_INVALID, DATA_ORDER. */
export function parseCsv(bytes: Uint8Array, source: string): Bars {
  const { columns, warnings } = readCsv(bytes, source)
  return createBars(columns, { source, warnings })
}

/** The same without the copy into shared memory. */
export function readCsv(bytes: Uint8Array, source: string): ReadBars {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const first = nextLine(bytes, start, 1)
  if (first === null) throw new SweepmillError('DATA_EMPTY', `${source} is empty. It should hold rows such as 2020-01-02,open,high,low,close,volume.`, { details: { file: source } })
  const format = detectFormat(bytes, first.from, first.to, source)
  const reader = new RowReader(bytes, format, source)
  reader.read(format.hasHeader ? first.next : first.from, format.hasHeader ? first.line + 1 : first.line)
  const { count } = reader
  if (count === 0) throw new SweepmillError('DATA_EMPTY', `${source} has a header but no row of data.`, { details: { file: source } })
  const warnings: string[] = []
  if (reader.orderTimes()) warnings.push(`The rows of ${source} run from new to old and were turned round.`)
  if (!format.hasVolume) warnings.push(`${source} has no volume; it counts as 0.`)
  const cut = (column: Float64Array): Float64Array => column.subarray(0, count)
  const { columns } = reader
  return {
    columns: {
      length: count, time: cut(columns.time), open: cut(columns.open), high: cut(columns.high), low: cut(columns.low),
      close: cut(columns.close), volume: cut(columns.volume), ...(format.hasAdjclose ? { adjclose: cut(columns.adjclose) } : {}),
    },
    warnings,
  }
}

interface Line {
  readonly from: number
  readonly to: number
  readonly next: number
  readonly line: number
}

/** The next line that is not blank. */
function nextLine(bytes: Uint8Array, start: number, firstLine: number): Line | null {
  let line = firstLine
  for (let from = start; from < bytes.length; line += 1) {
    let end = bytes.indexOf(LF, from)
    if (end < 0) end = bytes.length
    let to = end
    while (to > from && (bytes[to - 1] === CR || bytes[to - 1] === SPACE)) to -= 1
    if (to > from) return { from, to, next: end + 1, line }
    from = end + 1
  }
  return null
}

class RowReader {
  readonly columns: Columns
  count = 0
  readonly #bytes: Uint8Array
  readonly #format: CsvFormat
  readonly #source: string
  /** Line number of each row: blank lines make it differ from the row number. */
  readonly #lines: Uint32Array

  constructor(bytes: Uint8Array, format: CsvFormat, source: string) {
    this.#bytes = bytes
    this.#format = format
    this.#source = source
    let rows = 1
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) rows += 1
    const column = (wanted: boolean): Float64Array => new Float64Array(wanted ? rows : 0)
    this.columns = {
      time: column(true), open: column(true), high: column(true), low: column(true), close: column(true),
      volume: column(true), adjclose: column(format.hasAdjclose),
    }
    this.#lines = new Uint32Array(rows)
  }

  read(start: number, startLine: number): void {
    let from = start
    let line = startLine
    for (;;) {
      const found = nextLine(this.#bytes, from, line)
      if (found === null) return
      this.#lines[this.count] = found.line
      this.#row(found)
      this.#check()
      this.count += 1
      from = found.next
      line = found.line + 1
    }
  }

  #row(line: Line): void {
    const { separator, fields } = this.#format
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
      const which = name === 'time' ? `not a time; write ${TIME_FORMS}` : 'not a number'
      throw this.#bad('DATA_INVALID', `has ${what} as ${name}, which is ${which}`, name, text)
    }
    this.columns[name][this.count] = value
  }

  #check(): void {
    const i = this.count
    const open = this.columns.open[i]!, high = this.columns.high[i]!, low = this.columns.low[i]!, close = this.columns.close[i]!
    // One test passes almost every row; the reasons are found out only when it fails.
    const slack = high * TOLERANCE
    const { hasAdjclose } = this.#format
    if (low > 0 && open > 0 && close > 0 && high + slack >= low && high + slack >= open && high + slack >= close
      && low - slack <= open && low - slack <= close && this.columns.volume[i]! >= 0 && (!hasAdjclose || this.columns.adjclose[i]! > 0)) return
    for (const name of hasAdjclose ? ADJUSTED_PRICES : PRICES) {
      const value = this.columns[name][i]!
      if (value <= 0) throw this.#bad('DATA_INVALID', `has the ${name} ${value}; a price must be above 0`, name, String(value))
    }
    if (this.columns.volume[i]! < 0) throw this.#bad('DATA_INVALID', `has the volume ${this.columns.volume[i]}; it must not be negative`, 'volume', String(this.columns.volume[i]))
    if (high < low) throw this.#bad('DATA_INVALID', `has its high ${high} below its low ${low}`, 'high', String(high))
    if (high < Math.max(open, close)) throw this.#bad('DATA_INVALID', `has its high ${high} below its open ${open} or close ${close}`, 'high', String(high))
    throw this.#bad('DATA_INVALID', `has its low ${low} above its open ${open} or close ${close}`, 'low', String(low))
  }

  /** True when the file ran from new to old and was reversed. Throws DATA_ORDER at the first time out of order. */
  orderTimes(): boolean {
    const { time } = this.columns
    const n = this.count
    const descending = n > 1 && time[n - 1]! < time[0]!
    for (let i = 1; i < n; i += 1) {
      if (descending ? time[i]! < time[i - 1]! : time[i]! > time[i - 1]!) continue
      const when = new Date(time[i]!).toISOString()
      const place = `${new Date(time[i - 1]!).toISOString()} of line ${this.#lines[i - 1]}`
      throw this.#bad('DATA_ORDER', time[i] === time[i - 1]
        ? `repeats the time ${place}`
        : `has the time ${when}, which is ${descending ? `after ${place}, in a file from new to old` : `before ${place}`}`, 'time', when, i)
    }
    if (descending) for (const column of Object.values(this.columns) as Float64Array[]) column.subarray(0, n).reverse()
    return descending
  }

  #bad(code: ErrorCode, what: string, column: ColumnName | null, value: string, row = this.count): SweepmillError {
    const line = this.#lines[row]
    return new SweepmillError(code, `${this.#source}, line ${line} (row ${row + 1}) ${what}. Correct or remove the row.`, {
      details: { file: this.#source, line, row: row + 1, ...(column === null ? {} : { column }), value: value.slice(0, 200) },
    })
  }
}
