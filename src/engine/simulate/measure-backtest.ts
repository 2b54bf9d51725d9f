/** Measures one finished run in full: our metrics, the parity variants, the benchmark, the calendar, every trade's excursions. */
import type { BarColumns } from '../../market/layout.js'
import { DAY_MS } from '../calendar/iso-time.js'
import { backtestingPyStats } from '../metrics/backtesting-py.js'
import type { AlignedBenchmark } from '../metrics/aligned-benchmark.js'
import { compareBenchmark } from '../metrics/benchmark.js'
import type { MonthReturn, YearReturn } from '../metrics/calendar-periods.js'
import { monthlyReturns, yearlyReturns } from '../metrics/calendar-periods.js'
import { summariseDrawdowns } from '../metrics/drawdowns.js'
import type { LibraryInput } from '../metrics/library-variants.js'
import { empyricalMetrics, vectorbtMetrics } from '../metrics/library-variants.js'
import { normalCdf } from '../metrics/normal-distribution.js'
import { Tails } from '../metrics/order-statistics.js'
import type { PeriodsPerYear } from '../metrics/periods-per-year.js'
import { quantstatsMetrics } from '../metrics/quantstats.js'
import type { ReturnDistribution } from '../metrics/return-distribution.js'
import { describeReturns } from '../metrics/return-distribution.js'
import { alphaBeta, pairReturns } from '../metrics/return-pairs.js'
import type { ReturnSums } from '../metrics/return-ratios.js'
import { deviationOfSums, meanOfSums, sumReturns } from '../metrics/return-ratios.js'
import { buyAndHoldReturn } from '../metrics/sweep-meter.js'
import type { SweepMeter } from '../metrics/sweep-meter.js'
import { SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import type { TradeColumns } from '../metrics/trade-columns.js'
import { tradeColumns } from '../metrics/trade-columns.js'
import type { TradeExcursions } from '../metrics/trade-excursions.js'
import { excursionRules, tradeExcursions } from '../metrics/trade-excursions.js'
import { tradeStatistics } from '../metrics/trade-statistics.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import type { RunRecord } from './simulation.js'
import { EXIT_REASONS, REASON } from './trade-log.js'
import type { TradeLog } from './trade-log.js'

export interface MeasureInput {
  readonly bars: BarColumns
  readonly from: number
  readonly to: number
  readonly spec: BacktestSpec
  readonly periods: PeriodsPerYear
  /** First bar on which every indicator has a value. */
  readonly warmUp: number
  readonly simulation: RunRecord
  readonly meter: SweepMeter
  /** Of a portfolio's trades, each by the bars of its own symbol; else they are found here. */
  readonly excursions?: TradeExcursions
  /** Of bars from..to; null: buy-and-hold of the bars themselves. */
  readonly benchmark?: AlignedBenchmark | null
}

export interface BacktestMeasures {
  /** By name, NaN where not defined; so are `parity` (metric.library) and `benchmark`. */
  readonly metrics: Readonly<Record<string, number>>
  readonly parity: Readonly<Record<string, number>>
  readonly benchmark: Readonly<Record<string, number>>
  readonly months: readonly MonthReturn[]
  readonly years: readonly YearReturn[]
  readonly excursions: TradeExcursions
}

export function measureBacktest({ bars, from, to, spec, periods, warmUp, simulation, meter, excursions: given, benchmark = null }: MeasureInput): BacktestMeasures {
  const { initialCash } = spec.execution
  const { value: periodsPerYear, days: { shiftMs } } = periods
  const { riskFree } = spec.metrics
  const row = new Float64Array(SWEEP_METRICS.length)
  meter.measure(simulation, bars, from, to, initialCash, row, 0)
  const values: Record<string, number> = Object.fromEntries(SWEEP_METRICS.map((name, k) => [name, row[k] ?? NaN]))
  const time = bars.time.subarray(from, to)
  const close = bars.close.subarray(from, to)
  const equity = simulation.equity.subarray(from, to)
  const returns = meter.returns.subarray(0, meter.returnCount)
  const market = new Float64Array(returns.length)
  for (let k = 0; k < market.length; k++) market[k] = close[k + 1]! / close[k]! - 1
  const sums = sumReturns(returns)
  const marketSums = sumReturns(market)
  const pairs = pairReturns(returns, market, sums, marketSums)
  // The market's returns are not needed any more. Memory that is touched for the first time costs more than what is done in it.
  const tails = new Tails(returns, market)
  const shape = describeReturns(returns, tails, sums)
  const trades = tradeColumns(simulation.trades)
  const excursions = given ?? excursionsOf(bars, simulation.trades, trades, spec)
  const totalReturn = values.total_return ?? NaN
  const compared = benchmark === null
    ? { ...alphaBeta(sums, marketSums, pairs, periodsPerYear, riskFree), figures: compareBenchmark({ time, close, sums, marketSums, pairs, totalReturn, periodsPerYear, riskFree }) }
    : compareWith(benchmark, { time, equity, returns, totalReturn, periodsPerYear, riskFree })
  const libraries: LibraryInput = {
    time, equity, initialCash, returns, sums, tails, marketSums, pairs, trades, riskFree, feesPaid: simulation.feesPaid, periodsPerYear: spec.metrics.periodsPerYear, shiftMs,
  }
  return {
    metrics: {
      ...values,
      buy_and_hold_return: buyAndHoldReturn(bars, from, to),
      ...drawdownMetrics(equity, time, initialCash),
      value_at_risk: shape.valueAtRisk * 100,
      conditional_value_at_risk: shape.conditionalValueAtRisk * 100,
      omega_ratio: shape.omega,
      tail_ratio: shape.tailRatio,
      skew: shape.skew,
      kurtosis: shape.kurtosis,
      probabilistic_sharpe_ratio: probabilisticSharpe(sums, riskFree / periodsPerYear, shape),
      alpha: compared.alpha * 100,
      beta: compared.beta,
      ...tradeDurations(trades),
      ...tradeStatistics(trades, excursions),
    },
    parity: {
      ...backtestingPyStats({ time, close, equity, trades, firstBar: from, warmUp: Math.max(0, warmUp - from), riskFree, shiftMs }),
      ...vectorbtMetrics(libraries),
      ...empyricalMetrics(libraries),
      ...quantstatsMetrics(libraries, shape),
    },
    benchmark: compared.figures,
    months: monthlyReturns(time, equity, initialCash, shiftMs),
    years: yearlyReturns(time, equity, initialCash, shiftMs),
    excursions,
  }
}

interface ComparedRun {
  readonly time: Float64Array
  readonly equity: Float64Array
  /** Of bars from the second on; fewer where the equity fell to nothing. */
  readonly returns: Float64Array
  readonly totalReturn: number
  readonly periodsPerYear: number
  readonly riskFree: number
}

/** Over the bars that the benchmark has: the returns of both from its first price to its last. */
function compareWith({ close, from, to }: AlignedBenchmark, run: ComparedRun): { alpha: number; beta: number; figures: Record<string, number> } {
  const { periodsPerYear, riskFree } = run
  const last = Math.min(to - 1, run.returns.length)
  const returns = run.returns.subarray(from, last)
  const market = new Float64Array(returns.length)
  for (let k = 0; k < market.length; k++) market[k] = close[from + k + 1]! / close[from + k]! - 1
  const [sums, marketSums] = [sumReturns(returns), sumReturns(market)]
  const pairs = pairReturns(returns, market, sums, marketSums)
  const isWhole = from === 0 && to === run.time.length
  const totalReturn = isWhole ? run.totalReturn : (run.equity[to - 1]! / run.equity[from]! - 1) * 100
  return {
    ...alphaBeta(sums, marketSums, pairs, periodsPerYear, riskFree),
    figures: compareBenchmark({ time: run.time.subarray(from, to), close: close.subarray(from, to), sums, marketSums, pairs, totalReturn, periodsPerYear, riskFree }),
  }
}

function drawdownMetrics(equity: Float64Array, time: Float64Array, initialCash: number): Record<string, number> {
  const drawdowns = summariseDrawdowns(equity, time, initialCash)
  return {
    avg_drawdown: drawdowns.meanDepth * 100,
    max_drawdown_duration_bars: drawdowns.maxBars,
    avg_drawdown_duration_bars: drawdowns.meanBars,
    max_drawdown_duration_days: drawdowns.maxMs / DAY_MS,
    avg_drawdown_duration_days: drawdowns.meanMs / DAY_MS,
    ulcer_index: drawdowns.ulcer * 100,
  }
}

function tradeDurations(trades: TradeColumns): Record<string, number> {
  let longest = NaN
  let sum = 0
  for (let k = 0; k < trades.count; k++) {
    const bars = trades.exitBar[k]! - trades.entryBar[k]!
    if (!(bars <= longest)) longest = bars
    sum += bars
  }
  return { longest_trade_bars: longest, avg_trade_bars: sum / trades.count }
}

/** Bailey and López de Prado: the probability that the true Sharpe ratio is above 0, with moments not corrected for bias. */
function probabilisticSharpe(sums: ReturnSums, riskFree: number, { populationSkew, populationKurtosis }: ReturnDistribution): number {
  const ratio = (meanOfSums(sums) - riskFree) / deviationOfSums(sums)
  return normalCdf(ratio / Math.sqrt((1 - populationSkew * ratio + ((populationKurtosis - 1) / 4) * ratio * ratio) / (sums.count - 1)))
}

/** How far the trades of one account went, by its own bars. */
export function excursionsOf(bars: BarColumns, trades: TradeLog, columns: TradeColumns, { execution }: BacktestSpec): TradeExcursions {
  const rules = excursionRules({ fill: execution.fill, finalize: execution.finalize, hasEntryOrder: execution.entryOrder !== null }, (k) => EXIT_REASONS[trades.at(k, REASON)])
  return tradeExcursions(bars, columns, rules)
}
