/** Planning a sweep and running its trials. What the realm of a user's strategy says of them is checked here. */
import { SweepmillError } from '../../src/base/errors.js'
import { decodeTrialRows, parseSweepSpec, planSweep, SWEEP_METRICS } from '../../src/engine/index.js'
import { perform } from '../perform.js'
import type { Step } from '../step.js'
import { strategyShell } from '../strategy-shell.js'

/** {spec} and bars → {spec_hash}; refuses an empty space, dates that leave no bars, a holdout that leaves too few. */
export const checkSweep: Step = (context) => perform(context, 'check_sweep')

/** {spec} and bars → nothing: runs the first trial, so that a strategy that throws is refused before it becomes a task. */
export const trySweep: Step = (context) => perform(context, 'try_sweep')

/** {spec} and bars → size of the grid, hash of the spec, and what a trial costs. Refuses an empty space. */
export const plan: Step = async (context) => {
  const { json } = await perform(context, 'plan_sweep')
  if (context.bytes['code'] === undefined) return { json }
  const { spec_hash: specHash, us_per_trial: usPerTrial } = json as Record<string, unknown>
  // How large the grid is decides how long this process is busy, so it is counted here.
  const { fullSize, names } = planSweep(parseSweepSpec(context.input['spec']), await strategyShell(context))
  return { json: { full_size: fullSize, spec_hash: String(specHash), us_per_trial: typeof usPerTrial === 'number' ? Math.max(0, usPerTrial) : 0, names } }
}

/** {spec, trial} and bars → the spec of the backtest that repeats this trial, and which bars it covers. */
export const trialSpec: Step = (context) => perform(context, 'trial_spec')

/** {spec, ranges} and bars → the rows of each range. */
export const runTrials: Step = async (context) => {
  const result = await perform(context, 'run_trials')
  if (context.bytes['code'] === undefined) return result
  const { spec, ranges } = context.input as { spec: { space: object }; ranges: readonly (readonly [number, number])[] }
  const { ms } = result.json as { ms: readonly unknown[] }
  const width = 1 + Object.keys(spec.space).length + SWEEP_METRICS.length
  const counts = ranges.map((range, i) => countOf(result.bytes?.[`q:${i}`] ?? new Uint8Array(), range, width))
  return { json: { ms: ranges.map((_, i) => (typeof ms[i] === 'number' ? Math.max(0, ms[i]) : 0)), trials: counts }, bytes: result.bytes ?? {} }
}

/** How many rows there are. Throws STRATEGY_FAILED for rows that are not of this range, which no honest strategy can give. */
function countOf(bytes: Uint8Array, [from, to]: readonly [number, number], wanted: number): number {
  const { width, count, rows } = decodeTrialRows(bytes)
  let last = from - 1
  for (let k = 0; k < count; k += 1) {
    const index = rows[k * width] ?? Number.NaN
    if (width !== wanted || !Number.isInteger(index) || index <= last || index >= to) {
      throw new SweepmillError('STRATEGY_FAILED', `The strategy gave rows that are none of the trials ${from} to ${to - 1}: it changed what makes them.`)
    }
    last = index
  }
  return count
}
