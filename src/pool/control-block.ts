/**
 * Cells in shared memory through which the main thread cancels a step and a step reports progress, without a message.
 *
 * One row per slot: dispatch number, cancelled dispatch, beats, done, total. Every access names its dispatch; a cell that
 * belongs to another one is ignored, so a late thread can neither cancel nor report for its successor.
 */
const ROW_BYTES = 32
const DISPATCH = 0
const CANCELLED = 1
/** Counts every sign of life; 0 until the thread has begun. */
const BEATS = 2
/** Index of `done` within a row, in doubles; `total` follows. */
const DONE = 2

export class ControlBlock {
  readonly buffer: SharedArrayBuffer
  readonly #ints: Int32Array
  readonly #doubles: Float64Array

  constructor(slotsOrBuffer: number | SharedArrayBuffer) {
    this.buffer = typeof slotsOrBuffer === 'number' ? new SharedArrayBuffer(slotsOrBuffer * ROW_BYTES) : slotsOrBuffer
    this.#ints = new Int32Array(this.buffer)
    this.#doubles = new Float64Array(this.buffer)
  }

  begin(slot: number, dispatch: number): void {
    this.#doubles[slot * 4 + DONE] = 0
    this.#doubles[slot * 4 + DONE + 1] = 0
    Atomics.store(this.#ints, slot * 8 + CANCELLED, 0)
    Atomics.store(this.#ints, slot * 8 + BEATS, 0)
    Atomics.store(this.#ints, slot * 8 + DISPATCH, dispatch)
  }

  cancel(slot: number, dispatch: number): void {
    Atomics.store(this.#ints, slot * 8 + CANCELLED, dispatch)
  }

  isCancelled(slot: number, dispatch: number): boolean {
    return Atomics.load(this.#ints, slot * 8 + CANCELLED) === dispatch
  }

  /** A sign of life by the thread. */
  beat(slot: number, dispatch: number): void {
    if (Atomics.load(this.#ints, slot * 8 + DISPATCH) === dispatch) this.#ints[slot * 8 + BEATS]! += 1
  }

  /** How many signs of life there were. Never 0 again once it was not, but for one moment in four billion. */
  beats(slot: number): number {
    return Atomics.load(this.#ints, slot * 8 + BEATS)
  }

  report(slot: number, dispatch: number, done: number, total: number): void {
    if (Atomics.load(this.#ints, slot * 8 + DISPATCH) !== dispatch) return
    this.#ints[slot * 8 + BEATS]! += 1
    this.#doubles[slot * 4 + DONE + 1] = total
    this.#doubles[slot * 4 + DONE] = done
  }

  /** Null for a stale dispatch, or one that has not reported yet. */
  progress(slot: number, dispatch: number): { readonly done: number; readonly total: number } | null {
    if (Atomics.load(this.#ints, slot * 8 + DISPATCH) !== dispatch) return null
    const total = this.#doubles[slot * 4 + DONE + 1] ?? 0
    return total === 0 ? null : { done: this.#doubles[slot * 4 + DONE] ?? 0, total }
  }
}
