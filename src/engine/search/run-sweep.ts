/**
 * A whole sweep on the calling thread, without any server: what a script uses, and what the parallel sweep is
 * compared with. Memory does not grow with the number of trials; `onRows` sees every row once, in index order.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { refuseUnknownKeys } from '../specs/refuse.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import { builtinStrategy } from '../strategies/builtin-strategies.js'
import type { Strategy } from '../strategies/strategy.js'
import type { Pulse } from './pulse.js'
import type { TrialEvaluation } from './evaluate-trial.js'
import { evaluateTrial } from './evaluate-trial.js'
import type { SweepRanking } from './sweep-ranker.js'
import { SweepRanker } from './sweep-ranker.js'
import { planSweep } from './sweep-plan.js'
import type { TrialRows } from './trial-rows.js'
import { TrialRunner } from './trial-runner.js'

const CHUNK = 1024

export interface SweepRun extends SweepRanking {
  /** The best trial in sample and held out; null when no trial has an objective. */
  readonly best: TrialEvaluation | null
}

export interface RunSweepOptions {
  /** A strategy of one's own; without it the spec names a built-in one. */
  readonly strategy?: Strategy
  /** Called before each trial with the indices done and the grid's size; true stops the sweep (TASK_CANCELLED). */
  readonly pulse?: Pulse
  readonly onRows?: (rows: TrialRows) => void
}

export function runSweep(bars: BarColumns, spec: SweepSpec, options: RunSweepOptions = {}): SweepRun {
  // A slip in `strategy` would run a built-in one of the spec's name.
  refuseUnknownKeys({ ...options }, ['strategy', 'pulse', 'onRows'], 'options')
  const strategy = options.strategy ?? builtinStrategy('name' in spec.strategy ? spec.strategy.name : `id ${spec.strategy.strategyId}`)
  const { pulse } = options
  const plan = planSweep(spec, strategy, { beat: (_looked, total) => pulse?.beat(0, total) ?? false })
  const runner = new TrialRunner(bars, strategy, plan, spec)
  const ranker = new SweepRanker(plan, spec)
  for (let from = 0; from < plan.fullSize; from += CHUNK) {
    const to = Math.min(from + CHUNK, plan.fullSize)
    const rows = runner.run(from, to, { beat: (done) => pulse?.beat(from + done, plan.fullSize) ?? false })
    if (rows === 'stopped') throw new SweepmillError('TASK_CANCELLED', `The sweep was stopped after ${from} of ${plan.fullSize} points.`)
    ranker.add(rows)
    options.onRows?.(rows)
  }
  const ranking = ranker.finish()
  const first = ranking.top[0]
  return { ...ranking, best: first === undefined ? null : evaluateTrial(bars, strategy, spec, first.params) }
}
