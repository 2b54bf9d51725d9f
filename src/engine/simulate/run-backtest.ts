/**
 * One backtest with everything recorded: trades, the equity curve and the summary that becomes a task's
 * `result`. Pure: same bars, strategy and spec, same bytes. Usable alone, without any server.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { ta } from '../indicators/indicators.js'
import { periodsPerYear } from '../metrics/periods-per-year.js'
import { SweepMeter } from '../metrics/sweep-meter.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { requireSpec } from '../specs/spec-json.js'
import { checkParams } from '../strategies/check-params.js'
import type { Strategy } from '../strategies/strategy.js'
import { measureBacktest } from './measure-backtest.js'
import { observeIndicators } from './observed-indicators.js'
import { prepareBars, sliceBars } from './prepare-bars.js'
import type { RunIdentity } from './run-identity.js'
import { runBenchmark } from './run-benchmark.js'
import { runStrategy } from './run-strategy.js'
import { alignFiner } from './finer-bars.js'
import type { FinerBars } from './finer-bars.js'
import { createSimulation } from './create-simulation.js'
import { summarise } from './summarise.js'
import type { MeasuredTrade } from './trade-log.js'

/** Bars [from, to) of the prepared bars. */
export interface BarWindow {
  readonly from: number
  readonly to: number
}

export interface BacktestResult {
  /** The task's `result`: snake_case scalars, all finite or null with a reason in `null_reasons`. */
  readonly summary: Record<string, unknown>
  readonly trades: readonly MeasuredTrade[]
  /** Equity at the close of each bar of the window, and the bars' times. */
  readonly equity: Float64Array
  readonly time: Float64Array
  /** Number of the window's first bar: `bar` of the first row of the equity. */
  readonly firstBar: number
}

/**
 * Trades only within the window (default: all bars), flat and with the initial cash at its start; earlier bars
 * are warm-up, their decisions do not count; later bars are not seen. Bars are prepared here (dates, adjust).
 * `finer` are bars of the same market, for `intrabar_path` "finer", `benchmark` those that the spec names. Throws PARAM_INVALID, STRATEGY_FAILED, DATA_EMPTY, SPEC_INVALID.
 */
export function runBacktest(bars: BarColumns, strategy: Strategy, spec: BacktestSpec, identity: RunIdentity = {}, window?: BarWindow, finer?: BarColumns, benchmark?: BarColumns): BacktestResult {
  requireSpec(spec)
  const prepared = prepareBars(bars, spec.bars)
  const { from, to } = checkWindow(prepared.bars.length, window)
  const params = checkParams(strategy, 'params' in spec.strategy ? spec.strategy.params : {})
  const periods = periodsPerYear(prepared.bars.time, spec.metrics.periodsPerYear)
  const seen = sliceBars(prepared.bars, 0, to)
  const compared = runBenchmark(seen.time.subarray(from, to), spec, benchmark)
  const decisions = new Uint8Array(seen.length)
  const observed = observeIndicators(ta)
  const inside = finerOf(seen, spec, finer)
  const simulation = createSimulation(seen.length, spec.execution, { finer: inside, isWatched: strategy.onBar !== undefined })
  const onClose = runStrategy(strategy, seen, params, observed.ta, spec.execution.direction, decisions, simulation)
  simulation.run(seen, decisions, from, to, onClose)
  const meter = new SweepMeter(seen.length, { periodsPerYear: periods.value, riskFree: spec.metrics.riskFree })
  const measures = measureBacktest({ bars: seen, from, to, spec, periods, warmUp: observed.warmUp(), simulation, meter, benchmark: compared.aligned })
  const warnings = [...spec.dataWarnings ?? [], ...prepared.warnings, ...finerWarning(inside, seen.length), ...compared.warnings]
  const summary = summarise({ bars: seen, from, to, strategy, params, spec, identity, periods, simulation, measures, warnings })
  const { mae, mfe } = measures.excursions
  return {
    summary,
    trades: simulation.trades.toTrades(seen.time, mae, mfe),
    // Views: nothing else writes to this run's equity, and nobody to bars.
    equity: simulation.equity.subarray(from, to),
    time: seen.time.subarray(from, to),
    firstBar: from,
  }
}

function finerOf(bars: BarColumns, spec: BacktestSpec, finer: BarColumns | undefined): FinerBars | undefined {
  if (spec.execution.intrabarPath !== 'finer') return undefined
  if (finer === undefined) throw new SweepmillError('SPEC_INVALID', 'execution.intrabar_path "finer" needs finer bars beside the bars.', { details: { path: 'execution.intrabar_path' } })
  return alignFiner(bars, prepareBars(finer, spec.bars.adjust === undefined ? {} : { adjust: spec.bars.adjust }).bars)
}

function finerWarning(finer: FinerBars | undefined, length: number): string[] {
  return finer === undefined || finer.missing === 0 ? [] : [`${finer.missing} of ${length} bars have no finer bars in them and were walked as "adaptive" does.`]
}

function checkWindow(length: number, window: BarWindow | undefined): BarWindow {
  const { from, to } = window ?? { from: 0, to: length }
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to <= length && from < to) return { from, to }
  throw new SweepmillError('SPEC_INVALID', `The window of bars ${from} to ${to} does not lie within the ${length} bars.`, { details: { from, to, bars: length } })
}
