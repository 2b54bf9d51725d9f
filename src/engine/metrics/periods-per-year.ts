/**
 * How many bars make a year, and why: the spec's figure, or from the times of the bars. Weekly and monthly bars
 * are told by the median gap; all others are days a year (365 if more than 0.6 × 2/7 of the bars fall on a
 * weekend, else 252) × the median number of bars a day that has any. Days are UTC.
 */
import { DAY_MS, weekday } from '../calendar/iso-time.js'
import { medianOf } from './order-statistics.js'

const WEEKEND_SHARE = (0.6 * 2) / 7

export interface PeriodsPerYear {
  readonly value: number
  readonly reason: string
}

export function periodsPerYear(time: Float64Array, given: number | undefined): PeriodsPerYear {
  if (given !== undefined) return { value: given, reason: 'given by the spec' }
  if (time.length < 2) return { value: 252, reason: 'a single bar: 252 assumed' }
  const gapDays = medianOf(gaps(time)) / DAY_MS
  if (gapDays > 300) return { value: 1, reason: `yearly bars (median gap ${rounded(gapDays)} days)` }
  if (gapDays > 80) return { value: 4, reason: `quarterly bars (median gap ${rounded(gapDays)} days)` }
  if (gapDays > 20) return { value: 12, reason: `monthly bars (median gap ${rounded(gapDays)} days)` }
  if (gapDays > 5.5) return { value: 52, reason: `weekly bars (median gap ${rounded(gapDays)} days)` }
  let weekend = 0
  for (const at of time) if (weekday(at) % 6 === 0) weekend++
  const share = weekend / time.length
  const days = share > WEEKEND_SHARE ? 365 : 252
  const why = `${rounded(share * 100)} % of the bars fall on weekends`
  if (gapDays > 1.5) return { value: days / gapDays, reason: `${days} days ÷ ${rounded(gapDays)} days a bar: ${why}` }
  const perDay = medianOf(barsPerDay(time))
  return { value: days * perDay, reason: `${days} days × ${rounded(perDay)} bars a day: ${why}` }
}

function gaps(time: Float64Array): Float64Array {
  const out = new Float64Array(time.length - 1)
  for (let i = 1; i < time.length; i++) out[i - 1] = time[i]! - time[i - 1]!
  return out
}

function barsPerDay(time: Float64Array): Float64Array {
  const counts: number[] = []
  let day = NaN
  for (const at of time) {
    const today = Math.floor(at / DAY_MS)
    if (today === day) counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1
    else counts.push(1)
    day = today
  }
  return Float64Array.from(counts)
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
