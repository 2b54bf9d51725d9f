/**
 * One backtest of several symbols on one cash: the strategy decides for each symbol by its own bars, sizes are of the
 * equity of all. Metrics are those of the whole; per symbol the result says what it traded and earned.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { formatIsoTime } from '../calendar/iso-time.js'
import { ta } from '../indicators/indicators.js'
import { periodsPerYear } from '../metrics/periods-per-year.js'
import { SweepMeter } from '../metrics/sweep-meter.js'
import { tradeColumns } from '../metrics/trade-columns.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { requireSpec } from '../specs/spec-json.js'
import { checkParams } from '../strategies/check-params.js'
import type { Strategy } from '../strategies/strategy.js'
import type { FullSimulation } from './full-simulation.js'
import { frameParts } from './frame-parts.js'
import { observeIndicators } from './observed-indicators.js'
import { PortfolioSimulation } from './portfolio-simulation.js'
import { prepareBars } from './prepare-bars.js'
import { excursionsOf, measureBacktest } from './measure-backtest.js'
import type { BacktestResult } from './run-backtest.js'
import { runBenchmark } from './run-benchmark.js'
import type { RunIdentity } from './run-identity.js'
import { decisionsOf, decisionsOfAll } from './run-strategy.js'
import type { RunRecord } from './simulation.js'
import { summarise } from './summarise.js'
import { commonBars, mergeTimes } from './timeline.js'
import type { Timeline } from './timeline.js'
import { ENTRY_BAR, ENTRY_PRICE, EXIT_BAR, EXIT_PRICE, FEES, PNL, REASON, RETURN, TradeLog, UNITS } from './trade-log.js'
import type { MeasuredTrade } from './trade-log.js'

export interface PortfolioPart {
  readonly symbol: string
  readonly bars: BarColumns
}

/** The bars of each symbol of a pinned spec, out of the one frame they lie in. */
export function splitParts(bars: BarColumns, spec: BacktestSpec): PortfolioPart[] {
  const parts = frameParts(bars, spec)
  return (spec.bars.symbols ?? []).map(({ symbol }, k) => ({ symbol, bars: parts[k]! }))
}

/**
 * Trades of all symbols by the time of their exit, `symbol` in each; bars count along the times of all symbols together.
 * Throws PARAM_INVALID, STRATEGY_FAILED, DATA_EMPTY, SPEC_INVALID.
 */
export function runPortfolio(parts: readonly PortfolioPart[], strategy: Strategy, spec: BacktestSpec, identity: RunIdentity = {}, benchmark?: BarColumns): BacktestResult {
  requireSpec(spec)
  const params = checkParams(strategy, 'params' in spec.strategy ? spec.strategy.params : {})
  const prepared = parts.map(({ symbol, bars }) => preparedPart(symbol, bars, spec))
  const series = strategy.signalsOfAll === undefined ? prepared.map(({ bars }) => bars) : sharedBars(prepared.map(({ bars }) => bars), parts)
  const simulation = new PortfolioSimulation(series, spec.execution)
  const { timeline, equity, accounts } = simulation
  const observed = observeIndicators(ta)
  const { direction } = spec.execution
  simulation.run(strategy.signalsOfAll === undefined
    ? series.map((bars) => decisionsOf(strategy, bars, params, observed.ta, direction)) : decisionsOfAll(strategy, series, params, observed.ta, direction))
  const compared = runBenchmark(timeline.time, spec, benchmark)
  const record = recordOf(simulation)
  const index = equalWeights(timeline, series)
  const periods = periodsPerYear(timeline.time, spec.metrics.periodsPerYear)
  const meter = new SweepMeter(timeline.length, { periodsPerYear: periods.value, riskFree: spec.metrics.riskFree })
  const warnings = [...spec.dataWarnings ?? [], ...prepared.flatMap((one) => one.warnings), ...leftOut(prepared.map(({ bars }) => bars), series, parts), ...compared.warnings]
  const trades = tradesOf(simulation, parts, series, spec)
  const excursions = { mae: Float64Array.from(trades, ({ mae }) => mae), mfe: Float64Array.from(trades, ({ mfe }) => mfe) }
  const measures = measureBacktest({ bars: index, from: 0, to: timeline.length, spec, periods, warmUp: observed.warmUp(), simulation: record, meter, excursions, benchmark: compared.aligned })
  const summary = summarise({ bars: index, from: 0, to: timeline.length, strategy, params, spec, identity, periods, simulation: record, measures, warnings })
  return {
    summary: {
      ...summary,
      exposure: exposure(simulation),
      open_position: null,
      open_positions: accounts.flatMap((account, s) => openPosition(account, parts[s]!.symbol, series[s]!)),
      symbols: accounts.map((account, s) => symbolSummary(account, parts[s]!.symbol, series[s]!)),
    },
    trades,
    equity,
    time: timeline.time,
    firstBar: 0,
  }
}

