/**
 * Breaks within the day of a market, such as at noon in Tokyo: nothing is missing there. A break is a gap between the same two
 * times of day on at least a quarter of the days; minutes in which nobody happened to trade come to a seventh of them at most.
 */
import { DAY_MS } from './timeframe.js'

/** From which time of day to which, in ms after midnight UTC: "12600000-18000000". */
export type DailyBreaks = readonly string[]

const SHARE = 1 / 4
const LEAST_DAYS = 3
/** Pairs of times of day that are counted; those of a break come in its first days. */
const MOST_PAIRS = 10_000

/** `shiftMs` is that of the bars' days. Cost: one pass, and a text for each gap within a day. */
export function dailyBreaks(parts: Iterable<Float64Array>, stepMs: number, shiftMs: number): DailyBreaks {
  if (stepMs >= DAY_MS) return []
  const pairs = new Map<string, number>()
  let days = 0
  let day = Number.NaN
  let last = Number.NaN
  for (const time of parts) {
    for (const at of time) {
      const its = Math.floor((at + shiftMs) / DAY_MS)
      if (its !== day) days += 1
      else if (at - last > stepMs) {
        const pair = pairOf(last, at)
        if (pairs.has(pair) || pairs.size < MOST_PAIRS) pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
      }
      day = its
      last = at
    }
  }
  return [...pairs].filter(([, count]) => count >= Math.max(LEAST_DAYS, SHARE * days)).map(([pair]) => pair)
}

export function isDailyBreak(breaks: DailyBreaks, afterMs: number, beforeMs: number): boolean {
  return breaks.length > 0 && beforeMs - afterMs < DAY_MS && breaks.includes(pairOf(afterMs, beforeMs))
}

function pairOf(afterMs: number, beforeMs: number): string {
  return `${timeOfDay(afterMs)}-${timeOfDay(beforeMs)}`
}

function timeOfDay(ms: number): number {
  return ((ms % DAY_MS) + DAY_MS) % DAY_MS
}
