/**
 * Sums over a column of returns in two passes, and the ratios that empyrical, vectorbt and quantstats make of them.
 * Every library reads the same sums: half a million returns cost a millisecond a pass. A NaN among the returns
 * counts as a period and is left out of every mean, as numpy's nan-functions do. Fractions; NaN where not defined.
 */
export interface ReturnSums {
  /** Periods, and how many of them have a return. */
  readonly length: number
  readonly count: number
  readonly sum: number
  /** Sum of squared differences from the mean. */
  readonly squares: number
  /** Sum of squared negative returns. */
  readonly below: number
  readonly wins: number
  readonly won: number
  readonly losses: number
  /** Positive. */
  readonly lost: number
  /** Product of 1 + return. */
  readonly growth: number
  /** Negative fraction of the running peak, which starts before the first return. */
  readonly maxDrawdown: number
}

export function sumReturns(returns: Float64Array): ReturnSums {
  const { length } = returns
  let level = 1, peak = 1, lowest = 1
  let count = 0, sum = 0, below = 0, wins = 0, won = 0, losses = 0, lost = 0
  for (let k = 0; k < length; k++) {
    const value = returns[k]!
    if (value > 0) {
      wins++
      won += value
      level *= 1 + value
      if (level > peak) peak = level
    } else if (value < 0) {
      losses++
      lost -= value
      below += value * value
      level *= 1 + value
      if (level < lowest * peak) lowest = level / peak
    } else if (Number.isNaN(value)) continue
    count++
    sum += value
  }
  const mean = sum / count
  let squares = 0
  for (let k = 0; k < length; k++) {
    const difference = returns[k]! - mean
    if (!Number.isNaN(difference)) squares += difference * difference
  }
  return { length, count, sum, squares, below, wins, won, losses, lost, growth: level, maxDrawdown: lowest - 1 }
}

/** The same sums with one return more in front (Chan's formula for the squares); the drawdown is not redone. */
export function withFirst(sums: ReturnSums, first: number): ReturnSums {
  const { count, sum } = sums
  const difference = count > 0 ? first - sum / count : 0
  return {
    length: sums.length + 1, count: count + 1, sum: sum + first,
    squares: sums.squares + (difference * difference * count) / (count + 1),
    below: sums.below + (first < 0 ? first * first : 0),
    wins: sums.wins + (first > 0 ? 1 : 0), won: sums.won + Math.max(first, 0),
    losses: sums.losses + (first < 0 ? 1 : 0), lost: sums.lost + Math.max(-first, 0),
    growth: sums.growth * (1 + first), maxDrawdown: sums.maxDrawdown,
  }
}

/** Sums of the returns above and below a threshold, both positive. */
export function excessSums(returns: Float64Array, sums: ReturnSums, threshold: number): { above: number; under: number; underSquares: number } {
  if (threshold === 0) return { above: sums.won, under: sums.lost, underSquares: sums.below }
  let above = 0, under = 0, underSquares = 0
  for (let k = 0; k < returns.length; k++) {
    const excess = returns[k]! - threshold
    if (excess > 0) above += excess
    else if (excess < 0) {
      under -= excess
      underSquares += excess * excess
    }
  }
  return { above, under, underSquares }
}

export interface ReturnRatios {
  readonly annualReturn: number
  readonly volatility: number
  readonly sharpe: number
  readonly sortino: number
  readonly downsideRisk: number
}

export function meanOfSums({ sum, count }: ReturnSums): number {
  return sum / count
}

/** Sample deviation of the returns, per period. */
export function deviationOfSums({ squares, count }: ReturnSums): number {
  return count > 1 ? Math.sqrt(squares / (count - 1)) : NaN
}

/** A deviation at the level of rounding is none; the libraries divide by it and print 1e15. */
export function varies(sums: ReturnSums): boolean {
  const deviation = deviationOfSums(sums)
  return deviation > 1e-15 && deviation > 1e-12 * Math.abs(meanOfSums(sums))
}

/** empyrical's formulas; `riskFree` is per period and enters Sharpe alone. */
export function ratiosOf(sums: ReturnSums, perYear: number, riskFree: number): ReturnRatios {
  const mean = meanOfSums(sums)
  const deviation = deviationOfSums(sums)
  const root = Math.sqrt(perYear)
  const downsideRisk = Math.sqrt(sums.below / sums.count) * root
  return {
    annualReturn: sums.length > 0 ? sums.growth ** (perYear / sums.length) - 1 : NaN,
    volatility: deviation * root,
    sharpe: varies(sums) ? ((mean - riskFree) / deviation) * root : NaN,
    sortino: downsideRisk > 0 ? (mean * perYear) / downsideRisk : NaN,
    downsideRisk,
  }
}

/** r² of a straight line through the cumulative log returns (empyrical's stability). */
export function stability(returns: Float64Array): number {
  const n = returns.length
  const middle = (n - 1) / 2
  let log = 0, sum = 0, squares = 0, covariance = 0
  for (let k = 0; k < n; k++) {
    const value = returns[k]!
    if (value !== 0) log += Math.log1p(value)
    sum += log
    squares += log * log
    covariance += (k - middle) * log
  }
  const variance = squares - (sum * sum) / n
  const places = (n * (n * n - 1)) / 12
  return variance > 1e-12 * squares && n > 1 ? (covariance / places) * (covariance / variance) : NaN
}
