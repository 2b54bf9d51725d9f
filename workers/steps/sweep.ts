/** Planning a sweep and running its trials. Runners stay in the thread, so that indicator columns are shared by all chunks. */
import { encodeTrialRows, planSweep, prepareBars, specToJson, splitBar, trialBacktest, TrialRunner } from '../../src/engine/index.js'
import type { SweepPlan } from '../../src/engine/index.js'
import { loadSweep } from '../spec.js'
import { barsOf, stopped } from '../step.js'
import type { Step, StepContext } from '../step.js'

/** Trials measured to learn what one costs; spread over the grid, because cost may depend on the parameters. */
const CALIBRATION_TRIALS = 20
const CALIBRATION_PROBES = 2000
const KEPT_RUNNERS = 4

interface Prepared {
  readonly runner: TrialRunner
  readonly plan: SweepPlan
}

/** Least recently used first. */
const runners = new Map<string, Promise<Prepared>>()

function prepared(context: StepContext): Promise<Prepared> {
  const bars = barsOf(context)
  const key = `${bars.hash} ${JSON.stringify(context.input['spec'])}`
  const known = runners.get(key)
  runners.delete(key)
  const made = known ?? (async () => {
    const { spec, strategy } = await loadSweep(context)
    const plan = planSweep(spec, strategy)
    return { plan, runner: new TrialRunner(bars, strategy, plan, spec) }
  })()
  runners.set(key, made)
  made.catch(() => runners.delete(key))
  const [oldest] = runners.keys()
  if (runners.size > KEPT_RUNNERS && oldest !== undefined) runners.delete(oldest)
  return made
}

/** {spec} and bars → {spec_hash}; refuses an empty space, dates that leave no bars, a holdout that leaves too few. */
export const checkSweep: Step = async (context) => {
  const { spec, specHash, strategy } = await loadSweep(context)
  planSweep(spec, strategy)
  splitBar(prepareBars(barsOf(context), spec.bars).bars.length, spec.holdout)
  return { json: { spec_hash: specHash } }
}

/** {spec} and bars → nothing: runs the first trial, so that a strategy that throws is refused before it becomes a task. */
export const trySweep: Step = async (context) => {
  const { runner, plan: made } = await prepared(context)
  let first = 0
  while (first < made.fullSize && made.paramsAt(first) === null) first += 1
  if (runner.run(first, Math.min(first + 1, made.fullSize), context.pulse) === 'stopped') throw stopped()
  return { json: {} }
}

/** Runners hold on to their bars and the columns made of them. */
export function forgetRunners(dataHash: string): void {
  for (const key of runners.keys()) if (key.startsWith(`${dataHash} `)) runners.delete(key)
}

/** {spec} and bars → size of the grid, hash of the spec, and what a trial costs. Refuses an empty space. */
export const plan: Step = async (context) => {
  const { spec, specHash, strategy } = await loadSweep(context)
  const made = planSweep(spec, strategy)
  const { runner } = await prepared(context)
  const stride = Math.max(1, Math.floor(made.fullSize / CALIBRATION_PROBES))
  let measured = 0
  let ms = 0
  for (let index = 0; index < made.fullSize && measured < CALIBRATION_TRIALS; index += stride) {
    if (made.paramsAt(index) === null) continue
    const fromMs = performance.now()
    if (runner.run(index, index + 1, context.pulse) === 'stopped') throw stopped()
    ms += performance.now() - fromMs
    measured += 1
  }
  return { json: { full_size: made.fullSize, spec_hash: specHash, us_per_trial: (ms * 1000) / Math.max(1, measured), names: made.names } }
}

/** {spec, trial} and bars → the spec of the backtest that repeats this trial, and which bars it covers. */
export const trialSpec: Step = async (context) => {
  const { spec, strategy } = await loadSweep(context)
  const { spec: own, covers } = trialBacktest(barsOf(context), strategy, spec, Number(context.input['trial']))
  return { json: { spec: specToJson(own), covers } }
}

/** {spec, ranges} and bars → the rows of each range. */
export const runTrials: Step = async (context) => {
  const { runner } = await prepared(context)
  const ranges = context.input['ranges'] as readonly (readonly [number, number])[]
  const total = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
  const bytes: Record<string, Uint8Array> = {}
  const ms: number[] = []
  const trials: number[] = []
  let before = 0
  for (const [i, [from, to]] of ranges.entries()) {
    const fromMs = performance.now()
    const rows = runner.run(from, to, { beat: (done) => context.pulse.beat(before + done, total) })
    if (rows === 'stopped') throw stopped()
    bytes[`q:${i}`] = encodeTrialRows(rows)
    ms.push(performance.now() - fromMs)
    trials.push(rows.count)
    before += to - from
  }
  return { json: { ms, trials }, bytes }
}
