/**
 * Runs the trials of a sweep, range by range, over one set of bars: the in-sample part when the spec holds some
 * back. One runner belongs to one thread and is reused for every range of a sweep: its indicator columns,
 * equity and trade buffers stay. A row depends on its index alone, never on the range it was computed in.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { periodsPerYear } from '../metrics/periods-per-year.js'
import { SweepMeter } from '../metrics/sweep-meter.js'
import { SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import { prepareBars, sliceBars } from '../simulate/prepare-bars.js'
import { runStrategy } from '../simulate/run-strategy.js'
import { createSimulation } from '../simulate/create-simulation.js'
import type { Simulation } from '../simulate/simulation.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import type { Strategy } from '../strategies/strategy.js'
import { ColumnCache, DEFAULT_CACHE_BYTES } from './column-cache.js'
import { splitBar } from './evaluate-trial.js'
import { SKIPS_PER_BEAT } from './pulse.js'
import type { Pulse } from './pulse.js'
import type { SweepPlan } from './sweep-plan.js'
import type { TrialRows } from './trial-rows.js'

export interface TrialRunnerOptions {
  readonly cacheBytes?: number
  readonly guardsColumns?: boolean
}

const FIRST_ROWS = 1024

export class TrialRunner {
  readonly width: number
  readonly columns: ColumnCache
  private readonly bars: BarColumns
  private readonly strategy: Strategy
  private readonly plan: SweepPlan
  private readonly spec: SweepSpec
  private readonly decisions: Uint8Array
  private readonly simulation: Simulation
  private readonly meter: SweepMeter

  /**
   * `bars` are the whole bars; dates, adjust and holdout are applied here. `guardsColumns`: see
   * `refuseWritten`; trials after one that wrote into a shared column saw other numbers than they would have by themselves.
   */
  constructor(bars: BarColumns, strategy: Strategy, plan: SweepPlan, spec: SweepSpec, { cacheBytes = DEFAULT_CACHE_BYTES, guardsColumns = false }: TrialRunnerOptions = {}) {
    const prepared = prepareBars(bars, spec.bars).bars
    const periods = periodsPerYear(prepared.time, spec.metrics.periodsPerYear)
    this.bars = sliceBars(prepared, 0, splitBar(prepared.length, spec.holdout))
    this.strategy = strategy
    this.plan = plan
    this.spec = spec
    this.width = 1 + plan.names.length + SWEEP_METRICS.length
    this.columns = new ColumnCache(this.bars, cacheBytes, guardsColumns)
    this.decisions = new Uint8Array(this.bars.length)
    this.simulation = createSimulation(this.bars.length, spec.execution, { isWatched: strategy.onBar !== undefined })
    this.meter = new SweepMeter(this.bars.length, { periodsPerYear: periods.value, riskFree: spec.metrics.riskFree })
  }

  /** The rows of the trials with indices [from, to), in index order; 'stopped' when the pulse said so. */
  run(from: number, to: number, pulse: Pulse): TrialRows | 'stopped' {
    const { rows, reached } = this.runPart(from, to, pulse)
    return reached < to ? 'stopped' : rows
  }

  /** The rows of the trials with indices [from, reached): all of the range, or as many as the pulse let pass. */
  runPart(from: number, to: number, pulse: Pulse): { readonly rows: TrialRows; readonly reached: number } {
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > this.plan.fullSize) {
      throw new SweepmillError('INVARIANT', `The range of trials ${from} to ${to} does not lie within the ${this.plan.fullSize} points of the grid.`)
    }
    const { width } = this
    let rows = new Float64Array(Math.min(to - from, FIRST_ROWS) * width)
    let count = 0
    let index = from
    for (; index < to; index++) {
      const params = this.plan.paramsAt(index)
      if (params === null) {
        if ((index - from) % SKIPS_PER_BEAT === 0 && pulse.beat(index - from, to - from)) break
        continue
      }
      if (pulse.beat(index - from, to - from)) break
      const at = count * width
      if (at === rows.length) {
        const larger = new Float64Array(Math.min(rows.length * 2, (to - from) * width))
        larger.set(rows)
        rows = larger
      }
      const onClose = runStrategy(this.strategy, this.bars, params, this.columns.ta, this.spec.execution.direction, this.decisions, this.simulation)
      this.writeRow(index, rows, at, onClose)
      count++
    }
    return { rows: { width, count, rows: rows.slice(0, count * width) }, reached: index }
  }

  /** Of a runner that guards its columns: throws STRATEGY_FAILED if the strategy wrote into one. Cost: a pass over those in use. */
  refuseWritten(): void {
    const written = this.columns.written()
    if (written !== undefined) {
      throw new SweepmillError('STRATEGY_FAILED', `The strategy "${this.strategy.name}" wrote into ${written}, which the trials of a sweep share. Copy a column before changing it, for example with .slice().`, { details: { strategy: this.strategy.name } })
    }
  }

  private writeRow(index: number, rows: Float64Array, at: number, onClose: ((bar: number) => void) | undefined): void {
    const { axes } = this.plan
    rows[at] = index
    let rest = index
    for (let k = axes.length - 1; k >= 0; k--) {
      const axis = axes[k]!
      const above = Math.floor(rest / axis.count)
      const position = rest - above * axis.count
      rows[at + 1 + k] = axis.valueAt(position)
      rest = above
    }
    const { bars, simulation } = this
    simulation.run(bars, this.decisions, 0, bars.length, onClose)
    this.meter.measure(simulation, bars, 0, bars.length, this.spec.execution.initialCash, rows, at + 1 + axes.length)
    // One bit pattern for whatever is not a finite number: rows are hashed.
    for (let k = at; k < at + this.width; k++) if (!Number.isFinite(rows[k]!)) rows[k] = NaN
  }
}
