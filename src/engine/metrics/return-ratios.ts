/**
 * Ratios of a column of returns as empyrical defines them (vectorbt computes the same with its own year and one
 * return more). A NaN among the returns counts as a period and is left out of every mean, as numpy's nan-functions
 * do. All in fractions; NaN where not defined.
 */
export interface ReturnRatios {
  readonly totalReturn: number
  readonly annualReturn: number
  readonly volatility: number
  readonly sharpe: number
  readonly sortino: number
  readonly calmar: number
  readonly maxDrawdown: number
  readonly omega: number
  readonly downsideRisk: number
  /** Per period, not annual. */
  readonly mean: number
  readonly deviation: number
}

/** `riskFree` is per period and enters Sharpe and Omega alone. */
export function returnRatios(returns: Float64Array, perYear: number, riskFree: number): ReturnRatios {
  let level = 1, peak = 1, maxDrawdown = 0
  let count = 0, sum = 0, below = 0, gains = 0, losses = 0
  for (const value of returns) {
    if (Number.isNaN(value)) continue
    count++
    sum += value
    level *= 1 + value
    if (level > peak) peak = level
    else if (level / peak - 1 < maxDrawdown) maxDrawdown = level / peak - 1
    if (value < 0) below += value * value
    const excess = value - riskFree
    if (excess > 0) gains += excess
    else losses -= excess
  }
  const mean = sum / count
  let squares = 0
  for (const value of returns) {
    if (Number.isNaN(value)) continue
    const difference = value - mean
    squares += difference * difference
  }
  const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : NaN
  const root = Math.sqrt(perYear)
  const annualReturn = returns.length > 0 ? level ** (perYear / returns.length) - 1 : NaN
  const downsideRisk = Math.sqrt(below / count) * root
  // A deviation at the level of rounding is none; the libraries divide by it and print 1e15.
  const varies = deviation > 1e-15 && deviation > 1e-12 * Math.abs(mean)
  return {
    totalReturn: level - 1, annualReturn, volatility: deviation * root,
    sharpe: varies ? ((mean - riskFree) / deviation) * root : NaN,
    sortino: downsideRisk > 0 ? (mean * perYear) / downsideRisk : NaN,
    calmar: maxDrawdown < 0 ? annualReturn / -maxDrawdown : NaN,
    maxDrawdown,
    omega: losses > 0 ? gains / losses : NaN,
    downsideRisk, mean, deviation,
  }
}

/** r² of a straight line through the cumulative log returns (empyrical's stability). */
export function stability(returns: Float64Array): number {
  const n = returns.length
  const middle = (n - 1) / 2
  const logs = new Float64Array(n)
  let log = 0
  let sum = 0
  for (let k = 0; k < n; k++) {
    if (returns[k] !== 0) log += Math.log1p(returns[k]!)
    logs[k] = log
    sum += log
  }
  const mean = sum / n
  let covariance = 0
  let variance = 0
  for (let k = 0; k < n; k++) {
    const deviation = logs[k]! - mean
    covariance += (k - middle) * deviation
    variance += deviation * deviation
  }
  const places = (n * (n * n - 1)) / 12
  return variance > 0 && n > 1 ? (covariance / places) * (covariance / variance) : NaN
}
