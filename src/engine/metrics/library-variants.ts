/**
 * The metrics of empyrical, vectorbt and quantstats where theirs differ from ours, or from each other, by their
 * definitions and in their units (fractions). empyrical and quantstats take the returns of bars as given, 252 a
 * year; vectorbt counts the first bar's return too, and its year is 365 days of the median gap between bars.
 * A spec's `periods_per_year` replaces all three.
 */
import { DAY_MS } from '../calendar/iso-time.js'
import { medianGap } from './bar-calendar.js'
import type { Tails } from './order-statistics.js'
import type { ReturnPairs } from './return-pairs.js'
import { alphaBeta } from './return-pairs.js'
import type { ReturnSums } from './return-ratios.js'
import { excessSums, ratiosOf, stability, withFirst } from './return-ratios.js'
import type { TradeColumns } from './trade-columns.js'
import { deviationOf, meanOf, sumOf } from './trade-columns.js'

export const DEFAULT_PER_YEAR = 252

export interface LibraryInput {
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly initialCash: number
  /** Returns of bars from the second on, their sums and tails, the sums of the closes' and of both together. */
  readonly returns: Float64Array
  readonly sums: ReturnSums
  readonly tails: Tails
  readonly marketSums: ReturnSums
  readonly pairs: ReturnPairs
  readonly trades: TradeColumns
  readonly feesPaid: number
  /** The spec's, if it has one. */
  readonly periodsPerYear: number | undefined
  /** Annual, a fraction. */
  readonly riskFree: number
  /** Of the bars' days (base/bar-day.ts). */
  readonly shiftMs: number
}

export function empyricalMetrics({ returns, sums, tails, marketSums, pairs, periodsPerYear, riskFree }: LibraryInput): Record<string, number> {
  const perYear = periodsPerYear ?? DEFAULT_PER_YEAR
  const free = riskFree / perYear
  const ratios = ratiosOf(sums, perYear, free)
  const { above, under } = excessSums(returns, sums, free)
  const { alpha, beta } = alphaBeta(sums, marketSums, pairs, perYear, riskFree)
  return {
    'total_return.empyrical': sums.growth - 1,
    'annual_return.empyrical': ratios.annualReturn,
    'cagr.empyrical': ratios.annualReturn,
    'volatility.empyrical': ratios.volatility,
    'sharpe.empyrical': ratios.sharpe,
    'sortino.empyrical': ratios.sortino,
    'calmar.empyrical': ratios.annualReturn / -sums.maxDrawdown,
    'max_drawdown.empyrical': sums.maxDrawdown,
    'omega.empyrical': under > 0 ? above / under : NaN,
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

export function vectorbtMetrics(input: LibraryInput): Record<string, number> {
  const { time, equity, initialCash, tails, trades } = input
  const gap = medianGap(time)
  const perYear = input.periodsPerYear ?? (365 * DAY_MS) / gap
  const first = equity[0]! / initialCash - 1
  const sums = withFirst(input.sums, first)
  const free = input.riskFree / perYear
  const ratios = ratiosOf(sums, perYear, free)
  const excess = excessSums(input.returns, input.sums, free)
  const above = excess.above + Math.max(first - free, 0)
  const under = excess.under + Math.max(free - first, 0)
  const drawdowns = vectorbtDrawdowns(equity)
  const { pnl } = trades
  const wins = pnl.filter((value) => value > 0)
  const losses = pnl.filter((value) => value < 0)
  const winRate = wins.length / trades.count
  const lost = -sumOf(losses)
  return {
    'total_return.vectorbt': sums.growth - 1,
    'annual_return.vectorbt': ratios.annualReturn,
    'cagr.vectorbt': ratios.annualReturn,
    'volatility.vectorbt': ratios.volatility,
    'sharpe.vectorbt': ratios.sharpe,
    'sortino.vectorbt': ratios.sortino,
    'calmar.vectorbt': drawdowns.deepest < 0 ? ratios.annualReturn / -drawdowns.deepest : NaN,
    'max_drawdown.vectorbt': drawdowns.deepest,
    'max_drawdown_duration_days.vectorbt': (drawdowns.longest * gap) / DAY_MS,
    'omega.vectorbt': under > 0 ? above / under : NaN,
    'tail_ratio.vectorbt': Math.abs(tails.quantileWith(first, 0.95)) / Math.abs(tails.quantileWith(first, 0.05)),
    'value_at_risk.vectorbt': tails.quantileWith(first, 0.05),
    'conditional_value_at_risk.vectorbt': expectedShortfall(sums.length, (count) => tails.sumOfLowestWith(first, count)),
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
