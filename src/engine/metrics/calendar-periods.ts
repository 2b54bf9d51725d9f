/** Equity by calendar periods, of the bars' days (`shiftMs`, of base/bar-day.ts): the last bar of each day, week, month or year that has any, and the returns between them. */
import { DAY_MS, daysFromCivil, formatMonth, monthOfDay } from '../calendar/iso-time.js'

export type CalendarPeriod = 'day' | 'week' | 'month' | 'year'

/** Last bar of each period, in order. Weeks end on Sundays. One calendar conversion a period, not a bar. */
export function lastBars(time: Float64Array, period: CalendarPeriod, shiftMs = 0): number[] {
  const last: number[] = []
  let until = Infinity
  for (let i = 0; i < time.length; i++) {
    const at = time[i]! + shiftMs
    if (i > 0 && at < until) continue
    if (i > 0) last.push(i - 1)
    until = endOf(Math.floor(at / DAY_MS), period) * DAY_MS
  }
  last.push(time.length - 1)
  return last
}

/** The day after the period that holds this one. */
function endOf(day: number, period: CalendarPeriod): number {
  if (period === 'day') return day + 1
  if (period === 'week') return (Math.floor((day + 3) / 7) + 1) * 7 - 3 // 1970-01-01 was a Thursday, weeks begin on Mondays
  const month = monthOfDay(day)
  const next = period === 'month' ? month + 1 : (Math.floor(month / 12) + 1) * 12
  return daysFromCivil(1970 + Math.floor(next / 12), next - Math.floor(next / 12) * 12 + 1, 1)
}

export interface MonthReturn {
  readonly month: string
  /** Percent, from the last bar of the month before (the first: from the initial cash). */
  readonly return: number | null
}

export interface YearReturn {
  readonly year: number
  readonly return: number | null
}

/** Null where the equity at the start was not above zero. */
export function monthlyReturns(time: Float64Array, equity: Float64Array, initialCash: number, shiftMs = 0): MonthReturn[] {
  return tableOf(time, equity, initialCash, 'month', shiftMs).map(({ bar, value }) => ({ month: formatMonth(monthOf(time[bar]! + shiftMs)), return: value }))
}

export function yearlyReturns(time: Float64Array, equity: Float64Array, initialCash: number, shiftMs = 0): YearReturn[] {
  return tableOf(time, equity, initialCash, 'year', shiftMs).map(({ bar, value }) => ({ year: 1970 + Math.floor(monthOf(time[bar]! + shiftMs) / 12), return: value }))
}

function monthOf(ms: number): number {
  return monthOfDay(Math.floor(ms / DAY_MS))
}

function tableOf(time: Float64Array, equity: Float64Array, initialCash: number, period: CalendarPeriod, shiftMs: number): { bar: number; value: number | null }[] {
  let start = initialCash
  return lastBars(time, period, shiftMs).map((bar) => {
    const end = equity[bar]!
    const value = start > 0 ? (end / start - 1) * 100 + 0 : null
    start = end
    return { bar, value }
  })
}
