/**
 * The statistics of quantstats (before 0.0.83) on the returns of bars as given, 252 a year, in fractions. Its
 * value at risk is a normal one, its profit factor, win rate and Kelly fraction are of bars and not of trades,
 * and its exposure is rounded up to a hundredth. NaN where it prints NaN or an infinity.
 */
import { DAY_MS } from '../calendar/iso-time.js'
import type { LibraryInput } from './library-variants.js'
import { DEFAULT_PER_YEAR } from './library-variants.js'
import { NORMAL_5_PERCENT, normalCdf } from './normal-distribution.js'
import type { ReturnDistribution } from './return-distribution.js'
import { deviationOfSums, excessSums, meanOfSums, varies } from './return-ratios.js'

export function quantstatsMetrics(input: LibraryInput, shape: ReturnDistribution): Record<string, number> {
  const { returns, sums, tails } = input
  const perYear = input.periodsPerYear ?? DEFAULT_PER_YEAR
  const root = Math.sqrt(perYear)
  const free = (1 + input.riskFree) ** (1 / perYear) - 1
  const n = returns.length
  const { sum, wins, won, losses, lost, growth } = sums
  const mean = meanOfSums(sums)
  const deviation = deviationOfSums(sums)
  const { above, under, underSquares } = excessSums(returns, sums, free)
  const ratio = varies(sums) ? (mean - free) / deviation : NaN
  const sortino = underSquares > 0 ? (mean - free) / Math.sqrt(underSquares / n) : NaN
  const penalty = autocorrelationPenalty(returns, mean)
  const cagr = growth >= 0 ? growth ** (perYear / n) - 1 : NaN
  const { deepest, ulcer, shortfall } = drawdownShape(returns)
  const atRisk = mean + NORMAL_5_PERCENT * deviation
  const winRate = wins / (wins + losses)
  const payoff = won / wins / (lost / losses)
  const profitFactor = lost > 0 ? won / lost : NaN
  const tailRatio = Math.abs(tails.quantile(0.95) / tails.quantile(0.05))
  return {
    'total_return.quantstats': growth - 1,
    'cagr.quantstats': cagr,
    'volatility.quantstats': deviation * root,
    'sharpe.quantstats': ratio * root,
    'smart_sharpe.quantstats': (ratio / penalty) * root,
    'sortino.quantstats': sortino * root,
    'smart_sortino.quantstats': (sortino / penalty) * root,
    'calmar.quantstats': cagr / -deepest,
    'max_drawdown.quantstats': deepest,
    'omega.quantstats': under > 0 ? above / under : NaN,
    'ulcer.quantstats': ulcer,
    'ulcer_performance.quantstats': (growth - 1 - input.riskFree) / ulcer,
    'serenity.quantstats': (sum - input.riskFree) / (ulcer * (-shortfall / deviation)),
    'value_at_risk.quantstats': atRisk,
    'conditional_value_at_risk.quantstats': meanBelow(returns, atRisk),
    'tail_ratio.quantstats': tailRatio,
    'win_rate.quantstats': winRate,
    'profit_factor.quantstats': profitFactor,
    'payoff_ratio.quantstats': payoff,
    'gain_to_pain.quantstats': gainToPain(input),
    'common_sense_ratio.quantstats': profitFactor * tailRatio,
    'cpc_index.quantstats': profitFactor * winRate * payoff,
    'risk_of_ruin.quantstats': ((1 - winRate) / (1 + winRate)) ** n,
    'kelly.quantstats': (payoff * winRate - (1 - winRate)) / payoff,
    'skew.quantstats': shape.skew,
    'kurtosis.quantstats': shape.kurtosis,
    'recovery_factor.quantstats': Math.abs(sum - input.riskFree) / -deepest,
    'exposure.quantstats': Math.ceil(((wins + losses) / n) * 100) / 100,
    // Its own formula: excess kurtosis where the raw one belongs (our probabilistic_sharpe_ratio has it right).
    'probabilistic_sharpe.quantstats': normalCdf(ratio / Math.sqrt((1 + 0.5 * ratio * ratio - shape.skew * ratio + ((shape.kurtosis - 3) / 4) * ratio * ratio) / (n - 1))),
    'outlier_win_ratio.quantstats': tails.quantile(0.99) / (won / (n - losses)),
    'outlier_loss_ratio.quantstats': tails.quantile(0.01) / (-lost / losses),
    'autocorrelation_penalty.quantstats': penalty,
  }
}

/** √(1 + 2 Σ (n - x) ÷ n × c^x), c being the size of the correlation of each return with the one before. */
function autocorrelationPenalty(returns: Float64Array, mean: number): number {
  const n = returns.length
  if (n < 3) return 1
  const firstMean = (mean * n - returns[n - 1]!) / (n - 1)
  const secondMean = (mean * n - returns[0]!) / (n - 1)
  let covariance = 0, first = 0, second = 0
  for (let k = 1; k < n; k++) {
    const before = returns[k - 1]! - firstMean
    const after = returns[k]! - secondMean
    covariance += before * after
    first += before * before
    second += after * after
  }
  const correlation = Math.abs(covariance / Math.sqrt(first * second))
  if (!(correlation < 1)) return 1
  let power = correlation
  let sum = 0
  for (let x = 1; x < n && power > 1e-18; x++) {
    sum += ((n - x) / n) * power
    power *= correlation
  }
  return Math.sqrt(1 + 2 * sum)
}

/** Depths are negative fractions below the running peak, which starts at the equity before the first return. */
function drawdownShape(returns: Float64Array): { deepest: number; ulcer: number; shortfall: number } {
  const depths = new Float64Array(returns.length)
  let level = 1, peak = 1, deepest = 0, sum = 0, squares = 0
  for (let k = 0; k < depths.length; k++) {
    level *= 1 + returns[k]!
    if (level >= peak) {
      peak = level
      continue // a new column is all 0
    }
    const depth = level / peak - 1
    depths[k] = depth
    if (depth < deepest) deepest = depth
    sum += depth
    squares += depth * depth
  }
  const n = depths.length
  const mean = sum / n
  // A threshold only, so the one-pass variance has digits enough.
  const limit = mean + NORMAL_5_PERCENT * Math.sqrt(Math.max(squares - n * mean * mean, 0) / (n - 1))
  return { deepest, ulcer: Math.sqrt(squares / (n - 1)), shortfall: meanBelow(depths, limit) }
}

/** The limit itself where nothing lies below it. */
function meanBelow(values: Float64Array, limit: number): number {
  let sum = 0
  let count = 0
  for (let k = 0; k < values.length; k++) {
    if (values[k]! < limit) { sum += values[k]!; count++ }
  }
  return count > 0 ? sum / count : limit
}

/** Returns of a day are added first. */
function gainToPain({ returns, time, sums, shiftMs }: LibraryInput): number {
  let pain = 0, today = 0
  let until = -Infinity
  for (let k = 0; k < returns.length; k++) {
    const at = time[k + 1]! + shiftMs
    if (at >= until) {
      if (today < 0) pain -= today
      today = 0
      until = (Math.floor(at / DAY_MS) + 1) * DAY_MS
    }
    today += returns[k]!
  }
  if (today < 0) pain -= today
  return pain > 0 ? sums.sum / pain : NaN
}
