/**
 * The x axis that all charts of a page share: up to EXACT_POINTS bars stand as they are, more are gathered into
 * at most POINTS groups of equal size. A group keeps its lowest and highest value beside its last one, and prices
 * keep open, high, low and close, which is the candle of a longer timeframe: nothing that happened is hidden.
 * Cost: one pass over each column.
 */
import type { BarColumns } from '../../market/layout.js'

const EXACT_POINTS = 6000
const POINTS = 3000

/** What a chart draws; null where there is no value. */
export type Points = readonly (number | null)[]

export interface ChartGrid {
  readonly bars: number
  readonly barsPerPoint: number
  readonly points: number
  /** Seconds since 1970 of the last bar of each point. */
  readonly time: readonly number[]
}

/** One line: the last value of each point, and the range within it where a point is more than a bar. */
export interface ChartLine {
  readonly last: Points
  readonly low?: Points
  readonly high?: Points
}

export function chartGrid(timeMs: Float64Array): ChartGrid {
  const bars = timeMs.length
  const barsPerPoint = bars <= EXACT_POINTS ? 1 : Math.ceil(bars / POINTS)
  const points = Math.ceil(bars / barsPerPoint)
  const time = Array.from({ length: points }, (_, p) => timeMs[lastBar(p, barsPerPoint, bars)]! / 1000)
  return { bars, barsPerPoint, points, time }
}

function lastBar(point: number, barsPerPoint: number, bars: number): number {
  return Math.min((point + 1) * barsPerPoint, bars) - 1
}

/** Seven digits are more than a screen shows and keep the page small. */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : null
}

export function lastOn({ bars, barsPerPoint, points }: ChartGrid, column: Float64Array): Points {
  return Array.from({ length: points }, (_, p) => rounded(column[lastBar(p, barsPerPoint, bars)]!))
}

export function lowestOn(grid: ChartGrid, column: Float64Array): Points {
  return fold(grid, column, Math.min, Infinity)
}

export function highestOn(grid: ChartGrid, column: Float64Array): Points {
  return fold(grid, column, Math.max, -Infinity)
}

function fold({ bars, barsPerPoint, points }: ChartGrid, column: Float64Array, pick: (a: number, b: number) => number, start: number): Points {
  return Array.from({ length: points }, (_, p) => {
    let found = start
    const to = Math.min((p + 1) * barsPerPoint, bars)
    for (let i = p * barsPerPoint; i < to; i += 1) {
      const value = column[i]!
      // NaN is "not yet defined" and hides no other value of its group.
      if (value === value) found = pick(found, value)
    }
    return rounded(found)
  })
}

/** The column as a line; columns as long as the grid's bars. */
export function lineOn(grid: ChartGrid, column: Float64Array): ChartLine {
  const last = lastOn(grid, column)
  return grid.barsPerPoint === 1 ? { last } : { last, low: lowestOn(grid, column), high: highestOn(grid, column) }
}

export interface Candles {
  readonly open: Points
  readonly high: Points
  readonly low: Points
  readonly close: Points
}

export function candlesOn(grid: ChartGrid, { open, high, low, close }: Pick<BarColumns, 'open' | 'high' | 'low' | 'close'>): Candles {
  return {
    open: Array.from({ length: grid.points }, (_, p) => rounded(open[p * grid.barsPerPoint]!)),
    high: highestOn(grid, high), low: lowestOn(grid, low), close: lastOn(grid, close),
  }
}

/** Percent below the highest value so far: 0 or negative. The peak starts at `start`, the initial cash. */
export function drawdown(equity: Float64Array, start = Number.NEGATIVE_INFINITY): Float64Array {
  const below = new Float64Array(equity.length)
  let peak = start
  for (let i = 0; i < equity.length; i += 1) {
    const value = equity[i]!
    if (value > peak) peak = value
    below[i] = (value / peak - 1) * 100
  }
  return below
}
