/**
 * Dates in a form that somebody has to say, since 01/02/2020 is one day in America and another elsewhere.
 *
 * A format is written with YYYY or YY, MM or M, MMM for a month's name, DD or D, and for the time of day HH, mm, ss, SSS
 * and A; as %m/%d/%Y; or as mdy, dmy or ymd for the order alone. Numbers need no leading zero between signs. Where it has no
 * time of day, one may follow in any form that a time has elsewhere. Two digits of a year are 1970 to 2069.
 */
import { SweepmillError } from '../base/errors.js'
import { dayMs, monthOfName } from './calendar-day.js'
import { textOf } from './parse-number.js'
import { timeOfDayText } from './time-of-day.js'
import { moment } from './written-date.js'

/** NaN for a text of another form. */
export type TextTime = (text: string) => number

type Part = 'year' | 'shortYear' | 'month' | 'name' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'half' | 'weekday'

const STRPTIME: Readonly<Record<string, string>> = {
  '%Y': 'YYYY', '%y': 'YY', '%m': 'MM', '%b': 'MMM', '%B': 'MMM', '%d': 'DD', '%H': 'HH', '%I': 'HH', '%M': 'mm', '%S': 'ss', '%f': 'SSS', '%p': 'A', '%a': 'EEE', '%A': 'EEE', '%T': 'HH:mm:ss', '%F': 'YYYY-MM-DD', '%z': '', '%Z': '',
}
const ORDERS: Readonly<Record<string, string>> = { mdy: 'MM/DD/YYYY', dmy: 'DD/MM/YYYY', ymd: 'YYYY/MM/DD' }
const TOKEN = /y+|M+|d+|h+|m+|s+|S+|A|E+/g
const PARTS: Readonly<Record<string, readonly [part: Part, digits: number]>> = {
  yyyy: ['year', 4], yy: ['shortYear', 2], MM: ['month', 2], M: ['month', 2], MMM: ['name', 0], MMMM: ['name', 0], dd: ['day', 2], d: ['day', 2],
  hh: ['hour', 2], h: ['hour', 2], mm: ['minute', 2], m: ['minute', 2], ss: ['second', 2], s: ['second', 2], A: ['half', 0], EEE: ['weekday', 0], EEEE: ['weekday', 0],
}
const ANY_SIGN = String.raw`\s*[-/., ]\s*`

/** Throws SPEC_INVALID, naming `path`. */
export function compileDateFormat(format: string, path = 'date_format'): TextTime {
  const isOrder = Object.hasOwn(ORDERS, format.toLowerCase())
  const written = unified(isOrder ? ORDERS[format.toLowerCase()]! : format)
  const parts: Part[] = []
  let pattern = '^'
  let at = 0
  for (const found of written.matchAll(TOKEN)) {
    const token = found[0]
    const [part, digits] = PARTS[token] ?? (/^S+$/.test(token) ? ['fraction', 9] as const : [null, 0] as const)
    if (part === null || parts.includes(part)) throw refused(format, path)
    pattern += signs(written.slice(at, found.index), isOrder)
    at = found.index + token.length
    const runsOn = /[yMdhmsS]/.test(written[at] ?? '') || (found.index > 0 && /[yMdhmsS]/.test(written[found.index - 1] ?? ''))
    pattern += part === 'name' || part === 'weekday' ? String.raw`(\p{L}{2,10}\.?)` : part === 'half' ? String.raw`([ap]\.?m\.?)` : part === 'fraction' ? String.raw`(\d{1,9})`
      : part === 'year' && isOrder ? String.raw`(\d{4}|\d{2})` : digits === 4 || runsOn ? String.raw`(\d{${digits}})` : String.raw`(\d{1,2})`
    parts.push(part)
  }
  const has = (...some: readonly Part[]): boolean => some.some((part) => parts.includes(part))
  if (!has('year', 'shortYear') || !has('month', 'name') || !has('day')) throw refused(format, path)
  const clocked = has('hour')
  if (!clocked && has('minute', 'second', 'fraction', 'half')) throw refused(format, path)
  const form = new RegExp(`${pattern}${signs(written.slice(at), false)}${clocked ? String.raw`\s*((?:Z|UTC|GMT|[+-]\d).*)?$` : String.raw`(?!\d)(.*)$`}`, 'iu')
  return (text) => {
    const found = form.exec(text.trim())
    if (found === null) return Number.NaN
    const of = (part: Part): string => (parts.includes(part) ? found[parts.indexOf(part) + 1] ?? '' : '')
    const year = parts.includes('year') ? of('year') : of('shortYear')
    const day = dayMs(fullYear(year), parts.includes('month') ? Number(of('month')) : monthOfName(of('name')), Number(of('day')))
    const rest = found[parts.length + 1]
    if (!clocked) return moment(day, rest, true)
    const or = (part: Part): string => (of(part) === '' ? '00' : of(part).padStart(2, '0'))
    return day + timeOfDayText(`${of('hour')}:${or('minute')}:${or('second')}${of('fraction') === '' ? '' : `.${of('fraction')}`} ${of('half')}${rest ?? ''}`)
  }
}

