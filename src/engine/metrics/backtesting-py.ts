/**
 * The statistics of backtesting.py 0.6.6, by its definitions and in its units: percent where its name says [%],
 * durations in days rounded up to the resolution of the bars. NaN where it prints NaN or an infinity.
 * How it differs from our own metrics is in docs/metrics.md.
 */
import { DAY_MS } from '../calendar/iso-time.js'
import { medianGap, weekendShare } from './bar-calendar.js'
import type { CalendarPeriod } from './calendar-periods.js'
import { lastBars } from './calendar-periods.js'
import type { TradeColumns } from './trade-columns.js'
import { deviationOf, meanOf, sumOf } from './trade-columns.js'

export interface BacktestingPyInput {
  /** Bars of the window, with the equity at their closes. */
  readonly time: Float64Array
  readonly close: Float64Array
  readonly equity: Float64Array
  readonly trades: TradeColumns
  /** Number of the window's first bar in the bars of the trades. */
  readonly firstBar: number
  /** First bar of the window on which every indicator has a value: buy-and-hold starts there. */
  readonly warmUp: number
  /** Annual, a fraction. */
  readonly riskFree: number
  /** Of the bars' days (base/bar-day.ts); else UTC. */
  readonly shiftMs?: number
}

export function backtestingPyStats(input: BacktestingPyInput): Record<string, number> {
  const { time, close, riskFree, warmUp } = input
  const last = input.equity.length - 1
  // A run that is out of money has no debt there: its equity is 0 from that bar on.
  const equity = input.equity[last]! > 0 ? input.equity : input.equity.map((value) => Math.max(value, 0))
  const first = equity[0]!
  const period = medianGap(time.subarray(Math.max(0, time.length - 100))) // of the last hundred bars, as it does
  const { annual, volatility, downside } = annualised(time, equity, period, input.shiftMs)
  const years = (time[last]! - time[0]!) / DAY_MS / 365.25
  const totalReturn = ((equity[last]! - first) / first) * 100
  const held = close[Math.min(warmUp, last)]!
  const buyAndHold = ((close[last]! - held) / held) * 100
  const beta = logBeta(equity, close)
  const drawdowns = drawdownStats(time, equity)
  const round = (ms: number): number => ceilTo(ms, resolutionOf(period)) / DAY_MS
  return {
    'exposure.backtesting_py': exposure(input) * 100,
    'final_equity.backtesting_py': equity[last]!,
    'peak_equity.backtesting_py': drawdowns.peakEquity,
    'fees_paid.backtesting_py': sumOf(input.trades.fees),
    'total_return.backtesting_py': totalReturn,
    'buy_and_hold_return.backtesting_py': buyAndHold,
    'annual_return.backtesting_py': annual * 100,
    'volatility.backtesting_py': volatility * 100,
    'cagr.backtesting_py': years > 0 ? ((equity[last]! / first) ** (1 / years) - 1) * 100 : NaN,
    'sharpe.backtesting_py': volatility === 0 ? NaN : (annual - riskFree) / volatility,
    'sortino.backtesting_py': (annual - riskFree) / downside,
    'calmar.backtesting_py': drawdowns.deepest === 0 ? NaN : annual / drawdowns.deepest,
    'alpha.backtesting_py': totalReturn - riskFree * 100 - beta * (buyAndHold - riskFree * 100),
    'beta.backtesting_py': beta,
    'max_drawdown.backtesting_py': -drawdowns.deepest * 100,
    'avg_drawdown.backtesting_py': -drawdowns.meanDepth * 100,
    'max_drawdown_duration_days.backtesting_py': round(drawdowns.maxMs),
    'avg_drawdown_duration_days.backtesting_py': round(drawdowns.meanMs),
    ...tradeStats(input, round),
  }
}

/** The largest of day, hour, minute, second and millisecond that the period is a multiple of. */
function resolutionOf(period: number): number {
  return [DAY_MS, 3_600_000, 60_000, 1000].find((unit) => period % unit === 0) ?? 1
}

function ceilTo(ms: number, unit: number): number {
  return Math.ceil(ms / unit) * unit
}

/** Weeks, months and years by exactly 7, 31 and 365 days of the period; everything else by days. */
function annualised(time: Float64Array, equity: Float64Array, period: number, shiftMs: number | undefined): { annual: number; volatility: number; downside: number } {
  const [calendar, perYear] = yearOf(time, Math.floor(period / DAY_MS), shiftMs)
  const ends = lastBars(time, calendar, shiftMs)
  const changes = new Float64Array(ends.length - 1)
  let count = 0
  let ruined = false
  for (let k = 1; k < ends.length; k++) {
    const change = equity[ends[k]!]! / equity[ends[k - 1]!]! - 1
    if (Number.isNaN(change)) continue // 0 ÷ 0, after a ruin
    changes[count++] = change
    ruined ||= change <= -1
  }
  const returns = changes.subarray(0, count)
  if (returns.length === 0) return { annual: NaN, volatility: NaN, downside: NaN }
  // The geometric mean: the product of the returns is the growth from the first period's end to the last's.
  const growth = equity[ends[ends.length - 1]!]! / equity[ends[0]!]!
  const mean = ruined ? 1 : growth ** (1 / returns.length)
  const deviation = deviationOf(returns)
  let below = 0
  for (const value of returns) if (value < 0) below += value * value
  return {
    annual: mean ** perYear - 1,
    volatility: Math.sqrt((deviation * deviation + mean * mean) ** perYear - (mean * mean) ** perYear),
    downside: Math.sqrt(below / returns.length) * Math.sqrt(perYear),
  }
}