/** What a strategy of all symbols together sees and trades. */
function sharedBars(series: readonly BarColumns[], parts: readonly PortfolioPart[]): readonly BarColumns[] {
  const shared = commonBars(series)
  if ((shared[0]?.length ?? 0) > 0) return shared
  throw new SweepmillError('DATA_EMPTY', `There is no time at which all of ${parts.map(({ symbol }) => symbol).join(', ')} have a bar; such a strategy needs them side by side. Choose symbols and dates that overlap, and one timeframe.`)
}

function leftOut(all: readonly BarColumns[], used: readonly BarColumns[], parts: readonly PortfolioPart[]): string[] {
  return all.flatMap((bars, s) => (bars.length === used[s]!.length ? [] : [`${parts[s]!.symbol}: ${bars.length - used[s]!.length} of ${bars.length} bars are left out, because another symbol has none at their times.`]))
}

function preparedPart(symbol: string, bars: BarColumns, spec: BacktestSpec): ReturnType<typeof prepareBars> {
  try {
    const { bars: prepared, warnings } = prepareBars(bars, spec.bars)
    return { bars: prepared, warnings: warnings.map((text) => `${symbol}: ${text}`) }
  } catch (error) {
    if (!(error instanceof SweepmillError)) throw error
    throw new SweepmillError(error.code, `${symbol}: ${error.message}`, { cause: error, ...(error.details === undefined ? {} : { details: { ...error.details, symbol } }) })
  }
}

/** The equal-weight index that `runPortfolio` compares with, at each of its times. */
export function portfolioIndex(parts: readonly PortfolioPart[], strategy: Strategy, spec: BacktestSpec): Float64Array {
  const all = parts.map(({ symbol, bars }) => preparedPart(symbol, bars, spec).bars)
  const series = strategy.signalsOfAll === undefined ? all : commonBars(all)
  return equalWeights(mergeTimes(series), series).close
}

/** What holding the same value of every symbol from its first bar on is worth, as bars: what the portfolio is compared with. */
function equalWeights(timeline: Timeline, series: readonly BarColumns[]): BarColumns {
  const close = new Float64Array(timeline.length)
  const worth = new Float64Array(series.length).fill(1)
  for (let t = 0; t < timeline.length; t++) {
    let sum = 0
    for (let s = 0; s < series.length; s++) {
      const i = timeline.bars[s]![t]!
      if (i >= 0) worth[s] = series[s]!.close[i]! / series[s]!.close[0]!
      sum += worth[s]!
    }
    close[t] = (100 * sum) / series.length
  }
  return { length: timeline.length, time: timeline.time, open: close, high: close, low: close, close, volume: new Float64Array(timeline.length) }
}

/** All trades in the order of their exits, and sums over the accounts. */
function recordOf(simulation: PortfolioSimulation): RunRecord {
  const { accounts, equity, cash, liquidated } = simulation
  const trades = new TradeLog()
  for (const { account, k, entry, exit } of inOrder(simulation)) {
    const { trades: own } = account
    trades.push(own.at(k, UNITS), entry, own.at(k, ENTRY_PRICE), exit, own.at(k, EXIT_PRICE), own.at(k, PNL), own.at(k, RETURN), own.at(k, FEES), own.at(k, REASON))
  }
  const sum = (of: (account: FullSimulation) => number): number => accounts.reduce((total, account) => total + of(account), 0)
  return {
    equity, trades, cash, liquidated: liquidated || accounts.some((account) => account.liquidated),
    units: 0, entryBar: 0, entryPrice: 0, entryFee: sum((account) => account.entryFee),
    feesPaid: sum((account) => account.feesPaid), notional: sum((account) => account.notional), rejectedEntries: sum((account) => account.rejectedEntries),
    interestPaid: sum((account) => account.interestPaid), fundingPaid: sum((account) => account.fundingPaid),
  }
}

