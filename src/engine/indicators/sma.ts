/**
 * Simple moving average: mean of the last n values; first value at bar n - 1 (TA-Lib's SMA).
 *
 * Order of summation: the column is cut into blocks of n bars. A window is the tail of one block plus the
 * head of the next; tails are summed backwards from the block's end, heads forwards from its start, and the
 * two are added: window = tail + head. No value is ever subtracted, so the sum cannot drift however long the
 * column is (a running sum loses digits), a value depends on its own n inputs alone, and the cost is three
 * additions a bar at any n. The stream counts its blocks from its first bar, and so gives the same bits.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 * A window of one repeated value gives exactly that value, so flat prices make no crosses by rounding.
 */
import { checkPeriod, emptyColumn, finite, missing, onlyFinite } from './period.js'
import { RollingSumStream } from './rolling-sum.js'

export function sma(x: Float64Array, n: number): Float64Array {
  checkPeriod('sma', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  if (n === 1) { out.set(x); onlyFinite(out); return out }
  const tail = new Float64Array(n + 1) // tail[k]: sum of the previous block's bars k..n-1; tail[n] is 0
  let same = 1 // how many bars up to here hold one value
  let infinite = false // looked at once a block: an infinity makes the sum of its block infinite or NaN
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let head = 0
    for (let i = start; i < end; i++) {
      const value = x[i]!
      head += value
      if (i > 0) same = value === x[i - 1]! ? same + 1 : 1
      if (i >= n - 1) out[i] = same >= n ? value : (tail[i - start + 1]! + head) / n
    }
    infinite ||= missing(head)
    if (end - start < n) break
    let sum = 0
    for (let k = n - 1; k >= 0; k--) {
      sum += x[start + k]!
      tail[k] = sum
    }
  }
  if (infinite) onlyFinite(out)
  return out
}

export class SmaStream {
  private readonly sum: RollingSumStream
  private same = 0
  private last = NaN

  constructor(n: number, indicator = 'sma') {
    this.sum = new RollingSumStream(n, indicator)
  }

  next(x: number): number {
    const { n } = this.sum
    this.same = x === this.last ? this.same + 1 : 1
    this.last = x
    const sum = this.sum.next(x)
    return this.same >= n ? finite(x) : sum / n
  }
}
