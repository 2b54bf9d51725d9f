/** Statistics of closed trades beyond those of a sweep's rows: by side, streaks, winners against losers, excursions. */
import { medianOf } from './order-statistics.js'
import type { TradeColumns } from './trade-columns.js'
import { meanOf, sumOf } from './trade-columns.js'
import type { TradeExcursions } from './trade-excursions.js'

/** Trades in the order of their exits; returns and excursions in percent. NaN where there is nothing to average. */
export function tradeStatistics(trades: TradeColumns, { mae, mfe }: TradeExcursions): Record<string, number> {
  const { count, pnl, units } = trades
  const duration = Float64Array.from({ length: count }, (_, k) => trades.exitBar[k]! - trades.entryBar[k]!)
  const of = (values: Float64Array, chosen: (k: number) => boolean): Float64Array => values.filter((_, k) => chosen(k))
  const long = (k: number): boolean => units[k]! > 0
  const short = (k: number): boolean => units[k]! < 0
  const won = (k: number): boolean => pnl[k]! > 0
  const lost = (k: number): boolean => pnl[k]! < 0
  const winRate = (side: (k: number) => boolean): number => {
    const all = of(pnl, side)
    return all.filter((value) => value > 0).length / all.length
  }
  return {
    long_trades: of(pnl, long).length,
    short_trades: of(pnl, short).length,
    long_win_rate: winRate(long),
    short_win_rate: winRate(short),
    long_pnl: sumOf(of(pnl, long)),
    short_pnl: sumOf(of(pnl, short)),
    median_trade: medianOf(trades.return.slice()) * 100,
    avg_win: meanOf(of(trades.return, won)) * 100,
    avg_loss: meanOf(of(trades.return, lost)) * 100,
    payoff_ratio: meanOf(of(pnl, won)) / -meanOf(of(pnl, lost)),
    max_consecutive_wins: longestRun(count, won),
    max_consecutive_losses: longestRun(count, lost),
    avg_winning_trade_bars: meanOf(of(duration, won)),
    avg_losing_trade_bars: meanOf(of(duration, lost)),
    avg_mae: meanOf(mae) * 100,
    avg_mfe: meanOf(mfe) * 100,
    worst_mae: count > 0 ? mae.reduce((a, b) => Math.min(a, b)) * 100 : NaN,
    best_mfe: count > 0 ? mfe.reduce((a, b) => Math.max(a, b)) * 100 : NaN,
  }
}

function longestRun(count: number, chosen: (k: number) => boolean): number {
  let longest = 0
  let run = 0
  for (let k = 0; k < count; k++) {
    run = chosen(k) ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}
