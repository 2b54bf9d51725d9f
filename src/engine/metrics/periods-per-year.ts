/**
 * How many bars make a year, and why: the spec's figure, or from the times of the bars. Up to days they are days a year (365
 * if more than 0.6 × 2/7 of the bars fall on a weekend, else 252) × the median number of bars a day that has any. Longer
 * ones are the year divided by the bar: 12 ÷ its months, 365.25 ÷ its weeks (a single week is 52), 365 ÷ its days.
 */
import { dayRuleOf } from '../../base/bar-day.js'
import type { DayRule } from '../../base/bar-day.js'
import { civilFromDays, DAY_MS } from '../calendar/iso-time.js'
import { medianGap, weekendShare } from './bar-calendar.js'
import { medianOf } from './order-statistics.js'

/** At most this share of the bars on weekends: the market rests then. */
export const WEEKEND_SHARE = (0.6 * 2) / 7
const YEAR_DAYS = 365.25
const MONTH_DAYS = YEAR_DAYS / 12
/** Months of 28 to 31 days, and dates that move off a weekend. */
const MONTH_SLACK_DAYS = 2.5
/** Of the gaps, so many are one length, or a multiple of it, where bars are so many days and no months. */
const FIXED_SHARE = 0.9
const HOUR_DAYS = 1 / 24

export interface PeriodsPerYear {
  readonly value: number
  readonly reason: string
  /** What the days, months and years of these bars are, whatever the figure comes from. */
  readonly days: DayRule
}

export function periodsPerYear(time: Float64Array, given: number | undefined): PeriodsPerYear {
  const days = dayRuleOf(time)
  return { ...(given === undefined ? fromTimes(time, days) : { value: given, reason: 'given by the spec' }), days }
}

type Figure = Omit<PeriodsPerYear, 'days'>

function fromTimes(time: Float64Array, { shiftMs }: DayRule): Figure {
  if (time.length < 2) return { value: 252, reason: 'a single bar: 252 assumed' }
  const gapDays = medianGap(time) / DAY_MS
  if (gapDays > 5.5) return ofLongBars(time, gapDays)
  const share = weekendShare(time, shiftMs)
  const days = share > WEEKEND_SHARE ? 365 : 252
  const why = `${rounded(share * 100)} % of the bars fall on weekends`
  if (gapDays > 1.5) return { value: days / gapDays, reason: `${days} days ÷ ${rounded(gapDays)} days a bar: ${why}` }
  const perDay = medianOf(barsPerDay(time, shiftMs))
  return { value: days * perDay, reason: `${days} days × ${rounded(perDay)} bars a day: ${why}` }
}

function ofLongBars(time: Float64Array, gapDays: number): Figure {
  const why = `(median gap ${rounded(gapDays)} days)`
  const months = Math.round(gapDays / MONTH_DAYS)
  if (months > 0 && Math.abs(gapDays - months * MONTH_DAYS) <= MONTH_SLACK_DAYS && isMonths(time, gapDays)) {
    const named: Readonly<Record<number, string>> = { 1: 'monthly bars', 3: 'quarterly bars', 12: 'yearly bars' }
    return { value: 12 / months, reason: `${named[months] ?? `bars of ${months} months`} ${why}` }
  }
  const weeks = Math.round(gapDays / 7)
  if (Math.abs(gapDays - weeks * 7) <= HOUR_DAYS * 2 || (weeks === 1 && gapDays > 6.5 && gapDays < 8)) {
    return weeks === 1 ? { value: 52, reason: `weekly bars ${why}` } : { value: YEAR_DAYS / 7 / weeks, reason: `bars of ${weeks} weeks ${why}` }
  }
  return { value: 365 / gapDays, reason: `365 days ÷ ${rounded(gapDays)} days a bar` }
}

/** Months differ in length; bars of 60 or 91 days do not. Two bars, or three, may stand on one day of the month by chance alone. */
function isMonths(time: Float64Array, gapDays: number): boolean {
  // 30 and 31 days are taken for months, as they are charted.
  if (gapDays > 29.5 && gapDays < 31.5) return true
  let fixed = 0
  for (let i = 1; i < time.length; i++) {
    const gap = (time[i]! - time[i - 1]!) / DAY_MS
    if (Math.abs(gap - Math.round(gap / gapDays) * gapDays) <= 2 * HOUR_DAYS) fixed++
  }
  if (fixed < FIXED_SHARE * (time.length - 1)) return true
  // Whole years of 365 days, the first two of 59 and 59, or ends of months 61 days apart.
  return (time.length <= 4 && sameDayOfMonth(time)) || endsOfMonths(time)
}

function sameDayOfMonth(time: Float64Array): boolean {
  const day = (ms: number): number => civilFromDays(Math.floor((ms + DAY_MS / 2) / DAY_MS)).day
  return time.every((ms) => day(ms) === day(time[0]!))
}

function endsOfMonths(time: Float64Array): boolean {
  return time.every((ms) => civilFromDays(Math.floor((ms + DAY_MS / 2) / DAY_MS) + 1).day === 1)
}

function barsPerDay(time: Float64Array, shiftMs: number): Float64Array {
  const counts: number[] = []
  let until = -Infinity
  let count = 0
  for (let i = 0; i < time.length; i++) {
    const at = time[i]! + shiftMs
    if (at >= until) {
      if (count > 0) counts.push(count)
      count = 0
      until = (Math.floor(at / DAY_MS) + 1) * DAY_MS
    }
    count++
  }
  counts.push(count)
  return Float64Array.from(counts)
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
