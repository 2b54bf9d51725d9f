/** When the bars of a series begin and end: the first and last of its days, its last bar, and the minute at which bars begin. */
import { dayOf, startOfDay } from '../base/bar-day.js'
import type { DayRule } from '../base/bar-day.js'
import { wholeSessions } from './sessions.js'
import type { SessionEdges } from './sessions.js'
import { DAY_MS } from './timeframe.js'
import type { Timeframe } from './timeframe.js'

export interface DayEdges {
  readonly first_day: 'whole' | 'short'
  readonly last_day: 'whole' | 'short' | 'open'
}

/** What a scan knows of them. */
interface Ends {
  readonly edges: SessionEdges
  readonly firstTime: number
  readonly lastTime: number
  readonly weekdays: number
}

const WEEK_MS = 7 * DAY_MS
const THURSDAY = 1 << 4
const FRIDAY = 1 << 5

/** When the last bar ends. A week that is named by its Friday (Thursday before a holiday) ends with that day, or with its close. */
export function endOfLast({ lastTime, weekdays }: Ends, timeframe: Timeframe, days: DayRule): number {
  if (timeframe.stepMs < DAY_MS) return lastTime + timeframe.stepMs
  // Stamped at a close after midnight UTC: it is over then.
  if (days.zoneMs <= -DAY_MS) return lastTime
  const day = dayOf(lastTime, days)
  if (timeframe.stepMs === WEEK_MS && (weekdays & FRIDAY) > 0 && (weekdays & ~(THURSDAY | FRIDAY)) === 0) {
    return days.shiftMs === 0 && lastTime % DAY_MS > DAY_MS / 2 ? lastTime : startOfDay(day + 1, days)
  }
  return timeframe.next(timeframe.startOf(day * DAY_MS)) - days.zoneMs
}

export function edgesOf({ edges, firstTime, lastTime }: Ends, timeframe: Timeframe, days: DayRule, nowMs: number): DayEdges {
  if (timeframe.stepMs >= DAY_MS) return { first_day: 'whole', last_day: 'whole' }
  const whole = wholeSessions(edges, firstTime, lastTime)
  const isOver = startOfDay(dayOf(lastTime, days) + 1, days) <= nowMs
  return { first_day: whole.first ? 'whole' : 'short', last_day: whole.last ? 'whole' : isOver ? 'short' : 'open' }
}

/** The most frequent one; null without any. */
export function mostOf(counts: Readonly<Record<string, number>>): number | null {
  const [most] = Object.entries(counts).toSorted(([, a], [, b]) => b - a)
  return most === undefined ? null : Number(most[0])
}

/** How far bars begin after those of UTC; a run of equal ones is counted at once. */
export function notePhases(phases: Record<string, number>, time: Float64Array, timeframe: Timeframe): void {
  const { stepMs } = timeframe
  if (stepMs >= DAY_MS) return
  let from = 0
  for (let i = 1; i <= time.length; i += 1) {
    if (i < time.length && time[i]! % stepMs === time[from]! % stepMs) continue
    const key = String(((time[from]! % stepMs) + stepMs) % stepMs)
    if (key in phases || Object.keys(phases).length < 50) phases[key] = (phases[key] ?? 0) + i - from
    from = i
  }
}
