/**
 * Times as text and back, in UTC, by arithmetic on days (proleptic Gregorian calendar). The engine has no `Date`,
 * whose parser guesses and whose local zone would make a result depend on the machine.
 * Parses YYYY-MM-DD, YYYY-MM-DD[T ]HH:MM[:SS[.fff]] with Z, ±HH:MM or nothing (UTC); anything else is undefined, and so is
 * what lies outside of the years 1 to 9999 in UTC.
 */
import { isInSpan } from '../../base/time-span.js'

export const DAY_MS = 86_400_000

export function parseIsoTime(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text)
  if (match === null) return undefined
  const part = (index: number): number => Number(match[index] ?? 0)
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return undefined
  const milliseconds = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000 + 1e-6)
  const local = daysFromCivil(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + milliseconds
  const zone = match[8]
  if (zone === undefined || zone === 'Z') return isInSpan(local) ? local : undefined
  const offset = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  // No place is further from UTC than 14 hours; what is further than 18 is a slip.
  if (Number(zone.slice(-2)) > 59 || offset > 18 * 60) return undefined
  const ms = local - (zone.startsWith('-') ? -offset : offset) * 60_000
  return isInSpan(ms) ? ms : undefined
}

/** True for a text that names a day and no time of day. */
export function isDateOnly(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
}

/** YYYY-MM-DDTHH:MM:SSZ, with milliseconds only when they are not zero. */
export function formatIsoTime(ms: number): string {
  const days = Math.floor(ms / DAY_MS)
  const rest = ms - days * DAY_MS
  const seconds = Math.floor(rest / 1000)
  const fraction = Math.floor(rest - seconds * 1000)
  const minutes = Math.floor(seconds / 60)
  const clock = `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}`
  return `${dayText(days)}T${clock}${fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`}Z`
}

const TWO: readonly string[] = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'))
/** Files of trades and equity name the same day many times over. */
let lastDay = NaN
let lastDayText = ''

function dayText(days: number): string {
  if (days !== lastDay) {
    const { year, month, day } = civilFromDays(days)
    lastDayText = `${String(year).padStart(4, '0')}-${TWO[month]}-${TWO[day]}`
    lastDay = days
  }
  return lastDayText
}

/** 0 for Sunday to 6 for Saturday; 1970-01-01 was a Thursday. */
export function weekday(ms: number): number {
  const day = (Math.floor(ms / DAY_MS) + 4) % 7
  return day < 0 ? day + 7 : day
}

/** Months since January 1970 (UTC) of a day counted from 1970-01-01. */
export function monthOfDay(day: number): number {
  const { year, month } = civilFromDays(day)
  return (year - 1970) * 12 + month - 1
}

/** YYYY-MM of a month counted from January 1970. */
export function formatMonth(month: number): string {
  const year = 1970 + Math.floor(month / 12)
  return `${String(year).padStart(4, '0')}-${String(month - (year - 1970) * 12 + 1).padStart(2, '0')}`
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** Days since 1970-01-01; years begin in March, so that the leap day comes last (Howard Hinnant's algorithm). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted + (shifted < 10 ? 3 : -9)
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1 }
}
