/**
 * A chunk on its way: what of it is still to compute, and the rows of the quantum that a step left in its middle. A step ends
 * when its time is over, wherever it is; what its next one makes is joined to it, so the rows of a quantum are the same however
 * often it was left.
 */
import { joinTrialRows } from '../engine/index.js'
import type { QuantumRows } from '../tasks/sweep-store.js'
import type { Chunk } from './chunk-planner.js'

/** What `run_trials` replies: cost and trials of each range that it began, and where it left the last of them. */
export interface PartReply {
  readonly ms: readonly number[]
  readonly trials: readonly number[]
  readonly reached: number
}

interface Begun {
  rows: Uint8Array[]
  trials: number
  costMs: number
}

export class ChunkWork {
  readonly #chunk: Chunk
  readonly #costMs: number[] = []
  #begun: Begun = { rows: [], trials: 0, costMs: 0 }
  /** How many quanta are done, and where the next one goes on. */
  #done = 0
  #from: number

  constructor(chunk: Chunk) {
    this.#chunk = chunk
    this.#from = chunk.ranges[0]?.[0] ?? 0
  }

  get isDone(): boolean {
    return this.#done === this.#chunk.quanta.length
  }

  /** What the next step is given: the rest of the quantum that was left, and those that were not begun. */
  get ranges(): readonly (readonly [number, number])[] {
    return this.#chunk.ranges.slice(this.#done).map(([from, to], i) => [i === 0 ? this.#from : from, to])
  }

  /** Of each quantum that is done. */
  get costMs(): readonly number[] {
    return this.#costMs
  }

  /** Takes in what a step made; returns the quanta that it completed, and how far it came. */
  add({ ms, trials, reached }: PartReply, bytes: Readonly<Record<string, Uint8Array>>): { readonly finished: readonly QuantumRows[]; readonly trials: number; readonly points: number } {
    const finished: QuantumRows[] = []
    let points = 0
    for (const [i, costMs] of ms.entries()) {
      const [fromIndex, toIndex] = this.#chunk.ranges[this.#done] ?? [0, 0]
      const end = i === ms.length - 1 ? reached : toIndex
      const begun = this.#begun
      begun.rows.push(bytes[`q:${i}`] ?? new Uint8Array())
      begun.trials += trials[i] ?? 0
      begun.costMs += costMs
      points += end - this.#from
      this.#from = end
      if (end < toIndex) continue
      finished.push({ quantum: this.#chunk.quanta[this.#done] ?? 0, fromIndex, toIndex, trials: begun.trials, costMs: begun.costMs, rows: joinTrialRows(begun.rows) })
      this.#costMs.push(begun.costMs)
      this.#begun = { rows: [], trials: 0, costMs: 0 }
      this.#done += 1
      this.#from = this.#chunk.ranges[this.#done]?.[0] ?? 0
    }
    return { finished, trials: trials.reduce((sum, one) => sum + one, 0), points }
  }
}
