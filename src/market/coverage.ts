/**
 * What the bars of a series cover, from start to end: longer bars are made only where all of it is covered. A market with
 * sessions covers its days from midnight to midnight, though it trades but some hours of them, and the weekend beside them.
 */
import { dayOf, startOfDay, UTC_DAYS } from '../base/bar-day.js'
import type { QualityReport } from './quality.js'
import { isWeekend } from './sessions.js'
import { DAY_MS } from './timeframe.js'
import type { Timeframe } from './timeframe.js'

export interface Coverage {
  /** Included. */
  readonly fromMs: number
  /** Excluded; a last bar that was not finished when it came lies after it. */
  readonly toMs: number
  readonly warnings: readonly string[]
  /** Of longer bars alone. */
  readonly madeWarnings: readonly string[]
}

export function coverageOf(firstMs: number, lastMs: number, stored: Timeframe, quality: QualityReport | null): Coverage {
  const days = quality?.days ?? { ...UTC_DAYS, phaseMs: 0 }
  const rests = quality?.calendar === 'sessions' && stored.stepMs <= DAY_MS
  const isWhole = (edge: string | undefined): boolean => stored.stepMs >= DAY_MS || edge !== 'short' && edge !== 'open'
  const first = firstDay(dayOf(firstMs, days), rests)
  const fromMs = (rests && isWhole(quality.first_day)) || stored.stepMs === DAY_MS ? Math.min(firstMs, startOfDay(first, days)) : firstMs
  if (quality?.partial_last_bar === true && Date.parse(quality.last_time) === lastMs) {
    return { fromMs, toMs: lastMs, warnings: [`The last stored bar (${new Date(lastMs).toISOString()}) was not finished when it was imported and is left out.`], madeWarnings: [] }
  }
  const day = dayOf(lastMs, days)
  const endMs = endOf(lastMs, stored, quality)
  if (!rests || (stored.stepMs < DAY_MS && quality.last_day === 'open')) return { fromMs, toMs: endMs, warnings: [], madeWarnings: [] }
  let next = day + 1
  while (isWeekend(next * DAY_MS)) next += 1
  const isShort = stored.stepMs < DAY_MS && quality.last_day === 'short'
  return {
    fromMs, toMs: Math.max(endMs, startOfDay(next, days)),
    warnings: [],
    madeWarnings: isShort ? [`The last day (${new Date(day * DAY_MS).toISOString().slice(0, 10)}) ends earlier than others do, at ${new Date(endMs).toISOString()}: longer bars take it for an early close.`] : [],
  }
}

/** A weekend before the first day is covered too. */
function firstDay(day: number, rests: boolean): number {
  let first = day
  if (rests) while (isWeekend((first - 1) * DAY_MS)) first -= 1
  return first
}

function endOf(lastMs: number, stored: Timeframe, quality: QualityReport | null): number {
  if (stored.stepMs < DAY_MS) return lastMs + stored.stepMs
  const days = quality?.days ?? UTC_DAYS
  if (stored.stepMs < 28 * DAY_MS && stored.stepMs > DAY_MS) return lastMs + stored.stepMs
  return stored.next(stored.startOf(dayOf(lastMs, days) * DAY_MS)) - days.zoneMs
}
