/**
 * Timeframes: how long a bar is and where bars begin. They are aligned to UTC: days begin at midnight, weeks on Monday,
 * months on the 1st, shorter ones at multiples of their length since 1970. `inMarket` moves one to the days of a market.
 */
import type { DayRule } from '../base/bar-day.js'
import { SweepmillError } from '../base/errors.js'

export interface Timeframe {
  /** Shortest form: 1h for 60m, 1d for 24h. Two texts that mean the same have one name. */
  readonly name: string
  /** Length in milliseconds; for months the shortest one, 28 days a month. */
  readonly stepMs: number
  /** Start of the bar that holds this time. */
  startOf(ms: number): number
  /** Start of the bar after the one that starts here. */
  next(startMs: number): number
  /** Starts of bars between two of them, neither counted. */
  between(fromMs: number, toMs: number): number
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS
/** 1970-01-05, the first Monday. */
const MONDAY_MS = 4 * DAY_MS

/** Longest first, so that a length gets its shortest name. */
const UNITS: readonly (readonly [unit: string, ms: number])[] = [['w', WEEK_MS], ['d', DAY_MS], ['h', HOUR_MS], ['m', MINUTE_MS], ['s', SECOND_MS]]

/** Such as 1m, 15m, 4h, 1d, 1w and 1M (a month). Throws SPEC_INVALID. */
export function parseTimeframe(text: string): Timeframe {
  const [, digits = '', letter = ''] = /^(\d{1,4})([smhdwHDWM])$/.exec(text.trim()) ?? []
  const count = Number(digits)
  if (letter === '' || count === 0) {
    throw new SweepmillError('SPEC_INVALID', `The timeframe "${text}" is not known. Write a count and a unit: 30s, 1m, 15m, 4h, 1d, 1w, or 1M for a month.`, { details: { timeframe: text } })
  }
  if (letter === 'M') return months(count)
  const unitMs = UNITS.find(([unit]) => unit === letter.toLowerCase())?.[1] ?? 0
  return fixed(count * unitMs)
}

/** The name of a length, 90m for 5 400 000; null where it is no whole number of seconds. */
export function nameOfStep(stepMs: number): string | null {
  const found = UNITS.find(([, ms]) => stepMs >= ms && stepMs % ms === 0)
  return found === undefined ? null : `${stepMs / found[1]}${found[0]}`
}

/** True when every bar of `wanted` consists of whole bars of `stored`. */
export function divides(stored: Timeframe, wanted: Timeframe): boolean {
  if (stored.stepMs >= wanted.stepMs) return false
  const inMonths = (one: Timeframe): number => (one.name.endsWith('M') ? Number.parseInt(one.name, 10) : 0)
  if (inMonths(stored) > 0) return inMonths(wanted) > 0 && inMonths(wanted) % inMonths(stored) === 0
  // A month is whole days, and no whole weeks.
  return inMonths(wanted) > 0 ? DAY_MS % stored.stepMs === 0 : wanted.stepMs % stored.stepMs === 0 && wanted.startOf(0) % stored.stepMs === stored.startOf(0) % stored.stepMs
}

/**
 * The same timeframe where a market has days of its own (base/bar-day.ts), and where its bars begin at another minute than
 * UTC's: days, weeks and months are made of the market's days, shorter bars begin `phaseMs` later, as the stored ones do.
 */
export function inMarket(timeframe: Timeframe, days: DayRule, phaseMs: number): Timeframe {
  const isDays = timeframe.name.endsWith('M') || timeframe.stepMs % DAY_MS === 0
  if (isDays ? days.shiftMs === 0 : phaseMs === 0) return timeframe
  const { shiftMs } = isDays ? days : { shiftMs: -phaseMs }
  const zoneMs = isDays ? days.zoneMs : -phaseMs
  return {
    ...timeframe,
    startOf: (ms) => timeframe.startOf(isDays ? Math.floor((ms + shiftMs) / DAY_MS) * DAY_MS : ms + shiftMs) - zoneMs,
    next: (startMs) => timeframe.next(startMs + zoneMs) - zoneMs,
    between: (fromMs, toMs) => timeframe.between(fromMs + zoneMs, toMs + zoneMs),
  }
}

function fixed(stepMs: number): Timeframe {
  const origin = stepMs % WEEK_MS === 0 ? MONDAY_MS : 0
  return {
    name: nameOfStep(stepMs) ?? '', stepMs,
    startOf: (ms) => Math.floor((ms - origin) / stepMs) * stepMs + origin,
    next: (startMs) => startMs + stepMs,
    between: (fromMs, toMs) => Math.max(0, Math.round((toMs - fromMs) / stepMs) - 1),
  }
}

function months(count: number): Timeframe {
  const indexOf = (ms: number): number => {
    const date = new Date(ms)
    return date.getUTCFullYear() * 12 + date.getUTCMonth()
  }
  const startOfIndex = (index: number): number => Date.UTC(Math.floor(index / 12), index % 12, 1)
  return {
    name: `${count}M`, stepMs: count * 28 * DAY_MS,
    startOf: (ms) => startOfIndex(Math.floor(indexOf(ms) / count) * count),
    next: (startMs) => startOfIndex(indexOf(startMs) + count),
    between: (fromMs, toMs) => Math.max(0, Math.round((indexOf(toMs) - indexOf(fromMs)) / count) - 1),
  }
}
