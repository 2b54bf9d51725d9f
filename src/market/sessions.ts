/**
 * Markets that close: nights, weekends and holidays. Nothing is known here of any exchange's calendar, so a day without a bar
 * may be a holiday, and the hours before the first and after the last bar of a day never count as missing.
 */
import { DAY_MS } from './timeframe.js'

/** Saturday or Sunday, of a time moved into the bars' days. 1970-01-01 was a Thursday. */
export function isWeekend(ms: number): boolean {
  const day = (Math.floor(ms / DAY_MS) + 4) % 7
  return day === 6 || day === 0
}

/** What is missing between two bars of a market with sessions; null when that is its rest. */
export function dayGap(afterMs: number, beforeMs: number, stepMs: number, missing: number, shiftMs = 0): { missing_bars?: number; missing_days?: number } | null {
  if (stepMs > DAY_MS) return { missing_bars: missing }
  const first = Math.floor((afterMs + shiftMs) / DAY_MS)
  const last = Math.floor((beforeMs + shiftMs) / DAY_MS)
  if (first === last) return { missing_bars: missing }
  let days = 0
  for (let day = first + 1; day < last; day += 1) if (!isWeekend(day * DAY_MS)) days += 1
  if (days === 0) return null
  return stepMs === DAY_MS ? { missing_bars: days } : { missing_days: days }
}

/** Sessions are apart by at least so much; a break at noon is shorter. */
const REST_MS = 4 * 3_600_000
const SLOT_MS = 900_000
/** An opening or a close that a tenth of the sessions have is a usual one; daylight saving makes two of each. */
const USUAL = 0.1

/** At which quarters of an hour sessions began and ended, without the first opening and the last close. Plain data. */
export interface SessionEdges {
  readonly opens: number[]
  readonly closes: number[]
  sessions: number
}

export function beginEdges(): SessionEdges {
  return { opens: Array.from({ length: 96 }, () => 0), closes: Array.from({ length: 96 }, () => 0), sessions: 1 }
}

/** For two bars that do not follow one another at once. */
export function noteEdge(edges: SessionEdges, afterMs: number, beforeMs: number): void {
  if (beforeMs - afterMs < REST_MS) return
  edges.closes[slotOf(afterMs)]! += 1
  edges.opens[slotOf(beforeMs)]! += 1
  edges.sessions += 1
}

/** Whether the first session begins, and the last one ends, where others do. */
export function wholeSessions(edges: SessionEdges, firstMs: number, lastMs: number): { first: boolean; last: boolean } {
  const least = Math.max(1, USUAL * (edges.sessions - 1))
  return { first: edges.opens[slotOf(firstMs)]! >= least, last: edges.closes[slotOf(lastMs)]! >= least }
}

function slotOf(ms: number): number {
  return (((Math.floor(ms / SLOT_MS) % 96) + 96) % 96)
}
