/**
 * Times of bars, from bytes, to milliseconds since 1970 UTC.
 *
 * Accepted: dates (2004-08-19, 2004/08/19, 2004.08.19, 20040819), date and time with blank or T, seconds and
 * fraction optional, Z or an offset (without one it is UTC), and epoch numbers whose unit follows from their size.
 * Days before months (19/08/2004) are not: nothing in 01/02/2004 says which is which.
 */
import { parseNumber, textOf } from './parse-number.js'

export const TIME_FORMS = '2020-01-31, 2020-01-31 14:30:00 (UTC unless it names a zone) or a count of seconds, milliseconds or microseconds since 1970'

const DASH = 45
const DOT = 46
const SLASH = 47
const COLON = 58

/** NaN for what is not a time. */
export function parseTime(bytes: Uint8Array, from: number, to: number): number {
  const separator = bytes[from + 4]
  if (to - from >= 10 && (separator === DASH || separator === SLASH || separator === DOT) && bytes[from + 7] === separator) {
    const year = digits(bytes, from, 4), month = digits(bytes, from + 5, 2), day = digits(bytes, from + 8, 2)
    const midnight = dayMs(year, month, day)
    return to - from === 10 ? midnight : midnight + clockMs(bytes, from + 10, to)
  }
  const value = parseNumber(bytes, from, to)
  if (to - from === 8 && value >= 19_000_101 && value <= 22_001_231) {
    return dayMs(Math.floor(value / 10_000), Math.floor(value / 100) % 100, value % 100)
  }
  return epochMs(value)
}

/** NaN for what is none. By magnitude: nanoseconds, microseconds, milliseconds, seconds. All of them lie between 1973 and 2286. */
export function epochMs(value: number): number {
  if (value >= 1e19) return Number.NaN
  if (value >= 1e17) return Math.floor(value / 1e6)
  if (value >= 1e14) return Math.floor(value / 1e3)
  if (value >= 1e11) return Math.floor(value)
  if (value >= 1e8) return Math.round(value * 1000)
  return Number.NaN
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i += 1) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function dayMs(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1)) return Number.NaN
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  if (day > (MONTH_DAYS[month - 1] ?? 0) + (month === 2 && leap ? 1 : 0)) return Number.NaN
  // Days since 1970 by arithmetic (years begin in March, so that the leap day comes last): Date.UTC takes four times as long.
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * 146_097 + dayOfEra - 719_468) * 86_400_000
}

const CLOCK = /^[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/

function clockMs(bytes: Uint8Array, from: number, to: number): number {
  // HH:MM:SS after a blank or T, the common form, without making a string of it.
  if (to - from === 9 && bytes[from + 3] === COLON && bytes[from + 6] === COLON && (bytes[from] === 32 || bytes[from] === 84)) {
    return timeOfDay(digits(bytes, from + 1, 2), digits(bytes, from + 4, 2), digits(bytes, from + 7, 2))
  }
  const found = CLOCK.exec(textOf(bytes, from, to))
  if (found === null) return Number.NaN
  const [, hours, minutes, seconds = '0', fraction = '0', zone = 'Z'] = found
  const ms = timeOfDay(Number(hours), Number(minutes), Number(seconds)) + Math.floor(Number(`0.${fraction}`) * 1000)
  if (zone === 'Z' || zone === 'UTC') return ms
  const plain = zone.replace(':', '')
  const offset = (Number(plain.slice(1, 3)) * 60 + Number(plain.slice(3, 5))) * 60_000
  return plain.startsWith('-') ? ms + offset : ms - offset
}

function timeOfDay(hours: number, minutes: number, seconds: number): number {
  return hours <= 23 && minutes <= 59 && seconds <= 59 ? ((hours * 60 + minutes) * 60 + seconds) * 1000 : Number.NaN
}
