/**
 * Whether bars cover the dates that a spec asks for. A spec of ten years over bars of two runs over two, and its figures
 * look like those of ten: it is said. What is no more than a holiday before the first bar or after the last is not.
 */
import { dayOf, dayRuleOf } from '../../base/bar-day.js'
import { DAY_MS, formatIsoTime, weekday } from '../calendar/iso-time.js'
import { medianGap, weekendShare } from '../metrics/bar-calendar.js'
import { WEEKEND_SHARE } from '../metrics/periods-per-year.js'

/** Weekdays in a row on which a market may rest. */
const HOLIDAYS = 3

export interface DateRange {
  /** Included; -Infinity without a start_date. */
  readonly startMs: number
  /** Excluded; Infinity without an end_date. */
  readonly endMs: number
}

/** `named`: the dates as the spec has them. */
export function uncoveredWarnings(time: Float64Array, { startMs, endMs }: DateRange, named: { readonly startDate?: string; readonly endDate?: string }): string[] {
  const first = time[0] ?? NaN
  const last = time[time.length - 1] ?? NaN
  if (!(startMs < first || endMs > last)) return []
  const days = dayRuleOf(time)
  const stepMs = medianGap(time) || DAY_MS
  const rests = stepMs <= 1.5 * DAY_MS && weekendShare(time, days.shiftMs) <= WEEKEND_SHARE
  const lacks = (fromMs: number, toMs: number): boolean => {
    if (!(toMs - fromMs >= stepMs)) return false
    if (!rests || toMs - fromMs > 366 * DAY_MS) return true
    let weekdays = 0
    for (let day = dayOf(fromMs, days); day < dayOf(toMs - 1, days); day++) if (weekday(day * DAY_MS) % 6 !== 0) weekdays++
    return weekdays > HOLIDAYS
  }
  return [
    ...(startMs > -Infinity && lacks(startMs, first) ? [`start_date is ${named.startDate ?? ''}, but the bars begin at ${formatIsoTime(first)}: what lies before is not part of this run.`] : []),
    ...(endMs < Infinity && lacks(last + stepMs, endMs) ? [`end_date is ${named.endDate ?? ''}, but the last bar is of ${formatIsoTime(last)}: what lies after is not part of this run.`] : []),
  ]
}
