/**
 * What the charts of a backtest draw, on the one x axis that they share. Everything is computed and thinned here, in a
 * thread; the page's script only draws.
 */
import type { BarColumns } from '../../market/layout.js'
import { dayRuleOf } from '../../base/bar-day.js'
import { parseIsoTime } from '../calendar/iso-time.js'
import { medianGap } from '../metrics/bar-calendar.js'
import { candlesOn, chartGrid, drawdown, lastOn, lineOn, lowestOn } from './chart-grid.js'
import type { Candles, ChartGrid, ChartLine, Points } from './chart-grid.js'
import type { IndicatorLine } from './indicator-record.js'
import { rollingSharpe, sharpeWindow } from './rolling-sharpe.js'
import { chosenTrades, numbersOf, textsOf } from './trade-rows.js'
import type { TradeRows } from './trade-rows.js'

/** So many trades are marked in the price chart: all, or the first and last and the largest wins and losses. */
const MARKED = 2000
const MARKED_AT_ENDS = 500
const MARKED_EXTREMES = 500

/** [number, side, entry time, entry price, exit time, exit price, pnl, return in percent]; times in seconds. */
export type TradeMark = readonly [number: number, side: 1 | -1, entry: number, entryPrice: number, exit: number, exitPrice: number, pnl: number, percent: number]

/** Of 23 hours where daylight saving begins. */
const LEAST_DAY_MS = 20 * 3_600_000

export interface BacktestCharts {
  readonly name: string
  readonly holdName: string
  readonly time: readonly number[]
  /** Seconds from the time of a bar of a day or longer into its day; 0: times are shown as they are. */
  readonly dayShift: number
  readonly barsPerPoint: number
  readonly equity: ChartLine
  readonly hold: Points
  readonly drawdown: Points
  readonly price: Candles | null
  readonly indicators: readonly IndicatorLine[]
  readonly marks: readonly TradeMark[]
  readonly sharpe: Points | null
}

export interface ChartInput {
  readonly name: string
  /** What the equity is held against: its name, and its price at each bar. */
  readonly holdName: string
  readonly hold: Float64Array
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly initialCash: number
  readonly periodsPerYear: number
  readonly riskFree: number
  /** Null where there is no one price, as in a portfolio. */
  readonly bars: BarColumns | null
  readonly indicators: (grid: ChartGrid) => readonly IndicatorLine[]
  readonly trades: TradeRows
}

export interface MadeCharts {
  readonly charts: BacktestCharts
  /** Returns in the window of the rolling Sharpe ratio; null where the run is too short for one. */
  readonly sharpeWindow: number | null
  readonly markedTrades: number
}

export function backtestCharts(input: ChartInput): MadeCharts {
  const { time, equity, initialCash, hold, bars, trades } = input
  const grid = chartGrid(time)
  const first = hold[0] ?? 1
  const window = sharpeWindow(input.periodsPerYear)
  // A window that fills only at the very end is no curve.
  const sharpe = equity.length > 1.5 * window ? lastOn(grid, rollingSharpe(equity, window, input.periodsPerYear, input.riskFree).values) : null
  const marks = bars === null ? [] : tradeMarks(trades)
  return {
    charts: {
      name: input.name, holdName: input.holdName, time: grid.time, dayShift: dayShiftOf(time), barsPerPoint: grid.barsPerPoint,
      equity: lineOn(grid, equity), hold: lastOn(grid, hold.map((price) => (initialCash * price) / first)), drawdown: lowestOn(grid, drawdown(equity, initialCash)),
      price: bars === null ? null : candlesOn(grid, bars), indicators: bars === null ? [] : input.indicators(grid), marks, sharpe,
    },
    sharpeWindow: sharpe === null ? null : window,
    markedTrades: marks.length,
  }
}

/** A day in Tokyo is shown by its date, and not as 15:00 UTC of the day before. */
function dayShiftOf(time: Float64Array): number {
  return medianGap(time) >= LEAST_DAY_MS ? dayRuleOf(time).shiftMs / 1000 : 0
}

function tradeMarks(trades: TradeRows): TradeMark[] {
  const pnl = numbersOf(trades, 'pnl'), returns = numbersOf(trades, 'return'), entryPrice = numbersOf(trades, 'entry_price'), exitPrice = numbersOf(trades, 'exit_price')
  if (pnl === null || returns === null || entryPrice === null || exitPrice === null) return []
  const sides = textsOf(trades, 'side'), entries = textsOf(trades, 'entry_time'), exits = textsOf(trades, 'exit_time')
  return chosenTrades(pnl, MARKED, MARKED_AT_ENDS, MARKED_EXTREMES).map((i): TradeMark => [
    i + 1, sides[i] === 'short' ? -1 : 1, (parseIsoTime(entries[i] ?? '') ?? 0) / 1000, short(entryPrice[i]!), (parseIsoTime(exits[i] ?? '') ?? 0) / 1000, short(exitPrice[i]!),
    short(pnl[i]!), short(returns[i]! * 100),
  ])
}

function short(value: number): number {
  return Number(value.toPrecision(7))
}