interface PlacedTrade {
  readonly account: FullSimulation
  readonly s: number
  readonly k: number
  readonly entry: number
  readonly exit: number
}

function inOrder(simulation: PortfolioSimulation): PlacedTrade[] {
  const { timeline } = simulation
  const placed = simulation.accounts.flatMap((account, s) => {
    const place = placesOf(timeline.bars[s]!)
    return Array.from({ length: account.trades.count }, (_, k): PlacedTrade =>
      ({ account, s, k, entry: place[account.trades.at(k, ENTRY_BAR)]!, exit: simulation.exitTime(s, k, account.trades.at(k, EXIT_BAR), place) }))
  })
  // The sort is stable: within one time, symbol by symbol as they trade.
  return placed.sort((a, b) => a.exit - b.exit)
}

/** For each bar of a series: where it stands among all times. */
function placesOf(bars: Int32Array): Int32Array {
  const place = new Int32Array(bars.length)
  for (let t = 0; t < bars.length; t++) if (bars[t]! >= 0) place[bars[t]!] = t
  return place
}

function tradesOf(simulation: PortfolioSimulation, parts: readonly PortfolioPart[], series: readonly BarColumns[], spec: BacktestSpec): MeasuredTrade[] {
  const { accounts, timeline } = simulation
  const own = accounts.map(({ trades }, s) => {
    const { mae, mfe } = excursionsOf(series[s]!, trades, tradeColumns(trades), spec)
    return trades.toTrades(timeline.time, mae, mfe)
  })
  return inOrder(simulation).map(({ s, k, entry, exit }) => ({
    ...own[s]![k]!, entryBar: entry, entryTime: timeline.time[entry]!, exitBar: exit, exitTime: timeline.time[exit]!, symbol: parts[s]!.symbol,
  }))
}

/** Share of the times at which anything was held. */
function exposure(simulation: PortfolioSimulation): number {
  const { accounts, timeline } = simulation
  const held = new Uint8Array(timeline.length)
  for (const { entry, exit } of inOrder(simulation)) held.fill(1, entry, exit + 1)
  accounts.forEach((account, s) => {
    if (account.units !== 0) held.fill(1, placesOf(timeline.bars[s]!)[account.entryBar])
  })
  let sum = 0
  for (const bar of held) sum += bar
  return sum / timeline.length
}

function symbolSummary(account: FullSimulation, symbol: string, { close, time, length }: BarColumns): Record<string, unknown> {
  const { trades } = account
  let pnl = 0, wins = 0, best = -Infinity, worst = Infinity
  for (let k = 0; k < trades.count; k++) {
    const one = trades.at(k, PNL)
    pnl += one
    if (one > 0) wins++
    best = Math.max(best, trades.at(k, RETURN))
    worst = Math.min(worst, trades.at(k, RETURN))
  }
  const some = trades.count > 0
  return {
    symbol, bars: length, start_time: formatIsoTime(time[0]!), end_time: formatIsoTime(time[length - 1]!),
    total_trades: trades.count, win_rate: some ? wins / trades.count : null, best_trade: some ? best * 100 : null, worst_trade: some ? worst * 100 : null,
    realized_pnl: pnl, unrealized_pnl: account.units === 0 ? 0 : account.units * (close[length - 1]! - account.entryPrice) - account.entryFee,
    fees_paid: account.feesPaid, interest_paid: account.interestPaid, funding_paid: account.fundingPaid, rejected_entries: account.rejectedEntries,
    buy_and_hold_return: (close[length - 1]! / close[0]! - 1) * 100,
  }
}

function openPosition(account: FullSimulation, symbol: string, { close, time, length }: BarColumns): Record<string, unknown>[] {
  const { units, entryBar, entryPrice, entryFee } = account
  if (units === 0) return []
  const lastPrice = close[length - 1]!
  return [{
    symbol, side: units > 0 ? 'long' : 'short', units: Math.abs(units), entry_time: formatIsoTime(time[entryBar]!), entry_price: entryPrice, entry_fee: entryFee,
    last_price: lastPrice, market_value: units * lastPrice, unrealized_pnl: units * (lastPrice - entryPrice) - entryFee,
  }]
}
