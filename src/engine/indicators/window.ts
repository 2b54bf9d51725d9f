/**
 * The last n values of a stream, oldest first and without gaps: each value is written twice, so that a full window
 * is always one stretch, values[start] … values[start + n - 1]. Memory follows what was seen, up to 2n values: a
 * period longer than the data costs no more than the data.
 */
import { missing } from './period.js'

const FIRST_SIZE = 256

export class Window {
  readonly n: number
  values: Float64Array
  start = 0
  /** The value that the last push pushed out; NaN while the window fills. */
  left = NaN
  private size: number
  /** Numbers in a row up to now. */
  private clean = 0

  constructor(n: number) {
    this.n = n
    this.size = Math.min(n, FIRST_SIZE)
    this.values = new Float64Array(2 * this.size).fill(NaN)
  }

  /** Takes the newest value; true when all n are numbers. */
  push(x: number): boolean {
    if (this.start === this.size) {
      if (this.size < this.n) this.grow()
      else this.start = 0
    }
    const at = this.start
    this.left = this.values[at]!
    this.values[at] = x
    this.values[at + this.size] = x
    this.start = at + 1
    this.clean = missing(x) ? 0 : this.clean + 1
    return this.clean >= this.n
  }

  /** The value n - 1 before the newest; NaN while the window fills. */
  get oldest(): number {
    return this.size < this.n ? NaN : this.values[this.start]!
  }

  private grow(): void {
    const { size, values } = this
    this.size = Math.min(this.n, 2 * size)
    this.values = new Float64Array(2 * this.size).fill(NaN)
    this.values.set(values.subarray(0, size), 0)
    this.values.set(values.subarray(0, size), this.size)
  }
}

/** `values` with room for index `at`, doubled when it is full; never above `limit`. */
export function withRoom(values: Float64Array, at: number, limit: number): Float64Array {
  if (at < values.length) return values
  const bigger = new Float64Array(Math.min(limit, Math.max(FIRST_SIZE, 2 * values.length)))
  bigger.set(values)
  return bigger
}
