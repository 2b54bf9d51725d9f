/**
 * Ranks the trials of a sweep as their rows stream by, in bounded memory: a heap of the best `top` rows and a
 * heat map. A trial whose objective is not a number never ranks; equal objectives rank by the lower index, so
 * the ranking does not depend on how the rows were cut into chunks.
 */
import { SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import type { Params } from '../strategies/strategy.js'
import { metricRecord } from './evaluate-trial.js'
import type { HeatMap } from './heat-map.js'
import { HeatMapBuilder } from './heat-map.js'
import type { SweepPlan } from './sweep-plan.js'
import type { TrialRows } from './trial-rows.js'

export interface RankedTrial {
  readonly trial: number
  readonly params: Params
  readonly metrics: Record<string, number | null>
}

export interface SweepRanking {
  /** Trials seen, those without an objective included. */
  readonly trials: number
  readonly top: readonly RankedTrial[]
  readonly heatMap: HeatMap | null
}

interface Candidate {
  readonly index: number
  /** The objective, turned so that more is better. */
  readonly score: number
  readonly metrics: Float64Array
}

export class SweepRanker {
  private readonly plan: SweepPlan
  private readonly spec: SweepSpec
  private readonly column: number
  private readonly sign: 1 | -1
  private readonly heatMap: HeatMapBuilder
  /** A binary heap with the worst kept trial first. */
  private readonly kept: Candidate[] = []
  private trials = 0

  constructor(plan: SweepPlan, spec: SweepSpec) {
    this.plan = plan
    this.spec = spec
    this.column = 1 + plan.names.length + SWEEP_METRICS.indexOf(spec.objective)
    this.sign = spec.direction === 'maximize' ? 1 : -1
    this.heatMap = new HeatMapBuilder(plan, spec.direction)
  }

  add({ width, count, rows }: TrialRows): void {
    const { sign, kept } = this
    const { top } = this.spec
    this.trials += count
    for (let k = 0; k < count; k++) {
      const at = k * width
      const objective = rows[at + this.column]!
      if (!Number.isFinite(objective)) continue
      const index = rows[at]!
      this.heatMap.add(index, objective)
      const score = sign * objective
      const worst = kept[0]
      if (kept.length === top && worst !== undefined && (score < worst.score || (score === worst.score && index > worst.index))) continue
      const candidate = { index, score, metrics: rows.slice(at + width - SWEEP_METRICS.length, at + width) }
      if (kept.length < top) this.push(candidate)
      else this.replaceWorst(candidate)
    }
  }

  finish(): SweepRanking {
    const ranked = [...this.kept].sort((a, b) => (isWorse(a, b) ? 1 : -1))
    return {
      trials: this.trials,
      top: ranked.map(({ index, metrics }) => ({ trial: index, params: this.plan.paramsAt(index) ?? {}, metrics: metricRecord(metrics, 0) })),
      heatMap: this.heatMap.finish(this.spec.objective),
    }
  }

  private push(candidate: Candidate): void {
    const { kept } = this
    let k = kept.push(candidate) - 1
    while (k > 0) {
      const parent = (k - 1) >> 1
      if (!isWorse(candidate, kept[parent]!)) break
      kept[k] = kept[parent]!
      k = parent
    }
    kept[k] = candidate
  }

  private replaceWorst(candidate: Candidate): void {
    const { kept } = this
    let k = 0
    for (;;) {
      let child = 2 * k + 1
      if (child >= kept.length) break
      if (child + 1 < kept.length && isWorse(kept[child + 1]!, kept[child]!)) child++
      if (!isWorse(kept[child]!, candidate)) break
      kept[k] = kept[child]!
      k = child
    }
    kept[k] = candidate
  }
}

function isWorse(a: Candidate, b: Candidate): boolean {
  return a.score < b.score || (a.score === b.score && a.index > b.index)
}
