/**
 * Gaps filled with bars that nobody traded: flat at the close before the gap, volume 0. What counts as a gap is what the
 * quality report lists; a long one is left as it is, because a flat week says more than was known.
 */
import { dayOf, startOfDay, UTC_DAYS } from '../base/bar-day.js'
import type { DayRule } from '../base/bar-day.js'
import { isDailyBreak } from './daily-breaks.js'
import type { DailyBreaks } from './daily-breaks.js'
import type { BarColumns } from './layout.js'
import type { FilledRange } from './quality.js'
import { dayGap } from './sessions.js'
import { DAY_MS } from './timeframe.js'
import type { Timeframe } from './timeframe.js'

/** A day of minutes. */
const MOST_BARS = 1440
const LONGEST_MS = 31 * DAY_MS

/** The bar before those that come next; null at the beginning. Plain data: it travels between two batches. */
export interface LastBar {
  readonly time: number
  readonly close: number
}

/** As the quality report has them. */
export interface MarketDays extends DayRule {
  readonly breaks?: DailyBreaks
}

export interface Fills {
  /** The bars that were made up, and they alone. */
  readonly columns: BarColumns
  readonly ranges: readonly FilledRange[]
  readonly last: LastBar | null
}

/** Bars for the gaps before and within `bars`, which follow `before`. */
export function fillGaps(bars: BarColumns, timeframe: Timeframe, sessions: boolean, before: LastBar | null, days: MarketDays = UTC_DAYS): Fills {
  const times: number[] = []
  const closes: number[] = []
  const ranges: FilledRange[] = []
  let last = before
  for (let i = 0; i < bars.length; i += 1) {
    const time = bars.time[i]!
    if (last !== null && isFillable(last.time, time, timeframe, sessions, days)) {
      let at = nextBar(last.time, timeframe, days)
      const from = at
      let to = at
      for (let left = timeframe.between(last.time + days.shiftMs, time + days.shiftMs); left > 0; left -= 1) {
        times.push(at)
        closes.push(last.close)
        to = at
        at = nextBar(at, timeframe, days)
      }
      ranges.push({ from, to })
    }
    last = { time, close: bars.close[i]! }
  }
  const flat = (): Float64Array => Float64Array.from(closes)
  return {
    columns: { length: times.length, time: Float64Array.from(times), open: flat(), high: flat(), low: flat(), close: flat(), volume: new Float64Array(times.length), ...(bars.adjclose === undefined ? {} : { adjclose: flat() }) },
    ranges, last,
  }
}

/** Months differ in length: the next one begins on the 1st of the bars' days. */
function nextBar(ms: number, timeframe: Timeframe, days: DayRule): number {
  if (days.shiftMs === 0 || !timeframe.name.endsWith('M')) return timeframe.next(ms)
  return startOfDay(timeframe.next(dayOf(ms, days) * DAY_MS) / DAY_MS, days)
}

function isFillable(afterMs: number, beforeMs: number, timeframe: Timeframe, sessions: boolean, { shiftMs, breaks = [] }: MarketDays): boolean {
  const missing = timeframe.between(afterMs + shiftMs, beforeMs + shiftMs)
  if (missing === 0 || missing > MOST_BARS || beforeMs - afterMs > LONGEST_MS) return false
  if (!sessions) return true
  // A whole day may be a holiday.
  if (timeframe.stepMs === DAY_MS || isDailyBreak(breaks, afterMs, beforeMs)) return false
  return dayGap(afterMs, beforeMs, timeframe.stepMs, missing, shiftMs)?.missing_bars !== undefined
}
