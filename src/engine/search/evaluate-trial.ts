/**
 * One trial in sample and held out. Sweep trials see bars [0, split) and nothing after; the held-out run trades
 * only in [split, n), flat and with the initial cash at its start, with the earlier bars as warm-up. Both are
 * measured as a trial of the sweep is, with the buy-and-hold return of the same bars beside it.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { ta } from '../indicators/indicators.js'
import { periodsPerYear } from '../metrics/periods-per-year.js'
import { buyAndHoldReturn, SweepMeter } from '../metrics/sweep-meter.js'
import { SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import { prepareBars, sliceBars } from '../simulate/prepare-bars.js'
import type { BarWindow } from '../simulate/run-backtest.js'
import { runStrategy } from '../simulate/run-strategy.js'
import { createSimulation } from '../simulate/create-simulation.js'
import { requireSpec } from '../specs/spec-json.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import { checkParams } from '../strategies/check-params.js'
import type { Params, Strategy } from '../strategies/strategy.js'

/** SWEEP_METRICS and buy_and_hold_return by name; null where not defined. */
export type MetricRecord = Readonly<Record<string, number | null>>

export interface TrialEvaluation {
  readonly inSample: MetricRecord
  /** Null when the spec holds nothing back. */
  readonly heldOut: MetricRecord | null
  /** First held-out bar; the number of bars when nothing is held back. */
  readonly split: number
}

/** The first held-out bar: floor(n × (1 - holdout)); n without a holdout. Each part needs two bars. */
export function splitBar(length: number, holdout: number | undefined): number {
  if (holdout === undefined) return length
  const split = Math.floor(length * (1 - holdout) + 1e-9) // 10 × (1 - 0.9) must be 1, not 0.99…
  if (split >= 2 && length - split >= 2) return split
  throw new SweepmillError('SPEC_INVALID',
    `holdout ${holdout} leaves ${split} of ${length} bars in sample and ${length - split} held out, but both need at least 2; change holdout or give more bars.`,
    { details: { path: 'holdout', bars: length, split } })
}

/** `window` (default: all) narrows the prepared bars before they are split. */
export function evaluateTrial(bars: BarColumns, strategy: Strategy, spec: SweepSpec, params: Params, window?: BarWindow): TrialEvaluation {
  requireSpec(spec)
  const prepared = prepareBars(bars, spec.bars).bars
  const periods = periodsPerYear(prepared.time, spec.metrics.periodsPerYear).value
  const part = window === undefined ? prepared : sliceBars(prepared, window.from, window.to)
  const checked = checkParams(strategy, params)
  const split = splitBar(part.length, spec.holdout)
  const measure = (from: number, to: number): MetricRecord => {
    const seen = sliceBars(part, 0, to)
    const decisions = new Uint8Array(to)
    const simulation = createSimulation(to, spec.execution, { isWatched: strategy.onBar !== undefined })
    const onClose = runStrategy(strategy, seen, checked, ta, spec.execution.direction, decisions, simulation)
    simulation.run(seen, decisions, from, to, onClose)
    const row = new Float64Array(SWEEP_METRICS.length)
    new SweepMeter(to, { periodsPerYear: periods, riskFree: spec.metrics.riskFree }).measure(simulation, seen, from, to, spec.execution.initialCash, row, 0)
    return { ...metricRecord(row, 0), buy_and_hold_return: orNull(buyAndHoldReturn(seen, from, to)) }
  }
  return { inSample: measure(0, split), heldOut: split < part.length ? measure(split, part.length) : null, split }
}

/** SWEEP_METRICS from `at` on, by name. */
export function metricRecord(row: Float64Array, at: number): Record<string, number | null> {
  return Object.fromEntries(SWEEP_METRICS.map((name, k) => [name, orNull(row[at + k] ?? NaN)]))
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
