/** What the metrics need of closed trades, as columns: a TradeLog has them, and a test can write them down. */
import type { TradeLog } from '../simulate/trade-log.js'
import { ENTRY_BAR, ENTRY_PRICE, EXIT_BAR, EXIT_PRICE, FEES, PNL, RETURN, UNITS } from '../simulate/trade-log.js'

/** Bars count from the first bar of the columns that were simulated. Trades may overlap. */
export interface TradeColumns {
  readonly count: number
  /** Negative for a short. */
  readonly units: Float64Array
  readonly entryBar: Float64Array
  readonly entryPrice: Float64Array
  readonly exitBar: Float64Array
  readonly exitPrice: Float64Array
  readonly pnl: Float64Array
  readonly return: Float64Array
  readonly fees: Float64Array
}

export function tradeColumns(trades: TradeLog): TradeColumns {
  const column = (index: number): Float64Array => Float64Array.from({ length: trades.count }, (_, k) => trades.at(k, index))
  return {
    count: trades.count, units: column(UNITS), entryBar: column(ENTRY_BAR), entryPrice: column(ENTRY_PRICE),
    exitBar: column(EXIT_BAR), exitPrice: column(EXIT_PRICE), pnl: column(PNL), return: column(RETURN), fees: column(FEES),
  }
}

export function sumOf(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/** NaN of nothing. */
export function meanOf(values: Float64Array): number {
  return sumOf(values) / values.length
}

/** Sample deviation (ddof 1) in two passes; NaN below two values. */
export function deviationOf(values: Float64Array, mean = meanOf(values)): number {
  if (values.length < 2) return NaN
  let squares = 0
  for (const value of values) {
    const difference = value - mean
    squares += difference * difference
  }
  return Math.sqrt(squares / (values.length - 1))
}
