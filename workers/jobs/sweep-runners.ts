/** Runners stay between the chunks of a sweep, so that all of them share indicator columns: least recently used first out. */
import { layoutSweep, TrialRunner } from '../../src/engine/index.js'
import { sweepSpec } from './job-spec.js'
import type { JobCall, PreparedSweep } from './job.js'

export class SweepRunners {
  readonly #kept: number
  readonly #guardsColumns: boolean
  readonly #runners = new Map<string, PreparedSweep>()

  /** `guardsColumns`: the strategy may write into the columns that its trials share, and must not stay unseen. */
  constructor(kept: number, guardsColumns: boolean) {
    this.#kept = kept
    this.#guardsColumns = guardsColumns
  }

  prepared(call: Omit<JobCall, 'prepared'>): PreparedSweep {
    const bars = call.bars()
    const key = `${bars.hash} ${call.specText}`
    let made = this.#runners.get(key)
    this.#runners.delete(key)
    if (made === undefined) {
      const spec = sweepSpec(call)
      const strategy = call.strategy()
      const plan = layoutSweep(spec, strategy)
      made = { plan, runner: new TrialRunner(bars, strategy, plan, spec, { guardsColumns: this.#guardsColumns }) }
    }
    this.#runners.set(key, made)
    const [oldest] = this.#runners.keys()
    if (this.#runners.size > this.#kept && oldest !== undefined) this.#runners.delete(oldest)
    return made
  }

  /** They hold on to their bars and the columns made of them. */
  forget(dataHash: string): void {
    for (const key of this.#runners.keys()) if (key.startsWith(`${dataHash} `)) this.#runners.delete(key)
  }
}
