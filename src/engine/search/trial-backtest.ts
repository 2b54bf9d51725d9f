/**
 * One trial of a sweep as the backtest that repeats it. `trialBacktest` covers the bars that the trial's row was measured
 * on: all of them, or with a holdout those in sample, so that the metrics are the row's. The bars held back are not in it.
 */
import type { BarColumns } from '../../market/layout.js'
import { formatIsoTime } from '../calendar/iso-time.js'
import { periodsPerYear } from '../metrics/periods-per-year.js'
import { prepareBars } from '../simulate/prepare-bars.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { specInvalid } from '../specs/refuse.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { splitBar } from './evaluate-trial.js'
import { layoutSweep } from './sweep-plan.js'

export interface TrialBacktest {
  readonly spec: BacktestSpec
  readonly params: Params
  /** Which bars it covers, as a sentence; null when there is no holdout and it covers them all. */
  readonly covers: string | null
}

/** `bars` are those of the sweep. Throws SPEC_INVALID for a number that no trial has. */
export function trialBacktest(bars: BarColumns, strategy: Strategy, spec: SweepSpec, trial: number): TrialBacktest {
  const plan = layoutSweep(spec, strategy)
  if (!Number.isInteger(trial) || trial < 0 || trial >= plan.fullSize) {
    throw specInvalid('trial', `trial is ${trial}, but the trials of this sweep have the numbers 0 to ${plan.fullSize - 1}.`, { trial, points: plan.fullSize })
  }
  const params = plan.paramsAt(trial)
  if (params === null) throw specInvalid('trial', `Trial ${trial} is excluded by the constraint of the sweep or of its strategy, so there is nothing to repeat; choose another.`, { trial })
  const whole = repeated(spec, params)
  if (spec.holdout === undefined) return { spec: whole, params, covers: null }
  const { time } = prepareBars(bars, spec.bars).bars
  const split = splitBar(time.length, spec.holdout)
  const last = formatIsoTime(time[split - 1]!)
  return {
    spec: {
      ...whole,
      bars: { ...whole.bars, endDate: last },
      // A sweep annualises by all of its bars, these may look like others: a year of weekdays, say, that holds a long weekend more.
      metrics: { ...whole.metrics, periodsPerYear: periodsPerYear(time, spec.metrics.periodsPerYear).value },
    },
    params,
    covers: `The bars are the ${split} of ${time.length} that the sweep had in sample, from ${formatIsoTime(time[0]!)} to ${last}; those it held back, from ${formatIsoTime(time[split]!)} on, are left out.`,
  }
}

/** The backtest of these parameters over all bars of the sweep. */
export function repeated(spec: SweepSpec, params: Params): BacktestSpec {
  const { bars, execution, metrics, dataHash, dataWarnings, strategyHash } = spec
  return {
    bars, execution, metrics, strategy: 'name' in spec.strategy ? { name: spec.strategy.name, params } : spec.strategy,
    ...(dataHash === undefined ? {} : { dataHash }), ...(dataWarnings === undefined ? {} : { dataWarnings }), ...(strategyHash === undefined ? {} : { strategyHash }),
  }
}
