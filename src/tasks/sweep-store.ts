/** Port: the plan of a sweep and its finished quanta. A quantum is finished when its row is committed. */

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

export interface SweepStore {
  /** The stored plan wins: a resumed sweep keeps the quanta of its first attempt. Null when the fence fell. */
  begin(sweep: SweepRecord, attempt: number, generation: number): Promise<SweepRecord | null>
  finished(sweepId: string): Promise<{ readonly quanta: readonly number[]; readonly trials: number }>
  /** All or none, fenced; false when the fence fell. A quantum that is already there stays as it is. */
  saveQuanta(sweepId: string, attempt: number, quanta: readonly QuantumRows[]): Promise<boolean>
  /** Rows in index order, a page at a time, at most about `maxBytes`. */
  pages(sweepId: string, maxBytes: number): AsyncIterable<readonly Uint8Array[]>
  get(sweepId: string): Promise<SweepRecord | null>
}
