/**
 * The metrics of empyrical, vectorbt and quantstats where theirs differ from ours, or from each other, by their
 * definitions and in their units (fractions). empyrical and quantstats take the returns of bars as given, 252 a
 * year; vectorbt counts the first bar's return too, and its year is 365 days of the median gap between bars.
 * A spec's `periods_per_year` replaces all three.
 */
import { DAY_MS } from '../calendar/iso-time.js'
import { medianOf } from './order-statistics.js'
import type { Tails } from './order-statistics.js'
import { alphaBeta } from './return-distribution.js'
import { returnRatios, stability } from './return-ratios.js'
import type { TradeColumns } from './trade-columns.js'
import { deviationOf, meanOf, sumOf } from './trade-columns.js'

export const DEFAULT_PER_YEAR = 252

export interface LibraryInput {
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly initialCash: number
  /** Returns of bars from the second on, of the closes too, and the tails of the first. */
  readonly returns: Float64Array
  readonly market: Float64Array
  readonly tails: Tails
  readonly trades: TradeColumns
  readonly feesPaid: number
  /** The spec's, if it has one. */
  readonly periodsPerYear: number | undefined
  /** Annual, a fraction. */
  readonly riskFree: number
}

export function empyricalMetrics({ returns, market, tails, periodsPerYear, riskFree }: LibraryInput): Record<string, number> {
  const perYear = periodsPerYear ?? DEFAULT_PER_YEAR
  const free = riskFree / perYear
  const ratios = returnRatios(returns, perYear, free)
  const { alpha, beta } = alphaBeta(returns, market, perYear, riskFree)
  return {
    'total_return.empyrical': ratios.totalReturn,
    'annual_return.empyrical': ratios.annualReturn,
    'cagr.empyrical': ratios.annualReturn,
    'volatility.empyrical': ratios.volatility,
    'sharpe.empyrical': ratios.sharpe,
    'sortino.empyrical': ratios.sortino,
    'calmar.empyrical': ratios.calmar,
    'max_drawdown.empyrical': ratios.maxDrawdown,
    'omega.empyrical': ratios.omega,
    'tail_ratio.empyrical': Math.abs(tails.quantile(0.95)) / Math.abs(tails.quantile(0.05)),
    'value_at_risk.empyrical': tails.quantile(0.05),
    'conditional_value_at_risk.empyrical': expectedShortfall(returns.length, (count) => tails.sumOfLowest(count)),
    'downside_risk.empyrical': ratios.downsideRisk,
    'stability.empyrical': stability(returns),
    'alpha.empyrical': (alpha / perYear + 1) ** perYear - 1,
    'beta.empyrical': beta,
  }
}

/** Mean of the lowest int((n - 1) × 5 %) + 1 returns. */
function expectedShortfall(length: number, sumOfLowest: (count: number) => number): number {
  const worst = Math.floor((length - 1) * 0.05) + 1
  return length > 0 ? sumOfLowest(worst) / worst : NaN
}

/** 365 days ÷ the median gap between bars. */
export function vectorbtPerYear(time: Float64Array): number {
  return (365 * DAY_MS) / medianGap(time)
}

function medianGap(time: Float64Array): number {
  const gaps = new Float64Array(Math.max(0, time.length - 1))
  for (let i = 0; i < gaps.length; i++) gaps[i] = time[i + 1]! - time[i]!
  return medianOf(gaps)
}

export function vectorbtMetrics(input: LibraryInput): Record<string, number> {
  const { time, equity, initialCash, tails, trades } = input
  const gap = medianGap(time)
  const perYear = input.periodsPerYear ?? (365 * DAY_MS) / gap
  const first = equity[0]! / initialCash - 1
  const returns = new Float64Array(input.returns.length + 1)
  returns[0] = first
  returns.set(input.returns, 1)
  const ratios = returnRatios(returns, perYear, input.riskFree / perYear)
  const drawdowns = vectorbtDrawdowns(equity)
  const { pnl } = trades
  const wins = pnl.filter((value) => value > 0)
  const losses = pnl.filter((value) => value < 0)
  const winRate = wins.length / trades.count
  const lost = -sumOf(losses)
  return {
    'total_return.vectorbt': ratios.totalReturn,
    'annual_return.vectorbt': ratios.annualReturn,
    'cagr.vectorbt': ratios.annualReturn,
    'volatility.vectorbt': ratios.volatility,
    'sharpe.vectorbt': ratios.sharpe,
    'sortino.vectorbt': ratios.sortino,
    'calmar.vectorbt': drawdowns.deepest < 0 ? ratios.annualReturn / -drawdowns.deepest : NaN,
    'max_drawdown.vectorbt': drawdowns.deepest,
    'max_drawdown_duration_days.vectorbt': (drawdowns.longest * gap) / DAY_MS,
    'omega.vectorbt': ratios.omega,
    'tail_ratio.vectorbt': Math.abs(tails.quantileWith(first, 0.95)) / Math.abs(tails.quantileWith(first, 0.05)),
    'value_at_risk.vectorbt': tails.quantileWith(first, 0.05),
    'conditional_value_at_risk.vectorbt': expectedShortfall(returns.length, (count) => tails.sumOfLowestWith(first, count)),
    'downside_risk.vectorbt': ratios.downsideRisk,
    'total_trades.vectorbt': trades.count,
    'win_rate.vectorbt': winRate,
    'avg_trade.vectorbt': meanOf(trades.return),
    'profit_factor.vectorbt': lost > 0 ? sumOf(wins) / lost : NaN,
    'expectancy.vectorbt': trades.count > 0 ? winRate * (wins.length > 0 ? meanOf(wins) : 0) - (1 - winRate) * (losses.length > 0 ? -meanOf(losses) : 0) : NaN,
    'sqn.vectorbt': (Math.sqrt(trades.count) * meanOf(pnl)) / deviationOf(pnl),
    'fees_paid.vectorbt': input.feesPaid,
  }
}

/** From the first bar below a peak to the recovery, or past the last bar; the peak starts at the first bar's equity. */
function vectorbtDrawdowns(equity: Float64Array): { deepest: number; longest: number } {
  let peak = equity[0]!
  let peakBar = 0
  let deepest = 0
  let longest = NaN
  for (let i = 1; i < equity.length; i++) {
    const value = equity[i]!
    if (value >= peak) {
      if (i > peakBar + 1 && !(i - peakBar - 1 <= longest)) longest = i - peakBar - 1
      peak = value
      peakBar = i
    } else deepest = Math.min(deepest, value / peak - 1)
  }
  const open = equity.length - 1 - peakBar
  return { deepest, longest: open > 0 && !(open <= longest) ? open : longest }
}
