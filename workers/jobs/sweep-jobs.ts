/** Planning a sweep, running its trials, and the best of them once more. */
import { encodeTrialRows, evaluateTrial, firstTrial, layoutSweep, prepareBars, repeated, runBacktest, specToJson, splitBar, tradesCsv, trialBacktest } from '../../src/engine/index.js'
import type { MetricRecord, Params } from '../../src/engine/index.js'
import { equityBytes } from './backtest-jobs.js'
import { specHash, sweepSpec } from './job-spec.js'
import type { Job } from './job.js'
import { partOf, stopped } from './part.js'

/** Trials measured to learn what one costs; spread over the grid, because cost may depend on the parameters. */
const CALIBRATION_TRIALS = 20
const CALIBRATION_PROBES = 2000

/**
 * spec, {from?, most_ms?} and bars → {spec_hash, first, next}: the first trial at or after `from`, or where the search goes on; both null
 * where the sweep itself must tell. Refuses an empty space, dates that leave no bars, a holdout that leaves too few.
 */
export const checkSweep: Job = (call) => {
  const spec = sweepSpec(call)
  const strategy = call.strategy()
  const made = layoutSweep(spec, strategy)
  splitBar(prepareBars(call.bars(), spec.bars).bars.length, spec.holdout)
  const found = firstTrial(made, spec, strategy, Number(call.input['from'] ?? 0), partOf(call))
  return { json: { spec_hash: specHash(call, spec), first: found.kind === 'found' ? found.index : null, next: found.kind === 'stopped' ? found.next : null } }
}

/** spec, {first} and bars → nothing: runs this trial, so that a strategy that throws is refused before it becomes a task. */
export const trySweep: Job = (call) => {
  const { runner } = call.prepared()
  const first = Number(call.input['first'])
  if (runner.run(first, first + 1, call.pulse) === 'stopped') throw stopped()
  runner.refuseWritten()
  return { json: {} }
}

/**
 * spec, {from?, most_ms?} and bars → size of the grid, hash of the spec, and what a trial costs (of a grid in which none was found,
 * what a point costs); or {next}, where the search for a first trial goes on. Refuses an empty space.
 */
export const plan: Job = (call) => {
  const spec = sweepSpec(call)
  const { runner, plan: made } = call.prepared()
  const { nowMs } = call.surroundings
  const part = partOf(call)
  const found = firstTrial(made, spec, call.strategy(), Number(call.input['from'] ?? 0), part)
  if (found.kind === 'stopped') return { json: { next: found.next } }
  const stride = Math.max(1, Math.floor(made.fullSize / CALIBRATION_PROBES))
  const fromMs = nowMs()
  const measured: number[] = []
  const costOf = (index: number): number => {
    const beganMs = nowMs()
    if (runner.run(index, index + 1, call.pulse) === 'stopped') throw stopped()
    return nowMs() - beganMs
  }
  let probed = 0
  for (let index = 0; index < made.fullSize && measured.length < CALIBRATION_TRIALS; index += stride) {
    if (part.beat(probed, CALIBRATION_PROBES)) break
    probed += 1
    if (made.paramsAt(index) !== null) measured.push(costOf(index))
  }
  if (measured.length === 0 && found.kind === 'found') measured.push(costOf(found.index))
  // The one in the middle: the first ones are cold, and few are measured where a trial takes long.
  const costMs = measured.toSorted((a, b) => a - b)[measured.length >> 1] ?? (nowMs() - fromMs) / Math.max(1, probed)
  runner.refuseWritten()
  return { json: { full_size: made.fullSize, spec_hash: specHash(call, spec), us_per_trial: costMs * 1000, names: made.names } }
}

/** spec, {trial} and bars → the spec of the backtest that repeats this trial, and which bars it covers. */
export const trialSpec: Job = (call) => {
  const { spec, covers } = trialBacktest(call.bars(), call.strategy(), sweepSpec(call), Number(call.input['trial']))
  return { json: { spec: specToJson(spec), covers } }
}

/**
 * spec, {ranges, most_ms?} and bars → the rows of each range, as far as the time allows: `reached` is where the last of the ranges
 * that were begun was left, and those after it are not begun. Parts of a range joined are the rows of the range.
 */
export const runTrials: Job = (call) => {
  const { runner } = call.prepared()
  const { nowMs } = call.surroundings
  const ranges = call.input['ranges'] as readonly (readonly [number, number])[]
  const total = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
  const part = partOf(call)
  const bytes: Record<string, Uint8Array> = {}
  const ms: number[] = []
  const trials: number[] = []
  let [before, reached] = [0, 0]
  for (const [i, [from, to]] of ranges.entries()) {
    const fromMs = nowMs()
    const run = runner.runPart(from, to, { beat: (done) => part.beat(before + done, total) })
    if (run.reached === from && to > from) break
    bytes[`q:${i}`] = encodeTrialRows(run.rows)
    ms.push(nowMs() - fromMs)
    trials.push(run.rows.count)
    reached = run.reached
    if (reached < to) break
    before += to - from
  }
  runner.refuseWritten()
  return { json: { ms, trials, reached }, bytes }
}

/** spec, bars and {best: parameters, the best first} → {held_out} of each, and the first one in full. */
export const finishSweep: Job = (call) => {
  const spec = sweepSpec(call)
  const strategy = call.strategy()
  const bars = call.bars()
  const best = call.input['best'] as readonly Params[]
  const heldOut = best.map((params, i): MetricRecord | null => {
    if (call.pulse.beat(i, best.length)) throw stopped()
    return evaluateTrial(bars, strategy, spec, params).heldOut
  })
  const [first] = best
  if (first === undefined) return { json: { held_out: heldOut, summary: null } }
  const full = runBacktest(bars, strategy, repeated(spec, first), { dataHash: bars.hash, specHash: specHash(call, spec), engineVersion: call.surroundings.engineVersion })
  return { json: { held_out: heldOut, summary: full.summary }, texts: { trades: tradesCsv(full) }, bytes: { equity: equityBytes(full) } }
}
