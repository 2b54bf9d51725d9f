/**
 * Times of day, as milliseconds since midnight: behind a date, or in a column of their own. An offset from UTC is taken
 * off, so that day and time of day sum up to the moment. 24:00 is none, since a bar begins with a day and not at its end;
 * a clock of twelve hours begins at 12 AM.
 */
import { textOf } from './parse-number.js'

const COLON = 58
const ZERO = 48

const ZONE = String.raw`\s*(?:(?:Z|UTC|GMT)?([+-]\d{1,2}(?::?\d{2})?)?)?(?:\s*\(.*\))?$`
const WITH_COLONS = new RegExp(String.raw`^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(?:([AP])\.?M\.?)?${ZONE}`, 'i')
/** Hours, minutes, seconds and fractions without a sign between them. */
const BARE = new RegExp(String.raw`^(\d{2})(\d{2})(?:(\d{2})(?:[.,]?(\d{1,9}))?)?()${ZONE}`, 'i')
const HOUR = new RegExp(String.raw`^(\d{1,2})()()()[ -]?([AP])M${ZONE}`, 'i')
const HOUR_OF_24 = new RegExp(String.raw`^(\d{2})()()()()${ZONE}`, 'i')

/** NaN for what is no time of day. */
export function timeOfDayText(text: string): number {
  const found = WITH_COLONS.exec(text) ?? BARE.exec(text) ?? HOUR.exec(text) ?? HOUR_OF_24.exec(text)
  if (found === null) return Number.NaN
  const [, hours, minutes = '', seconds = '', fraction = '', half = '', offset = ''] = found
  const ms = timeOfDay(hourOf24(Number(hours), half), Number(minutes), Number(seconds)) + Number(fraction.padEnd(3, '0').slice(0, 3))
  return offset === '' ? ms : ms - offsetMs(offset)
}

/** A field that holds a time of day alone: 09:30, 9:30:00 PM, 093000, 0930, and 0 for midnight. */
export function parseTimeOfDay(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from
  if ((length === 5 || length === 8) && bytes[from + 2] === COLON) {
    const seconds = length === 5 ? 0 : bytes[from + 5] === COLON ? twoDigits(bytes, from + 6) : Number.NaN
    const plain = timeOfDay(twoDigits(bytes, from), twoDigits(bytes, from + 3), seconds)
    if (Number.isFinite(plain)) return plain
  }
  const text = textOf(bytes, from, to).trim()
  if (/^0+$/.test(text)) return 0
  // Files of numbers lose the zero of 093000. What lost more could be hours or minutes.
  if (/^\d{5}$/.test(text)) return timeOfDayText(`0${text}`)
  return /^\d{1,3}$/.test(text) ? Number.NaN : timeOfDayText(text)
}

/** HH:MM:SS after a blank or T, the common form, without making a string of it; NaN for any other. */
export function plainTimeOfDay(bytes: Uint8Array, from: number): number {
  if (bytes[from + 2] !== COLON || bytes[from + 5] !== COLON) return Number.NaN
  return timeOfDay(twoDigits(bytes, from), twoDigits(bytes, from + 3), twoDigits(bytes, from + 6))
}

export function timeOfDay(hours: number, minutes: number, seconds: number): number {
  return hours <= 23 && minutes <= 59 && seconds <= 59 ? ((hours * 60 + minutes) * 60 + seconds) * 1000 : Number.NaN
}

function hourOf24(hours: number, half: string): number {
  if (half === '') return hours
  return hours < 1 || hours > 12 ? Number.NaN : (hours % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
}

function offsetMs(offset: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(offset) ?? []
  if (Number(hours) > 15 || Number(minutes) > 59) return Number.NaN
  return (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1)
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO, ones = bytes[at + 1]! - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}
