/**
 * Sum of the last n values (TA-Lib's SUM); first value at bar n - 1. By blocks of n as in sma.ts, whose order of
 * summation this is: tail of the older block plus head of the newer one, nothing subtracted, no drift.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, finite } from './period.js'
import { runColumn } from './stream.js'
import { withRoom } from './window.js'

export class RollingSumStream {
  readonly n: number
  private block: Float64Array = new Float64Array(0)
  /** tail[k]: sum of the previous block's bars k..n-1; tail[n] is 0. Made when the first block ends. */
  private tail = new Float64Array(0)
  private at = 0
  private head = 0

  constructor(n: number, indicator = 'rollingSum') {
    checkPeriod(indicator, 'n', n)
    this.n = n
  }

  next(x: number): number {
    const { n } = this
    this.block = withRoom(this.block, this.at, n)
    this.block[this.at] = x
    this.head += x
    this.at++
    if (this.at < n) return this.tail.length === 0 ? NaN : finite(this.tail[this.at]! + this.head)
    const sum = finite(0 + this.head)
    this.endBlock()
    return sum
  }

  private endBlock(): void {
    const { n, block } = this
    if (this.tail.length === 0) this.tail = new Float64Array(n + 1)
    let sum = 0
    for (let k = n - 1; k >= 0; k--) {
      sum += block[k]!
      this.tail[k] = sum
    }
    this.at = 0
    this.head = 0
  }
}

export function rollingSum(x: Float64Array, n: number): Float64Array {
  return runColumn('rollingSum', [x], new RollingSumStream(n))
}
