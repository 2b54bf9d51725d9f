/**
 * Higher timeframes of the bars a strategy is given: `higher('4h')` makes the longer bars, and `align` lays a column
 * of theirs over the base bars so that each base bar sees only what had closed by its own close.
 *
 * Bars are aligned as in the bar store: to UTC, days and longer ones to the days of the market where it has its own, and
 * shorter ones to the minute at which the base bars begin. The first is left out when the base bars begin inside it, the
 * last when they end before it does. How long a base bar is, and what a day is, the bars do not say: the first thousand
 * tell, so that later bars cannot change it.
 */
import type { BarColumns } from '../../market/layout.js'
import type { DayRule } from '../../base/bar-day.js'
import { dayOf, dayRuleOf, startOfDay } from '../../base/bar-day.js'
import { SweepmillError } from '../../base/errors.js'
import { civilFromDays, DAY_MS, daysFromCivil } from '../calendar/iso-time.js'

export interface HigherBars {
  /** The longer bars, closed ones alone. `time` is the start of each. Read-only, as all columns. */
  readonly bars: BarColumns
  /**
   * A column of the longer bars (an indicator, or one of `bars`) as a column of the base bars: the value of the last
   * longer bar that had closed by each base bar's close, NaN before the first. Cost: one pass over the base bars.
   */
  readonly align: (column: ArrayLike<number>) => Float64Array
}

/** `15m`, `4h`, `1d`, `1w`, `1M` → the bars of that timeframe. Throws STRATEGY_FAILED for one that the base bars do not divide. */
export type Higher = (timeframe: string) => HigherBars

interface Grid {
  /** Length; of the shortest month for months. */
  readonly stepMs: number
  startOf(ms: number): number
  next(startMs: number): number
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS }
/** 1970-01-05, the first Monday. */
const MONDAY_MS = 4 * DAY_MS
const NEIGHBOURS = 1000

/** The most frequent distance of the first neighbours, the smaller one in a tie; 0 for fewer than two bars. */
export function baseStepMs({ time }: BarColumns): number {
  const counts = new Map<number, number>()
  for (let i = 1; i < Math.min(time.length, NEIGHBOURS); i++) {
    const gap = time[i]! - time[i - 1]!
    counts.set(gap, (counts.get(gap) ?? 0) + 1)
  }
  let best = 0
  for (const [gap, count] of counts) {
    const most = counts.get(best) ?? 0
    if (count > most || (count === most && gap < best)) best = gap
  }
  return best
}

/** Kept while the bars are: a sweep asks for the same timeframe in every trial. By their closes, because adjusted bars share the times of the others. */
const made = new WeakMap<Float64Array, Map<string, HigherBars>>()

/** What the first bars say of all: how long one is, when in it they begin, and what a day is. */
export interface BaseGrid {
  readonly stepMs: number
  readonly phaseMs: number
  readonly days: DayRule
}

export function baseGrid(bars: BarColumns, stepMs: number = baseStepMs(bars)): BaseGrid {
  const first = bars.time.subarray(0, NEIGHBOURS)
  return { stepMs, phaseMs: stepMs > 0 && stepMs < DAY_MS ? mostFrequent(first.map((ms) => ((ms % stepMs) + stepMs) % stepMs)) : 0, days: dayRuleOf(first) }
}

/** The smaller one in a tie; 0 without any. */
function mostFrequent(values: Float64Array): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce(([best, most], [value, count]) => (count > most || (count === most && value < best) ? [value, count] : [best, most]), [0, 0])[0]
}

/** The `higher` of these bars. `base` is the grid of the base bars, or the length of one, where it is known. Bars of one timeframe are made once. */
export function higherOf(bars: BarColumns, base?: BaseGrid | number): Higher {
  return (timeframe) => {
    const grid = typeof base === 'object' ? base : baseGrid(bars, base)
    const { stepMs } = grid
    const key = `${timeframe} ${stepMs} ${grid.phaseMs} ${grid.days.shiftMs}`
    const known = made.get(bars.close) ?? new Map<string, HigherBars>()
    made.set(bars.close, known)
    const found = known.get(key) ?? makeHigher(bars, timeframe, grid)
    known.set(key, found)
    return found
  }
}

