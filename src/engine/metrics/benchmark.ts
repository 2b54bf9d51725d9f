/** The run against its benchmark: buy-and-hold of the same bars, from the first close to the last, without costs. */
import type { ReturnPairs } from './return-pairs.js'
import type { ReturnSums } from './return-ratios.js'
import { ratiosOf, varies } from './return-ratios.js'

const YEAR_MS = 365.25 * 86_400_000

export interface BenchmarkInput {
  readonly time: Float64Array
  readonly close: Float64Array
  /** Sums of the returns of bars from the second on, of the equity and of the closes, and of both together. */
  readonly sums: ReturnSums
  readonly marketSums: ReturnSums
  readonly pairs: ReturnPairs
  /** Percent. */
  readonly totalReturn: number
  readonly periodsPerYear: number
  /** Annual, a fraction. */
  readonly riskFree: number
}

/** Percent, and ratios; conventions as for the run itself. NaN where not defined. */
export function compareBenchmark({ time, close, sums, marketSums, pairs, totalReturn, periodsPerYear, riskFree }: BenchmarkInput): Record<string, number> {
  const last = close.length - 1
  const growth = close[last]! / close[0]!
  const years = (time[last]! - time[0]!) / YEAR_MS
  const { volatility, sharpe, annualReturn } = ratiosOf(marketSums, periodsPerYear, riskFree / periodsPerYear)
  const active = sums.sum / sums.count - marketSums.sum / marketSums.count
  const error = sums.count > 1 ? Math.sqrt(pairs.activeSquares / (sums.count - 1)) : NaN
  const root = Math.sqrt(periodsPerYear)
  return {
    total_return: (growth - 1) * 100,
    annual_return: annualReturn * 100,
    cagr: years > 0 ? (growth ** (1 / years) - 1) * 100 : NaN,
    volatility: volatility * 100,
    sharpe_ratio: sharpe,
    max_drawdown: marketSums.maxDrawdown * 100,
    excess_return: totalReturn - (growth - 1) * 100,
    correlation: varies(sums) && varies(marketSums) ? pairs.covariance / Math.sqrt(sums.squares * marketSums.squares) : NaN,
    tracking_error: error * root * 100,
    information_ratio: error > 1e-15 ? (active / error) * root : NaN,
    up_capture: (pairs.upOwn / pairs.upMarket) * 100,
    down_capture: (pairs.downOwn / pairs.downMarket) * 100,
  }
}
