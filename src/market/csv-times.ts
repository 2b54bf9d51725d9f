/**
 * How the times of a file are written, when the rows of its beginning are taken together: a number may be the digits of a
 * calendar or a count since 1970, and of 01/02/2020 no row by itself tells which number is the day.
 */
import { SweepmillError } from '../base/errors.js'
import { compileDateFormat, fieldReader, readingsOf } from './date-format.js'
import { calendarMs, epochMs, parseTime, timeOfNumber } from './parse-time.js'
import type { Reading } from './reading.js'

export interface CsvTimes {
  /** Reads a field; NaN for what is not a time. */
  readonly parse: (bytes: Uint8Array, from: number, to: number) => number
  /** Reads a bare number; null where `parse` must see the text. */
  readonly ofNumber: ((value: number) => number) | null
  /** Counts since 1970, whose unit was told by their size. */
  readonly areCounts: boolean
  /** The form that was said; null: none was. */
  readonly form: string | null
  readonly warnings: readonly string[]
}

/** Rows enough that seconds are not minutes and hours by chance. */
const LOOKED_AT = 200

export interface TimeCell {
  readonly text: string
  readonly line: number
}

/** `cells` goes over the times of the first rows, as often as it is called. Null where later ones are needed. Throws DATA_INVALID where they can be read in two ways. */
export function timesOf(cells: () => Iterable<TimeCell>, source: string, { date_format: format }: Reading, complete: boolean): CsvTimes | null {
  if (format !== undefined) return { parse: fieldReader(compileDateFormat(format)), ofNumber: null, areCounts: false, form: format, warnings: [] }
  const { first, seen } = firstTime(cells())
  // However a file is cut into pieces, as many rows decide.
  if (first === undefined) return complete || seen >= LOOKED_AT ? byNumber(timeOfNumber) : null
  if (readingsOf(first.text) !== null) return ofDaysAndMonths(first, cells(), source, complete)
  if (!/^\d{9,}(\.\d*)?$/.test(first.text)) return byNumber(timeOfNumber)
  const numbers = [...cut(cells(), LOOKED_AT)].filter(({ text }) => /^\d+(\.\d*)?$/.test(text)).map(({ text, line }) => ({ value: Number(text), text, line }))
  // Numbers of 14, 17 or 20 digits are no count since 1970.
  if (Number.isNaN(epochMs(Number(first.text))) || /^\d{20}$/.test(first.text)) return byNumber(timeOfNumber)
  if (!complete && numbers.length < LOOKED_AT && (/^\d{10}(\d\d)?$/.test(first.text) || looksLikeCalendar([first.text]))) return null
  // Of counts a row in a hundred looks like a calendar's, by chance; of a calendar's digits a wrong one is refused by its line.
  if (2 * numbers.filter(({ value }) => Number.isFinite(calendarMs(value))).length >= numbers.length) return byNumber(calendarMs)
  const times = numbers.map(({ value }) => epochMs(value))
  refuseOddCounts(numbers.map(({ text }) => text), times, first, source)
  return { ...byNumber(epochMs), areCounts: true }
}

function firstTime(cells: Iterable<TimeCell>): { readonly first: TimeCell | undefined; readonly seen: number } {
  let seen = 0
  for (const cell of cut(cells, LOOKED_AT)) {
    seen += 1
    if (readingsOf(cell.text) !== null || Number.isFinite(timeOf(cell.text))) return { first: cell, seen }
  }
  return { first: undefined, seen }
}

function* cut(cells: Iterable<TimeCell>, most: number): Generator<TimeCell> {
  let count = 0
  for (const cell of cells) {
    yield cell
    if ((count += 1) >= most) return
  }
}

function byNumber(ofNumber: (value: number) => number): CsvTimes {
  return { parse: (bytes, from, to) => parseTime(bytes, from, to, ofNumber), ofNumber, areCounts: false, form: null, warnings: [] }
}

/** With points between, the day comes first wherever dates are written so. */
const DAY_FIRST = 'DD.MM.YYYY'

