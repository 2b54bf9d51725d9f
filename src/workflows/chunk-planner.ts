/**
 * Decides which quanta of a sweep travel to a thread together.
 *
 * Quanta are fixed by the plan; the planner only groups them, in order, so that a chunk costs about
 * CHUNK_MS by what was measured so far. The grouping never changes a result.
 */
import type { SweepRecord } from '../tasks/sweep-store.js'

/** Long enough that messages cost under 1 %, short enough that a HIGH task starts within one chunk. */
const CHUNK_MS = 50
const QUANTUM_MS = 10
const MAX_QUANTA = 65_536
/** Weight of the newest measurement. */
const SMOOTHING = 0.3

/** Trials per quantum for about 10 ms each, and never more than 65 536 quanta a sweep. */
export function quantumSizeFor(fullSize: number, usPerTrial: number): number {
  const byTime = Math.floor((QUANTUM_MS * 1000) / Math.max(usPerTrial, 0.01))
  return Math.max(1, byTime, Math.ceil(fullSize / MAX_QUANTA))
}

export interface Chunk {
  readonly quanta: readonly number[]
  readonly ranges: readonly (readonly [number, number])[]
}

export class ChunkPlanner {
  readonly #sweep: SweepRecord
  readonly #finished: Set<number>
  #cursor = 0
  #msPerQuantum = QUANTUM_MS
  #doneIndices = 0

  constructor(sweep: SweepRecord, finished: readonly number[]) {
    this.#sweep = sweep
    this.#finished = new Set(finished)
    for (const quantum of finished) this.#doneIndices += this.#width(quantum)
  }

  /** Indices of the full grid that are computed. */
  get doneIndices(): number {
    return this.#doneIndices
  }

  next(): Chunk | null {
    const wanted = Math.max(1, Math.min(256, Math.round(CHUNK_MS / this.#msPerQuantum)))
    const quanta: number[] = []
    while (this.#cursor < this.#sweep.quanta && quanta.length < wanted) {
      if (!this.#finished.has(this.#cursor)) quanta.push(this.#cursor)
      this.#cursor += 1
    }
    if (quanta.length === 0) return null
    return { quanta, ranges: quanta.map((quantum) => this.#range(quantum)) }
  }

  /** So many points more are computed, of whichever quanta. */
  advanced(points: number): void {
    this.#doneIndices += points
  }

  /** What the quanta of a chunk cost each. */
  finished(costMs: readonly number[]): void {
    const measured = costMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, costMs.length)
    this.#msPerQuantum = Math.max(0.05, this.#msPerQuantum + SMOOTHING * (measured - this.#msPerQuantum))
  }

  #range(quantum: number): [number, number] {
    const from = quantum * this.#sweep.quantumSize
    return [from, Math.min(from + this.#sweep.quantumSize, this.#sweep.fullSize)]
  }

  #width(quantum: number): number {
    const [from, to] = this.#range(quantum)
    return to - from
  }
}
