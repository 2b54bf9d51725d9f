/**
 * Markets that close: nights, weekends and holidays. Nothing is known here of any exchange's calendar, so a day without a bar
 * may be a holiday, and the hours before the first and after the last bar of a UTC day never count as missing.
 */
import { DAY_MS } from './timeframe.js'

/** Saturday or Sunday, UTC. 1970-01-01 was a Thursday. */
export function isWeekend(ms: number): boolean {
  const day = (Math.floor(ms / DAY_MS) + 4) % 7
  return day === 6 || day === 0
}

/** What is missing between two bars of a market with sessions; null when that is its rest. */
export function dayGap(afterMs: number, beforeMs: number, stepMs: number, missing: number): { missing_bars?: number; missing_days?: number } | null {
  if (stepMs > DAY_MS) return { missing_bars: missing }
  const first = Math.floor(afterMs / DAY_MS)
  const last = Math.floor(beforeMs / DAY_MS)
  if (first === last) return { missing_bars: missing }
  let days = 0
  for (let day = first + 1; day < last; day += 1) if (!isWeekend(day * DAY_MS)) days += 1
  if (days === 0) return null
  return stepMs === DAY_MS ? { missing_bars: days } : { missing_days: days }
}
