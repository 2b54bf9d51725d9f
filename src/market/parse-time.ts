/**
 * Times of bars, from bytes, to milliseconds since 1970 UTC.
 *
 * Accepted: dates (2004-08-19, 2004/08/19, 2004.08.19, 19 Aug 2004), with a time of day behind a blank or T, with Z or an
 * offset (without one it is UTC); digits that are a calendar's (20040819, 2004081909, 200408190930, 20040819093000 and
 * fractions of the second); and counts since 1970 whose unit follows from their size. Days before or after months
 * (19/08/2004) are not: nothing in 01/02/2004 says which is which.
 */
import { dayMs } from './calendar-day.js'
import { parseNumber, textOf } from './parse-number.js'
import { plainTimeOfDay, timeOfDay } from './time-of-day.js'
import { moment, writtenDate } from './written-date.js'

export const TIME_FORMS = '2020-01-31, 2020-01-31 14:30:00 (UTC unless it names a zone) or a count of seconds, milliseconds or microseconds since 1970'

const DASH = 45
const DOT = 46
const SLASH = 47

/** NaN for what is not a time. `ofNumber` says what a bare number is, where the file it stands in tells more than its size. */
export function parseTime(bytes: Uint8Array, from: number, to: number, ofNumber: (value: number) => number = timeOfNumber): number {
  const length = to - from
  const separator = bytes[from + 4]
  if (length >= 10 && (separator === DASH || separator === SLASH || separator === DOT) && bytes[from + 7] === separator) {
    const midnight = dayMs(digits(bytes, from, 4), digits(bytes, from + 5, 2), digits(bytes, from + 8, 2))
    if (length === 10) return midnight
    if (length === 19 && (bytes[from + 10] === 32 || bytes[from + 10] === 84)) {
      const plain = midnight + plainTimeOfDay(bytes, from + 11)
      if (Number.isFinite(plain)) return plain
    }
    return Number.isFinite(midnight) ? moment(midnight, textOf(bytes, from + 10, to)) : writtenDate(textOf(bytes, from, to))
  }
  const value = parseNumber(bytes, from, to)
  if (Number.isFinite(value)) return length === 17 || length === 20 ? exactly(bytes, from, to, value, ofNumber) : ofNumber(value)
  return writtenDate(textOf(bytes, from, to).trim())
}

/** A calendar's digits where they are some, else a count since 1970. */
export function timeOfNumber(value: number): number {
  const calendar = calendarMs(value)
  return Number.isNaN(calendar) ? epochMs(value) : calendar
}

/** NaN for what is none. Whole days of 1900 to 2200; with hours and minutes alone, whose digits are as many as an epoch's, from 1970. */
export function calendarMs(value: number): number {
  if (!Number.isInteger(value)) return Number.NaN
  if (value >= 19_000_101 && value <= 22_001_231) return ofDigits(value, 1_000_000)
  if (value >= 1_970_010_100 && value <= 2_199_123_123) return ofDigits(Math.floor(value / 100), value % 100 * 10_000)
  if (value >= 197_001_010_000 && value <= 219_912_312_359) return ofDigits(Math.floor(value / 1e4), value % 1e4 * 100)
  if (value >= 19_000_101_000_000 && value <= 21_991_231_235_959) return ofDigits(Math.floor(value / 1e6), value % 1e6)
  return Number.NaN
}

/** Of YYYYMMDD and HHMMSS; a whole million stands for no time of day. */
function ofDigits(date: number, clock: number): number {
  const day = dayMs(Math.floor(date / 10_000), Math.floor(date / 100) % 100, date % 100)
  return clock === 1_000_000 ? day : day + timeOfDay(Math.floor(clock / 10_000), Math.floor(clock / 100) % 100, clock % 100)
}

/** NaN for what is none. By magnitude: nanoseconds, microseconds, milliseconds, seconds. All of them lie between 1973 and 2286. */
export function epochMs(value: number): number {
  if (value >= 1e17) return value < 1e19 ? Math.floor(value / 1e6) : Number.NaN
  if (value >= 1e14) return value < 1e16 ? Math.floor(value / 1e3) : Number.NaN
  if (value >= 1e11) return value < 1e13 ? Math.floor(value) : Number.NaN
  if (value >= 1e8) return value < 1e10 ? Math.round(value * 1000) : Number.NaN
  return Number.NaN
}

/** A second with its milliseconds or microseconds in 17 or 20 digits, more than a double holds. */
function exactly(bytes: Uint8Array, from: number, to: number, value: number, ofNumber: (value: number) => number): number {
  const fraction = digits(bytes, from + 14, 3)
  const rest = digits(bytes, from + 17, to - from - 17)
  const second = calendarMs(digits(bytes, from, 14))
  return Number.isFinite(fraction) && Number.isFinite(rest) && Number.isFinite(second) ? second + fraction : ofNumber(value)
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i += 1) {
    const digit = bytes[i]! - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