function yearOf(time: Float64Array, days: number, shiftMs: number | undefined): readonly [CalendarPeriod, number] {
  if (days === 7) return ['week', 52]
  if (days === 31) return ['month', 12]
  if (days === 365) return ['year', 1]
  return ['day', weekendShare(time, shiftMs) > (2 / 7) * 0.6 ? 365 : 252]
}

/** Slope of the log returns of bars against those of the closes; their means are known from the ends. */
function logBeta(equity: Float64Array, close: Float64Array): number {
  const n = equity.length - 1
  if (n < 2) return NaN
  const ownMean = Math.log(equity[n]! / equity[0]!) / n
  const marketMean = Math.log(close[n]! / close[0]!) / n
  let covariance = 0
  let variance = 0
  for (let i = 0; i < n; i++) {
    const own = equity[i + 1] === equity[i] ? 0 : Math.log(equity[i + 1]! / equity[i]!)
    const deviation = Math.log(close[i + 1]! / close[i]!) - marketMean
    covariance += (own - ownMean) * deviation
    variance += deviation * deviation
  }
  return covariance / variance
}

interface Drawdowns {
  readonly peakEquity: number
  /** Positive fractions. */
  readonly deepest: number
  readonly meanDepth: number
  readonly maxMs: number
  readonly meanMs: number
}

/** From peak to recovery or the last bar; the peak starts at the first bar's equity. One that is only the last bar does not count. */
function drawdownStats(time: Float64Array, equity: Float64Array): Drawdowns {
  const last = equity.length - 1
  let peakEquity = equity[0]!
  let peakBar = 0
  let deepest = 0, depth = 0, sumDepth = 0, episodes = 0, maxMs = NaN, sumMs = 0
  for (let i = 0; i <= last; i++) {
    const value = equity[i]!
    if (value > peakEquity) peakEquity = value
    const drawdown = 1 - value / peakEquity
    if (drawdown > deepest) deepest = drawdown
    if (drawdown > depth) depth = drawdown
    if (drawdown > 0 && i < last) continue
    if (i > peakBar + 1) {
      const ms = time[i]! - time[peakBar]!
      episodes++
      sumDepth += depth
      sumMs += ms
      if (!(ms <= maxMs)) maxMs = ms
    }
    peakBar = i
    if (i < last) depth = 0
  }
  // Without an episode it prints the drawdown of the last bar, if there is one, and no duration.
  return { peakEquity, deepest, meanDepth: episodes > 0 ? sumDepth / episodes : depth > 0 ? depth : NaN, maxMs, meanMs: sumMs / episodes }
}

/** Share of bars from the entry to the exit of any closed trade. */
function exposure({ equity, trades, firstBar }: BacktestingPyInput): number {
  const held = new Uint8Array(equity.length)
  for (let k = 0; k < trades.count; k++) held.fill(1, trades.entryBar[k]! - firstBar, trades.exitBar[k]! + 1 - firstBar)
  let exposed = 0
  for (let i = 0; i < held.length; i++) exposed += held[i]!
  return exposed / equity.length
}

function tradeStats({ time, trades, firstBar }: BacktestingPyInput, round: (ms: number) => number): Record<string, number> {
  const { count, pnl } = trades
  const returns = trades.return
  const durations = Float64Array.from({ length: count }, (_, k) => time[trades.exitBar[k]! - firstBar]! - time[trades.entryBar[k]! - firstBar]!)
  const wins = pnl.filter((value) => value > 0)
  const losses = pnl.filter((value) => value < 0)
  const lost = Math.abs(sumOf(returns.filter((value) => value < 0)))
  const deviation = deviationOf(pnl)
  const winRate = wins.length / count
  const orNaN = (value: number): number => (count > 0 ? value : NaN)
  return {
    'total_trades.backtesting_py': count,
    'win_rate.backtesting_py': winRate * 100,
    'best_trade.backtesting_py': orNaN(extremeOf(returns, Math.max) * 100),
    'worst_trade.backtesting_py': orNaN(extremeOf(returns, Math.min) * 100),
    'avg_trade.backtesting_py': geometricMean(returns) * 100,
    'max_trade_duration_days.backtesting_py': orNaN(round(extremeOf(durations, Math.max))),
    'avg_trade_duration_days.backtesting_py': round(meanOf(durations)),
    'profit_factor.backtesting_py': lost === 0 ? NaN : sumOf(returns.filter((value) => value > 0)) / lost,
    'expectancy.backtesting_py': meanOf(returns) * 100,
    'sqn.backtesting_py': deviation === 0 ? NaN : (Math.sqrt(count) * meanOf(pnl)) / deviation,
    'kelly.backtesting_py': winRate - (1 - winRate) / (meanOf(wins) / -meanOf(losses)),
  }
}

function extremeOf(values: Float64Array, pick: (a: number, b: number) => number): number {
  let extreme = values[0] ?? NaN
  for (const value of values) extreme = pick(extreme, value)
  return extreme
}

/** 0 as soon as one return is a total loss. */
function geometricMean(returns: Float64Array): number {
  let logs = 0
  for (const value of returns) {
    if (value <= -1) return 0
    logs += Math.log(1 + value)
  }
  return Math.exp(logs / returns.length) - 1
}
