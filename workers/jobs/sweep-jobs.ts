/** Planning a sweep, running its trials, and the best of them once more. */
import { SweepmillError } from '../../src/base/errors.js'
import { encodeTrialRows, evaluateTrial, planSweep, prepareBars, repeated, runBacktest, specToJson, splitBar, tradesCsv, trialBacktest } from '../../src/engine/index.js'
import type { MetricRecord, Params } from '../../src/engine/index.js'
import { equityBytes } from './backtest-jobs.js'
import { specHash, sweepSpec } from './job-spec.js'
import type { Job } from './job.js'

/** Trials measured to learn what one costs; spread over the grid, because cost may depend on the parameters. */
const CALIBRATION_TRIALS = 20
const CALIBRATION_PROBES = 2000

/** spec and bars → {spec_hash}; refuses an empty space, dates that leave no bars, a holdout that leaves too few. */
export const checkSweep: Job = (call) => {
  const spec = sweepSpec(call)
  planSweep(spec, call.strategy())
  splitBar(prepareBars(call.bars(), spec.bars).bars.length, spec.holdout)
  return { json: { spec_hash: specHash(call, spec) } }
}

/** spec and bars → nothing: runs the first trial, so that a strategy that throws is refused before it becomes a task. */
export const trySweep: Job = (call) => {
  const { runner, plan } = call.prepared()
  let first = 0
  while (first < plan.fullSize && plan.paramsAt(first) === null) first += 1
  if (runner.run(first, Math.min(first + 1, plan.fullSize), call.pulse) === 'stopped') throw stopped()
  runner.refuseWritten()
  return { json: {} }
}

/** spec and bars → size of the grid, hash of the spec, and what a trial costs. Refuses an empty space. */
export const plan: Job = (call) => {
  const spec = sweepSpec(call)
  const { runner, plan: made } = call.prepared()
  const { nowMs } = call.surroundings
  const stride = Math.max(1, Math.floor(made.fullSize / CALIBRATION_PROBES))
  let measured = 0
  let ms = 0
  for (let index = 0; index < made.fullSize && measured < CALIBRATION_TRIALS; index += stride) {
    if (made.paramsAt(index) === null) continue
    const fromMs = nowMs()
    if (runner.run(index, index + 1, call.pulse) === 'stopped') throw stopped()
    ms += nowMs() - fromMs
    measured += 1
  }
  runner.refuseWritten()
  return { json: { full_size: made.fullSize, spec_hash: specHash(call, spec), us_per_trial: (ms * 1000) / Math.max(1, measured), names: made.names } }
}

/** spec, {trial} and bars → the spec of the backtest that repeats this trial, and which bars it covers. */
export const trialSpec: Job = (call) => {
  const { spec, covers } = trialBacktest(call.bars(), call.strategy(), sweepSpec(call), Number(call.input['trial']))
  return { json: { spec: specToJson(spec), covers } }
}

/** spec, {ranges} and bars → the rows of each range. */
export const runTrials: Job = (call) => {
  const { runner } = call.prepared()
  const { nowMs } = call.surroundings
  const ranges = call.input['ranges'] as readonly (readonly [number, number])[]
  const total = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
  const bytes: Record<string, Uint8Array> = {}
  const ms: number[] = []
  const trials: number[] = []
  let before = 0
  for (const [i, [from, to]] of ranges.entries()) {
    const fromMs = nowMs()
    const rows = runner.run(from, to, { beat: (done) => call.pulse.beat(before + done, total) })
    if (rows === 'stopped') throw stopped()
    bytes[`q:${i}`] = encodeTrialRows(rows)
    ms.push(nowMs() - fromMs)
    trials.push(rows.count)
    before += to - from
  }
  runner.refuseWritten()
  return { json: { ms, trials }, bytes }
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

function stopped(): SweepmillError {
  return new SweepmillError('TASK_CANCELLED', 'The step was cancelled.')
}
