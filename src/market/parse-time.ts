/**
 * Times of bars, from bytes, to milliseconds since 1970 UTC.
 *
 * Accepted: dates (2004-08-19, 2004/08/19, 20040819), date and time with blank or T, seconds and fraction
 * optional, Z or an offset (without one it is UTC), and epoch numbers whose unit follows from their size.
 */
import { parseNumber, textOf } from './parse-number.js'

const DASH = 45
const SLASH = 47

/** NaN for what is not a time. */
export function parseTime(bytes: Uint8Array, from: number, to: number): number {
  const separator = bytes[from + 4]
  if (to - from >= 10 && (separator === DASH || separator === SLASH) && bytes[from + 7] === separator) {
    const year = digits(bytes, from, 4), month = digits(bytes, from + 5, 2), day = digits(bytes, from + 8, 2)
    const midnight = dayMs(year, month, day)
    return to - from === 10 ? midnight : midnight + clockMs(textOf(bytes, from + 10, to))
  }
  const value = parseNumber(bytes, from, to)
  if (to - from === 8 && value >= 19_000_101 && value <= 22_001_231) {
    return dayMs(Math.floor(value / 10_000), Math.floor(value / 100) % 100, value % 100)
  }
  return epochMs(value)
}

/** By magnitude: nanoseconds, microseconds, milliseconds, seconds. All of them lie between 1973 and 2286. */
function epochMs(value: number): number {
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
  return Date.UTC(year, month - 1, day)
}

const CLOCK = /^[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/

function clockMs(text: string): number {
  const found = CLOCK.exec(text)
  if (found === null) return Number.NaN
  const [, hours, minutes, seconds = '0', fraction = '0', zone = 'Z'] = found
  const h = Number(hours), m = Number(minutes), s = Number(seconds)
  if (h > 23 || m > 59 || s > 59) return Number.NaN
  const ms = ((h * 60 + m) * 60 + s) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000)
  if (zone === 'Z' || zone === 'UTC') return ms
  const plain = zone.replace(':', '')
  const offset = (Number(plain.slice(1, 3)) * 60 + Number(plain.slice(3, 5))) * 60_000
  return plain.startsWith('-') ? ms + offset : ms - offset
}