function makeHigher(bars: BarColumns, timeframe: string, base: BaseGrid): HigherBars {
  const { stepMs } = base
  const grid = inMarket(parseGrid(timeframe), base)
  if (stepMs > 0 && !divides(stepMs, grid, timeframe)) {
    throw new SweepmillError('STRATEGY_FAILED',
      `higher("${timeframe}") is not made of whole bars of these data, which are ${lengthText(stepMs)} long: ask for a multiple of that.`, { details: { timeframe, base_ms: stepMs } })
  }
  const { time, length } = bars
  const starts: number[] = []
  const bounds: number[] = []
  const ends: number[] = []
  // By daylight saving a day may begin an hour after the earliest one.
  const coveredFrom = stepMs === DAY_MS && base.days.shiftMs !== 0 ? startOfDay(dayOf(time[0] ?? 0, base.days), base.days) : time[0] ?? 0
  const coveredTo = length === 0 ? 0 : time[length - 1]! + stepMs
  for (let i = 0; i < length;) {
    const start = grid.startOf(time[i]!)
    const end = grid.next(start)
    let to = i + 1
    while (to < length && time[to]! < end) to++
    if (start >= coveredFrom && end <= coveredTo && stepMs > 0) {
      starts.push(start)
      ends.push(end)
      bounds.push(i, to)
    }
    i = to
  }
  const gathered = gather(bars, starts, bounds)
  const align = (column: ArrayLike<number>): Float64Array => {
    if (column.length !== starts.length) {
      throw new SweepmillError('STRATEGY_FAILED',
        `higher("${timeframe}").align was given a column of ${column.length} values, but has ${starts.length} bars: align columns made of its own bars.`, { details: { timeframe } })
    }
    const out = new Float64Array(length).fill(NaN)
    let closed = 0
    for (let i = 0; i < length; i++) {
      const now = time[i]! + stepMs
      while (closed < ends.length && ends[closed]! <= now) closed++
      if (closed > 0) out[i] = column[closed - 1]!
    }
    return out
  }
  return { bars: gathered, align }
}

/** Open of the first, extremes, close (and adjclose) of the last, volume as a sum in order. */
function gather(bars: BarColumns, starts: readonly number[], bounds: readonly number[]): BarColumns {
  const length = starts.length
  const column = (): Float64Array => new Float64Array(length)
  const { adjclose: adjusted } = bars
  const [open, high, low, close, volume, adjclose] = [column(), column(), column(), column(), column(), column()]
  for (let k = 0; k < length; k++) {
    const from = bounds[2 * k]!
    const to = bounds[2 * k + 1]!
    let highest = bars.high[from]!
    let lowest = bars.low[from]!
    let sum = 0
    for (let i = from; i < to; i++) {
      highest = Math.max(highest, bars.high[i]!)
      lowest = Math.min(lowest, bars.low[i]!)
      sum += bars.volume[i]!
    }
    open[k] = bars.open[from]!
    high[k] = highest
    low[k] = lowest
    close[k] = bars.close[to - 1]!
    volume[k] = sum
    if (adjusted !== undefined) adjclose[k] = adjusted[to - 1]!
  }
  return { length, time: Float64Array.from(starts), open, high, low, close, volume, ...(adjusted === undefined ? {} : { adjclose }) }
}

function parseGrid(timeframe: unknown): Grid {
  const [, digits = '', letter = ''] = /^(\d{1,4})([smhdwHDWM])$/.exec(String(timeframe).trim()) ?? []
  const count = Number(digits)
  if (letter === '' || count === 0) {
    throw new SweepmillError('STRATEGY_FAILED', `higher("${String(timeframe)}") names no timeframe. Write a count and a unit: 15m, 4h, 1d, 1w, or 1M for a month.`, { details: { timeframe: String(timeframe) } })
  }
  if (letter === 'M') return months(count)
  const stepMs = count * UNITS[letter.toLowerCase()]!
  const origin = stepMs % (7 * DAY_MS) === 0 ? MONDAY_MS : 0
  return { stepMs, startOf: (ms) => Math.floor((ms - origin) / stepMs) * stepMs + origin, next: (startMs) => startMs + stepMs }
}

/** Days, weeks and months of the market; shorter ones begin where the base bars do. */
function inMarket(grid: Grid, { phaseMs, days }: BaseGrid): Grid {
  const isDays = grid.stepMs % DAY_MS === 0
  if (isDays ? days.shiftMs === 0 : phaseMs === 0) return grid
  const zoneMs = isDays ? days.zoneMs : -phaseMs
  return {
    stepMs: grid.stepMs,
    startOf: (ms) => grid.startOf(isDays ? Math.floor((ms + days.shiftMs) / DAY_MS) * DAY_MS : ms - phaseMs) - zoneMs,
    next: (startMs) => grid.next(startMs + zoneMs) - zoneMs,
  }
}

function months(count: number): Grid {
  const indexOf = (ms: number): number => {
    const { year, month } = civilFromDays(Math.floor(ms / DAY_MS))
    return year * 12 + month - 1
  }
  const startOfIndex = (index: number): number => daysFromCivil(Math.floor(index / 12), (index % 12) + 1, 1) * DAY_MS
  return { stepMs: count * 28 * DAY_MS, startOf: (ms) => startOfIndex(Math.floor(indexOf(ms) / count) * count), next: (startMs) => startOfIndex(indexOf(startMs) + count) }
}

/** A month is whole days and no whole weeks. Monthly bars are 28 to 31 days apart and make longer months. */
function divides(stepMs: number, grid: Grid, timeframe: string): boolean {
  if (stepMs > grid.stepMs && !(timeframe.trim().endsWith('M') && stepMs <= 31 * DAY_MS)) return false
  if (timeframe.trim().endsWith('M')) return DAY_MS % stepMs === 0 || (stepMs >= 28 * DAY_MS && stepMs <= 31 * DAY_MS)
  return grid.stepMs % stepMs === 0
}

function lengthText(stepMs: number): string {
  const found = ['w', 'd', 'h', 'm', 's'].find((unit) => stepMs % (UNITS[unit] ?? 1) === 0)
  return found === undefined ? `${stepMs} ms` : `${stepMs / UNITS[found]!}${found}`
}
