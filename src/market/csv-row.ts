/** One row of a CSV, read with care: whatever its fields look like they are read as `PlainRows` would, or it is said what is wrong. */
import type { ErrorCode } from '../base/errors.js'
import { problemOfRow } from './check-rows.js'
import type { CsvFormat } from './csv-format.js'
import type { Line } from './csv-lines.js'
import { readingsOf } from './date-format.js'
import type { GrowingColumns } from './growing-columns.js'
import type { ColumnName } from './layout.js'
import { couldBeDecimalComma, parseNumber, textOf, writtenNumber } from './parse-number.js'
import { TIME_FORMS } from './parse-time.js'
import { parseTimeOfDay } from './time-of-day.js'

const QUOTE = 34
const SPACE = 32
const COMMA = 44

/** What is wrong with a row, as the end of a sentence that begins with it. */
export interface RowFault {
  readonly code: ErrorCode
  readonly what: string
  readonly column: string | null
  readonly value: string
}

/** A row of bars, one of another ticker, or none. */
export type RowKind = 'bar' | 'other' | RowFault

export class CsvRow {
  readonly #format: CsvFormat
  readonly #tickerField: number
  /** Where each field of the row begins and ends, without blanks and quotes. */
  readonly #from: Int32Array
  readonly #to: Int32Array
  /** Of the last row that was one of another ticker. */
  other = ''
  /** The first number whose comma was taken for a sign of thousands and could be one of decimals. */
  thousands: { readonly line: number; readonly text: string } | null = null

  constructor(format: CsvFormat) {
    this.#format = format
    this.#tickerField = format.fields.indexOf('ticker')
    this.#from = new Int32Array(format.fields.length)
    this.#to = new Int32Array(format.fields.length)
  }

  /** Into the columns at their count, which stays as it is. */
  read(bytes: Uint8Array, line: Line, rows: GrowingColumns): RowKind {
    const { fields, ticker } = this.#format
    const count = this.#part(bytes, line)
    // Whose row it is is asked first: another's may be as wrong as it likes.
    if (ticker !== null && this.#tickerField < count) {
      const name = this.#text(bytes, this.#tickerField)
      if (name !== ticker) {
        this.other = name
        return 'other'
      }
    }
    const needed = fields.findLastIndex((name) => name !== null) + 1
    let timeMs = 0
    for (let field = 0; field < needed; field += 1) {
      if (field >= count) return { code: 'DATA_FORMAT', what: `has ${count} fields where ${fields.length} are expected`, column: null, value: textOf(bytes, line.from, line.to) }
      const name = fields[field]!
      if (name === null || name === 'ticker') continue
      const value = name === 'time' || name === 'clock' ? this.#time(bytes, field, name) : this.#number(bytes, field, name, line)
      if (typeof value !== 'number') return value
      if (name === 'time' || name === 'clock') timeMs += value
      else rows.columns[name][rows.count] = value
    }
    if (count > fields.length) return { code: 'DATA_FORMAT', what: `has more than the ${fields.length} fields of the first line`, column: null, value: textOf(bytes, line.from, line.to) }
    rows.columns.time[rows.count] = timeMs
    const problem = problemOfRow(rows.columns, rows.count, rows.hasAdjclose)
    return problem === null ? 'bar' : { code: 'DATA_INVALID', ...problem }
  }

  /** How many fields it has, or one more than there should be. */
  #part(bytes: Uint8Array, line: Line): number {
    const { separator, fields } = this.#format
    let at = line.from
    let field = 0
    for (; at <= line.to && field < fields.length; field += 1) {
      let end = at
      // A quoted field may hold the separator, and a quote that is written twice.
      if (bytes[at] === QUOTE) do end += bytes[end] === QUOTE && bytes[end + 1] === QUOTE && end > at ? 2 : 1; while (end < line.to && (bytes[end] !== QUOTE || bytes[end + 1] === QUOTE))
      while (end < line.to && bytes[end] !== separator) end += 1
      let from = at
      let to = end
      while (from < to && bytes[from] === SPACE) from += 1
      while (to > from && bytes[to - 1] === SPACE) to -= 1
      if (to - from >= 2 && bytes[from] === QUOTE && bytes[to - 1] === QUOTE) {
        from += 1
        to -= 1
      }
      this.#from[field] = from
      this.#to[field] = to
      at = end + 1
    }
    // Separators at the end without anything behind them are no fields.
    while (at <= line.to && (at === line.to || bytes[at] === separator || bytes[at] === SPACE)) at += 1
    return at <= line.to ? fields.length + 1 : field
  }

  #text(bytes: Uint8Array, field: number): string {
    return textOf(bytes, this.#from[field]!, this.#to[field]!).trim()
  }

  #time(bytes: Uint8Array, field: number, name: 'time' | 'clock'): number | RowFault {
    const parse = name === 'time' ? this.#format.times.parse : parseTimeOfDay
    const ms = parse(bytes, this.#from[field]!, this.#to[field]!)
    if (Number.isFinite(ms)) return ms
    const text = this.#text(bytes, field)
    const { form } = this.#format.times
    if (name === 'time' && form !== null) return unreadable(name, text, `not of the form ${form}, as --date-format says`)
    return name === 'time' ? unreadable(name, text, `not a time; write ${TIME_FORMS}`) : unreadable('time of day', text, 'none; write 09:30, 09:30:00 or 093000')
  }

  #number(bytes: Uint8Array, field: number, name: ColumnName, { line }: Line): number | RowFault {
    const { decimal, separator } = this.#format
    const plain = decimal === '.' ? parseNumber(bytes, this.#from[field]!, this.#to[field]!) : Number.NaN
    if (Number.isFinite(plain)) return plain
    const text = this.#text(bytes, field)
    const value = writtenNumber(text, { decimal, commasPartFields: separator === COMMA }, name === 'volume')
    if (!Number.isFinite(value)) return unreadable(name, text, noNumber(text, decimal))
    if (decimal === '.' && name !== 'volume' && couldBeDecimalComma(text)) this.thousands ??= { line, text }
    return value
  }
}

function unreadable(name: string, text: string, which: string): RowFault {
  const found = text === '' ? 'nothing' : JSON.stringify(text)
  const ways = name === 'time' && !which.includes('--date-format') ? timeAdvice(text) : name === 'volume' ? '; where there is none, --columns volume= leaves it out (reading.columns in a spec)' : ''
  return { code: 'DATA_INVALID', what: `has ${found} as ${name}, which is ${which}${ways}`, column: name, value: text }
}

function timeAdvice(text: string): string {
  if ((readingsOf(text)?.length ?? 0) > 0) return ', or say its form with --date-format (reading.date_format in a spec)'
  return /^\d.*:\d\d.*[\s/][A-Za-z_/]{3,}$/.test(text) ? '; a zone is written as its offset from UTC, such as -05:00' : ''
}

function noNumber(text: string, decimal: '.' | ','): string {
  if (decimal === ',') return 'not a number whose decimals have a comma, as --decimal , says'
  if (couldBeDecimalComma(text)) return `not a number: ${text.replace(',', '')} or ${text.replace(',', '.')}. Write it without the comma, or say --decimal , (reading.decimal in a spec)`
  if (/^[-+\d.]*,[\d.,]*$/.test(text)) return 'not a number: decimals have a point and thousands no sign. Where they have a comma say --decimal , (reading.decimal in a spec)'
  return 'not a number'
}