/** One spelling for those of pandas, Java and the usual one: only MM (month) and mm (minute) differ by their case. */
function unified(format: string): string {
  const plain = format.replace(/%[A-Za-z]/g, (code) => STRPTIME[code] ?? code).replaceAll('Y', 'y').replaceAll('D', 'd').replaceAll('H', 'h').replace(/a+$/, 'A')
  // mm/dd/yyyy, as people write it.
  return plain.includes('M') ? plain : plain.replace(/^([^h]*?)(m+)/, (_all, before: string, month: string) => before + month.toUpperCase())
}

function signs(between: string, isOrder: boolean): string {
  if (between === '') return ''
  if (isOrder) return ANY_SIGN
  return between.replace(/'([^']*)'/g, '$1').replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`).replaceAll(/\s+/g, String.raw`\s+`)
}

function fullYear(digits: string): number {
  const year = Number(digits)
  return digits.length > 2 ? year : year + (year < 70 ? 2000 : 1900)
}

function refused(format: string, path: string): SweepmillError {
  return new SweepmillError('SPEC_INVALID', `${path} is ${JSON.stringify(format)}, but must name year, month and day once each, such as MM/DD/YYYY, DD.MM.YY, DD-MMM-YYYY, YYYYMMDD HHmm, %m/%d/%Y, or the order alone: mdy, dmy or ymd.`, { details: { path } })
}

/** A date of which it is not clear which number is the day. Groups: first, sign, second, year, what follows. */
const DAY_AND_MONTH = /^\s*(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)(.*)$/
const TWO_DIGITS = ['MM/DD/YY', 'DD/MM/YY', 'YY/MM/DD']
const FOUR_DIGITS = ['MM/DD/YYYY', 'DD/MM/YYYY']

/** The formats in which a date that does not begin with its year can be read, with its own sign between; null for any other text. */
export function readingsOf(text: string): readonly { readonly format: string; readonly ms: number }[] | null {
  const found = DAY_AND_MONTH.exec(text)
  if (found === null) return null
  const [, , sign = '/', , year = ''] = found
  return (year.length === 4 ? FOUR_DIGITS : TWO_DIGITS).map((format) => format.replaceAll('/', sign))
    .map((format) => ({ format, ms: compiled(format)(text) })).filter(({ ms }) => Number.isFinite(ms))
}

const known = new Map<string, TextTime>()

/** There are nine of them at most. */
function compiled(format: string): TextTime {
  const reader = known.get(format) ?? compileDateFormat(format)
  known.set(format, reader)
  return reader
}

/** As a reader of fields. */
export function fieldReader(time: TextTime): (bytes: Uint8Array, from: number, to: number) => number {
  return (bytes, from, to) => time(textOf(bytes, from, to))
}
