/**
 * Median of the last n values (the mean of the two in the middle when n is even) and rank of the newest among them
 * (1 is the lowest, n the highest; equal ones share the mean of their ranks, as in pandas). First value at bar
 * n - 1. The median keeps the window in order, a binary search and a move a bar. NaN rule: a window that holds a
 * NaN is NaN.
 */
import { checkPeriod, missing } from './period.js'
import { runColumn } from './stream.js'
import { Window, withRoom } from './window.js'

export class RollingMedianStream {
  private readonly window: Window
  /** The numbers of the window in order, and how many they are. */
  private sorted: Float64Array = new Float64Array(0)
  private count = 0

  constructor(n: number) {
    checkPeriod('rollingMedian', 'n', n)
    this.window = new Window(n)
  }

  next(x: number): number {
    const { n } = this.window
    const full = this.window.push(x)
    if (!missing(this.window.left)) this.remove(this.window.left)
    if (!missing(x)) this.insert(x)
    if (!full) return NaN
    const middle = n >> 1
    return n % 2 === 1 ? this.sorted[middle]! : (this.sorted[middle - 1]! + this.sorted[middle]!) / 2
  }

  private insert(x: number): void {
    this.sorted = withRoom(this.sorted, this.count, this.window.n)
    const at = this.placeOf(x)
    this.sorted.copyWithin(at + 1, at, this.count)
    this.sorted[at] = x
    this.count++
  }

  private remove(x: number): void {
    const at = this.placeOf(x)
    this.sorted.copyWithin(at, at + 1, this.count)
    this.count--
  }

  /** How many numbers are below x. */
  private placeOf(x: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.sorted[middle]! < x) low = middle + 1
      else high = middle
    }
    return low
  }
}

export class RollingRankStream {
  private readonly window: Window

  constructor(n: number) {
    checkPeriod('rollingRank', 'n', n)
    this.window = new Window(n)
  }

  next(x: number): number {
    if (!this.window.push(x)) return NaN
    const { values, start, n } = this.window
    let below = 0
    let equal = 0
    for (let k = start; k < start + n; k++) {
      if (values[k]! < x) below++
      else if (values[k] === x) equal++
    }
    return below + (equal + 1) / 2
  }
}

export function rollingMedian(x: Float64Array, n: number): Float64Array {
  return runColumn('rollingMedian', [x], new RollingMedianStream(n))
}

export function rollingRank(x: Float64Array, n: number): Float64Array {
  return runColumn('rollingRank', [x], new RollingRankStream(n))
}
