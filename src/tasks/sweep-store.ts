/** Port: the plan of a sweep and its finished quanta. A quantum is finished when its row is committed. */

import type { ForeignSweep } from './other-engine.js'
import type { TaskPriority } from './task.js'

export interface SweepRecord {
  readonly sweepId: string
  readonly specHash: string
  readonly dataHash: string
  readonly engineVersion: string
  /** Size of the full grid; quanta are consecutive ranges `[from, to)` of its indices. */
  readonly fullSize: number
  readonly quantumSize: number
  readonly quanta: number
}

export interface QuantumRows {
  readonly quantum: number
  readonly fromIndex: number
  readonly toIndex: number
  readonly trials: number
  readonly costMs: number
  readonly rows: Uint8Array
}

/** What a sweep was begun as, and whether the caller may go on with it. */
export type ResumedSweep =
  | { readonly kind: 'own'; readonly sweep: SweepRecord }
  /** There is none, or not one finished quantum: whoever comes plans it. */
  | { readonly kind: 'unplanned' }
  | { readonly kind: 'foreign'; readonly sweep: ForeignSweep }

export interface SweepStore {
  /** Of an attempt of this engine. Notes that it was handed back, where it is another's. Null when the fence fell. */
  resume(sweepId: string, attempt: number, engineVersion: string): Promise<ResumedSweep | null>
  /**
   * The stored plan wins: a resumed sweep keeps the quanta of its first attempt. Null when the fence fell, and for one with
   * finished quanta of another engine.
   */
  begin(sweep: SweepRecord, attempt: number, generation: number): Promise<SweepRecord | null>
  finished(sweepId: string): Promise<{ readonly quanta: readonly number[]; readonly trials: number }>
  /** All or none, fenced; false when the fence fell, or the sweep is of another engine. A quantum that is already there stays as it is. */
  saveQuanta(sweep: SweepRecord, attempt: number, quanta: readonly QuantumRows[]): Promise<boolean>
  /** Rows in index order, a page at a time, at most about `maxBytes`. */
  pages(sweepId: string, maxBytes: number): AsyncIterable<readonly Uint8Array[]>
  get(sweepId: string): Promise<SweepRecord | null>
  /** How many pending sweeps wait for a worker of which engine. */
  handedBack(): Promise<Readonly<Record<string, number>>>
  /** Those of this engine are delivered at once; returns them. For a worker that starts. */
  claim(engineVersion: string): Promise<readonly { readonly taskId: string; readonly taskType: string; readonly priority: TaskPriority }[]>
}
