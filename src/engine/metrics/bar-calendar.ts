/** Facts about the times of bars: the median gap, the share on weekends. One calendar question a day, not a bar. */
import { DAY_MS, weekday } from '../calendar/iso-time.js'
import { medianOf } from './order-statistics.js'

/** In ms; NaN for a single bar. Most series are regular: a gap that more than half of them share is the median. */
export function medianGap(time: Float64Array): number {
  const count = time.length - 1
  if (count < 1) return NaN
  let candidate = NaN
  let lead = 0
  for (let i = 1; i <= count; i++) {
    const gap = time[i]! - time[i - 1]!
    if (lead === 0) candidate = gap
    lead += gap === candidate ? 1 : -1
  }
  let shared = 0
  for (let i = 1; i <= count; i++) if (candidate === time[i]! - time[i - 1]!) shared++
  if (2 * shared > count + 1) return candidate
  const gaps = new Float64Array(count)
  for (let i = 1; i <= count; i++) gaps[i - 1] = time[i]! - time[i - 1]!
  return medianOf(gaps)
}

/** Fraction of the bars on Saturdays and Sundays; `shiftMs` is that of the bars' days. */
export function weekendShare(time: Float64Array, shiftMs = 0): number {
  let weekend = 0
  let until = -Infinity
  let counts = 0
  for (let i = 0; i < time.length; i++) {
    const at = time[i]! + shiftMs
    if (at >= until) {
      until = (Math.floor(at / DAY_MS) + 1) * DAY_MS
      counts = weekday(at) % 6 === 0 ? 1 : 0
    }
    weekend += counts
  }
  return weekend / time.length
}
