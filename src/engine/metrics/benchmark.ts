/** The run against its benchmark: buy-and-hold of the same bars, from the first close to the last, without costs. */
import { returnRatios } from './return-ratios.js'
import { deviationOf, meanOf } from './trade-columns.js'

const YEAR_MS = 365.25 * 86_400_000

export interface BenchmarkInput {
  readonly time: Float64Array
  readonly close: Float64Array
  /** Returns of bars from the second on, of the equity and of the closes. */
  readonly returns: Float64Array
  readonly market: Float64Array
  /** Percent. */
  readonly totalReturn: number
  readonly periodsPerYear: number
  /** Annual, a fraction. */
  readonly riskFree: number
}

/** Percent, and ratios; conventions as for the run itself. NaN where not defined. */
export function compareBenchmark({ time, close, returns, market, totalReturn, periodsPerYear, riskFree }: BenchmarkInput): Record<string, number> {
  const last = close.length - 1
  const growth = close[last]! / close[0]!
  const years = (time[last]! - time[0]!) / YEAR_MS
  const { volatility, sharpe, maxDrawdown, annualReturn } = returnRatios(market, periodsPerYear, riskFree / periodsPerYear)
  const active = new Float64Array(returns.length)
  for (let k = 0; k < active.length; k++) active[k] = returns[k]! - market[k]!
  const mean = meanOf(active)
  const error = deviationOf(active, mean)
  const root = Math.sqrt(periodsPerYear)
  return {
    total_return: (growth - 1) * 100,
    annual_return: annualReturn * 100,
    cagr: years > 0 ? (growth ** (1 / years) - 1) * 100 : NaN,
    volatility: volatility * 100,
    sharpe_ratio: sharpe,
    max_drawdown: maxDrawdown * 100,
    excess_return: totalReturn - (growth - 1) * 100,
    correlation: correlation(returns, market),
    tracking_error: error * root * 100,
    information_ratio: error > 1e-15 ? (mean / error) * root : NaN,
    up_capture: capture(returns, market, 1) * 100,
    down_capture: capture(returns, market, -1) * 100,
  }
}

function correlation(returns: Float64Array, market: Float64Array): number {
  const mean = meanOf(returns)
  const marketMean = meanOf(market)
  let covariance = 0, own = 0, other = 0
  for (let k = 0; k < returns.length; k++) {
    const deviation = returns[k]! - mean
    const marketDeviation = market[k]! - marketMean
    covariance += deviation * marketDeviation
    own += deviation * deviation
    other += marketDeviation * marketDeviation
  }
  return own > 1e-28 && other > 1e-28 ? covariance / Math.sqrt(own * other) : NaN
}

/** Sum of the returns of the bars on which the benchmark rose (1) or fell (-1) ÷ the benchmark's own sum there. */
function capture(returns: Float64Array, market: Float64Array, side: 1 | -1): number {
  let own = 0
  let other = 0
  for (let k = 0; k < market.length; k++) {
    if (side * market[k]! <= 0) continue
    own += returns[k]!
    other += market[k]!
  }
  return other === 0 ? NaN : own / other
}