/** Any row that can be read in one way only tells the way of all. */
function ofDaysAndMonths(first: TimeCell, cells: Iterable<TimeCell>, source: string, complete: boolean): CsvTimes | null {
  for (const { text, line } of cells) {
    const [only, ...others] = readingsOf(text) ?? []
    if (only === undefined || others.length > 0) continue
    const parse = fieldReader(compileDateFormat(only.format))
    return { parse, ofNumber: null, areCounts: false, form: null, warnings: [`The dates of ${source} are read as ${only.format}: ${JSON.stringify(text)} in line ${line} can be nothing else.`] }
  }
  if (!complete) return null
  const ways = readingsOf(first.text) ?? []
  if (ways.length === 0) return byNumber(timeOfNumber)
  const pointed = ways.find(({ format }) => format === DAY_FIRST)
  if (pointed !== undefined) {
    const warning = `The dates of ${source} are read as ${DAY_FIRST}, as dates with points are written. If their month stands first, say --date-format MM.DD.YYYY (reading.date_format in a spec).`
    return { parse: fieldReader(compileDateFormat(DAY_FIRST)), ofNumber: null, areCounts: false, form: null, warnings: [warning] }
  }
  const both = ways.map(({ format, ms }) => `${new Date(ms).toISOString().slice(0, 10)} (${format})`).join(' or ')
  throw new SweepmillError('DATA_INVALID', `${source}, line ${first.line} (row 1) has ${JSON.stringify(first.text)} as time, which could be ${both}. Say which: --date-format ${ways[0]?.format} (reading.date_format in a spec).`, {
    details: { file: source, line: first.line, row: 1, column: 'time', value: first.text, formats: ways.map((way) => way.format) },
  })
}

const ODD_FORMS: readonly string[] = ['DDMMYYYYHHmm', 'MMDDYYYYHHmm', 'YYMMDDHHmm', 'YYMMDDHHmmss', 'DDMMYYHHmm', 'MMDDYYHHmm']
const ENOUGH = 2
const MINUTE_MS = 60_000
const OLDEST_MS = Date.UTC(1900, 0)
const NEWEST_MS = Date.UTC(2100, 0)

/** Counts that would not put bars whole minutes apart, and make sense as times in another form. */
function refuseOddCounts(texts: readonly string[], times: readonly number[], first: TimeCell, source: string): void {
  const steps = times.slice(1).map((time, i) => Math.abs(time - times[i]!)).filter((step) => step > 0)
  if (texts.length < ENOUGH || steps.every((step) => step % MINUTE_MS === 0)) return
  const stepMs = Math.min(...steps)
  const forms = ODD_FORMS.filter((format) => {
    const parse = compileDateFormat(format)
    const read = texts.map((text) => parse(text))
    return read.every((time, i) => time > OLDEST_MS && time < NEWEST_MS && (i < 2 || Math.sign(time - read[i - 1]!) === Math.sign(read[1]! - read[0]!)))
  })
  // Bars of some seconds are nothing odd, unless all are another time besides.
  if (forms.length === 0 && !beginWithDays(texts) && (stepMs >= 1000 || !looksLikeCalendar(texts))) return
  const advice = forms.length === 0 ? 'Write dates such as 2020-01-31 14:30:00, or say their form with --date-format (reading.date_format in a spec).' : `Read as ${forms.join(' or ')} they make sense: say --date-format ${forms[0]} (reading.date_format in a spec).`
  throw new SweepmillError('DATA_INVALID', `${source}, line ${first.line} (row 1) has ${JSON.stringify(first.text)} as time, which as a count since 1970 is ${new Date(epochMs(Number(first.text))).toISOString()}, and the bars would lie ${stepMs} ms apart. ${advice}`, {
    details: { file: source, line: first.line, row: 1, column: 'time', value: first.text, ...(forms.length === 0 ? {} : { formats: forms }) },
  })
}

/** Digits of which some are a calendar's and some are not (minutes of 60, a month of 13), or all begin with a day of one. */
function looksLikeCalendar(texts: readonly string[]): boolean {
  return texts.some((text) => Number.isFinite(calendarMs(Number(text)))) || beginWithDays(texts)
}

function beginWithDays(texts: readonly string[]): boolean {
  return texts.every((text) => /^(19[789]|20)\d/.test(text) && Number.isFinite(calendarMs(Number(text.slice(0, 8)))))
}

function timeOf(text: string): number {
  const bytes = new TextEncoder().encode(text)
  return parseTime(bytes, 0, bytes.length)
}
