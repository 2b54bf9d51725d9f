/** Planning a sweep and running its trials. What the realm of a user's strategy says of them is checked here. */
import { SweepmillError } from '../../src/base/errors.js'
import { decodeTrialRows, layoutSweep, parseSweepSpec, SKIPS_PER_BEAT, SWEEP_METRICS } from '../../src/engine/index.js'
import { perform } from '../perform.js'
import type { Step, StepContext } from '../step.js'
import { strategyShell } from '../strategy-shell.js'

/** {spec, from?, most_ms?} and bars → {spec_hash, first, next}: see the job. */
export const checkSweep: Step = async (context) => {
  const { json } = await perform(context, 'check_sweep')
  if (context.bytes['code'] === undefined) return { json }
  const { spec_hash: specHash, first, next } = json as Record<string, unknown>
  const { fullSize } = layoutSweep(parseSweepSpec(context.input['spec']), await strategyShell(context))
  return { json: { spec_hash: String(specHash), first: isIndex(first, 0, fullSize) ? first : null, next: goesOn(context, next, fullSize) ? next : null } }
}

/** {spec, first} and bars → nothing: runs this trial, so that a strategy that throws is refused before it becomes a task. */
export const trySweep: Step = (context) => perform(context, 'try_sweep')

/** {spec, from?, most_ms?} and bars → size of the grid, hash of the spec, and what a trial costs; or {next}. Refuses an empty space. */
export const plan: Step = async (context) => {
  const { json } = await perform(context, 'plan_sweep')
  if (context.bytes['code'] === undefined) return { json }
  const { spec_hash: specHash, us_per_trial: usPerTrial, next } = json as Record<string, unknown>
  // How large the grid is decides how long this process is busy, so it is counted here.
  const { fullSize, names } = layoutSweep(parseSweepSpec(context.input['spec']), await strategyShell(context))
  if (goesOn(context, next, fullSize)) return { json: { next } }
  return { json: { full_size: fullSize, spec_hash: String(specHash), us_per_trial: typeof usPerTrial === 'number' ? Math.max(0, usPerTrial) : 0, names } }
}

/** A search that was left looked at some points at least: one that says otherwise would never end. */
function goesOn({ input }: StepContext, next: unknown, fullSize: number): next is number {
  return isIndex(next, Number(input['from'] ?? 0) + SKIPS_PER_BEAT, fullSize)
}

function isIndex(value: unknown, from: number, to: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= from && value < to
}

/** {spec, trial} and bars → the spec of the backtest that repeats this trial, and which bars it covers. */
export const trialSpec: Step = (context) => perform(context, 'trial_spec')

/** {spec, ranges, most_ms?} and bars → the rows of each range, as far as the time allows: see the job. */
export const runTrials: Step = async (context) => {
  const result = await perform(context, 'run_trials')
  if (context.bytes['code'] === undefined) return result
  const { spec, ranges } = context.input as { spec: { space: object }; ranges: readonly (readonly [number, number])[] }
  const begun = begunOf(result.json, ranges, context.input['most_ms'] === undefined)
  const width = 1 + Object.keys(spec.space).length + SWEEP_METRICS.length
  const trials = begun.ranges.map((range, i) => countOf(result.bytes?.[`q:${i}`] ?? new Uint8Array(), range, width))
  return { json: { ms: begun.ms, trials, reached: begun.ranges.at(-1)?.[1] ?? 0 }, bytes: result.bytes ?? {} }
}

/** Which ranges were begun, each as far as it came. Throws STRATEGY_FAILED for what is no part of those asked for. */
function begunOf(json: unknown, ranges: readonly (readonly [number, number])[], isWhole: boolean): { readonly ms: readonly number[]; readonly ranges: readonly (readonly [number, number])[] } {
  const { ms, reached } = json as { ms: readonly unknown[]; reached: unknown }
  const count = isWhole || !Array.isArray(ms) ? ranges.length : Math.min(ms.length, ranges.length)
  const [from, to] = ranges[count - 1] ?? [0, 0]
  const end = isWhole || from === to ? to : reached
  if (count === 0 || (end !== to && !isIndex(end, from + 1, to))) {
    throw new SweepmillError('STRATEGY_FAILED', 'The strategy left its trials where they cannot be gone on with: it changed what runs them.')
  }
  return {
    ms: Array.from({ length: count }, (_, i) => (typeof ms[i] === 'number' ? Math.max(0, ms[i]) : 0)),
    ranges: ranges.slice(0, count).map(([first, last], i) => [first, i === count - 1 ? end : last] as const),
  }
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
