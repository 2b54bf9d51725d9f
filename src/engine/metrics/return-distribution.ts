/**
 * The shape of the returns of bars: tails, moments, gains against losses. Too slow for every trial of a sweep
 * (it orders the tails), so only single backtests compute it. Formulas: percentiles interpolate linearly (numpy); CVaR is
 * the mean of the lowest int((n - 1) × 0.05) + 1 returns (empyrical); skew and kurtosis are bias-corrected as
 * in pandas, kurtosis in excess of the normal's. NaN where not defined.
 */
import type { Tails } from './order-statistics.js'
import type { ReturnSums } from './return-ratios.js'

export interface ReturnDistribution {
  readonly valueAtRisk: number
  readonly conditionalValueAtRisk: number
  readonly omega: number
  readonly tailRatio: number
  readonly skew: number
  readonly kurtosis: number
  /** Without the correction for bias; kurtosis is raw here (3 for a normal distribution). */
  readonly populationSkew: number
  readonly populationKurtosis: number
}

type Moments = Pick<ReturnDistribution, 'skew' | 'kurtosis' | 'populationSkew' | 'populationKurtosis'>

/** `tails` and sums: of the same returns. */
export function describeReturns(returns: Float64Array, tails: Tails, { won, lost, sum }: ReturnSums): ReturnDistribution {
  const n = returns.length
  const low = tails.quantile(0.05)
  const high = tails.quantile(0.95)
  const worst = Math.floor((n - 1) * 0.05) + 1
  return {
    valueAtRisk: low,
    conditionalValueAtRisk: n > 0 ? tails.sumOfLowest(worst) / worst : NaN,
    omega: lost > 0 ? won / lost : NaN,
    tailRatio: low === 0 ? NaN : Math.abs(high) / Math.abs(low),
    ...moments(returns, sum / n),
  }
}

function moments(returns: Float64Array, mean: number): Moments {
  const n = returns.length
  let second = 0, third = 0, fourth = 0
  for (let k = 0; k < n; k++) {
    const deviation = returns[k]! - mean
    const square = deviation * deviation
    second += square
    third += square * deviation
    fourth += square * square
  }
  const variance = second / n
  if (!(variance > 1e-30)) return { skew: NaN, kurtosis: NaN, populationSkew: NaN, populationKurtosis: NaN }
  const g1 = third / n / (variance * Math.sqrt(variance))
  const g2 = fourth / n / (variance * variance) - 3
  return {
    skew: n > 2 ? (Math.sqrt(n * (n - 1)) / (n - 2)) * g1 : NaN,
    kurtosis: n > 3 ? ((n - 1) / ((n - 2) * (n - 3))) * ((n + 1) * g2 + 6) : NaN,
    populationSkew: g1,
    populationKurtosis: g2 + 3,
  }
}
