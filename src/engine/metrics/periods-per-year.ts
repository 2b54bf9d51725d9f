/**
 * How many bars make a year, and why: the spec's figure, or from the times of the bars. Weekly and monthly bars
 * are told by the median gap; all others are days a year (365 if more than 0.6 × 2/7 of the bars fall on a
 * weekend, else 252) × the median number of bars a day that has any. Days are UTC.
 */
import { DAY_MS } from '../calendar/iso-time.js'
import { medianGap, weekendShare } from './bar-calendar.js'
import { medianOf } from './order-statistics.js'

const WEEKEND_SHARE = (0.6 * 2) / 7

export interface PeriodsPerYear {
  readonly value: number
  readonly reason: string
}

export function periodsPerYear(time: Float64Array, given: number | undefined): PeriodsPerYear {
  if (given !== undefined) return { value: given, reason: 'given by the spec' }
  if (time.length < 2) return { value: 252, reason: 'a single bar: 252 assumed' }
  const gapDays = medianGap(time) / DAY_MS
  if (gapDays > 300) return { value: 1, reason: `yearly bars (median gap ${rounded(gapDays)} days)` }
  if (gapDays > 80) return { value: 4, reason: `quarterly bars (median gap ${rounded(gapDays)} days)` }
  if (gapDays > 20) return { value: 12, reason: `monthly bars (median gap ${rounded(gapDays)} days)` }
  if (gapDays > 5.5) return { value: 52, reason: `weekly bars (median gap ${rounded(gapDays)} days)` }
  const share = weekendShare(time)
  const days = share > WEEKEND_SHARE ? 365 : 252
  const why = `${rounded(share * 100)} % of the bars fall on weekends`
  if (gapDays > 1.5) return { value: days / gapDays, reason: `${days} days ÷ ${rounded(gapDays)} days a bar: ${why}` }
  const perDay = medianOf(barsPerDay(time))
  return { value: days * perDay, reason: `${days} days × ${rounded(perDay)} bars a day: ${why}` }
}

function barsPerDay(time: Float64Array): Float64Array {
  const counts: number[] = []
  let until = -Infinity
  let count = 0
  for (let i = 0; i < time.length; i++) {
    if (time[i]! >= until) {
      if (count > 0) counts.push(count)
      count = 0
      until = (Math.floor(time[i]! / DAY_MS) + 1) * DAY_MS
    }
    count++
  }
  counts.push(count)
  return Float64Array.from(counts)
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
