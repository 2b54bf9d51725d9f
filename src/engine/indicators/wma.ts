/**
 * Weighted moving average, weights 1..n with the newest heaviest (TA-Lib's WMA); first value at bar n - 1.
 * Summed by blocks of n as in sma.ts: with a bars of the window in the older block and b in the newer one,
 * sum = tailWeighted + (a × head + headWeighted). Nothing is subtracted.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, emptyColumn, finite, missing, onlyFinite } from './period.js'
import { withRoom } from './window.js'

export class WmaStream {
  private readonly n: number
  private readonly divisor: number
  private block: Float64Array = new Float64Array(0)
  private tailWeighted = new Float64Array(0)
  private at = 0
  private head = 0
  private headWeighted = 0

  constructor(n: number, indicator = 'wma') {
    checkPeriod(indicator, 'n', n)
    this.n = n
    this.divisor = (n * (n + 1)) / 2
  }

  next(x: number): number {
    const { n } = this
    this.block = withRoom(this.block, this.at, n)
    this.block[this.at] = x
    this.at++
    this.head += x
    this.headWeighted += this.at * x
    const inTail = n - this.at
    if (inTail > 0) {
      if (this.tailWeighted.length === 0) return NaN
      return finite((this.tailWeighted[this.at]! + inTail * this.head + this.headWeighted) / this.divisor)
    }
    const value = finite(this.headWeighted / this.divisor)
    this.endBlock()
    return value
  }

  private endBlock(): void {
    const { n, block } = this
    if (this.tailWeighted.length === 0) this.tailWeighted = new Float64Array(n + 1)
    let sum = 0
    let weighted = 0
    for (let k = n - 1; k >= 0; k--) {
      sum += block[k]!
      weighted += sum
      this.tailWeighted[k] = weighted
    }
    this.at = 0
    this.head = 0
    this.headWeighted = 0
  }
}

export function wma(x: Float64Array, n: number): Float64Array {
  checkPeriod('wma', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  const divisor = (n * (n + 1)) / 2
  let infinite = false // looked at once a block, as in sma.ts
  const tailWeighted = new Float64Array(n + 1)
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let head = 0
    let headWeighted = 0
    for (let i = start; i < end; i++) {
      const inHead = i - start + 1
      head += x[i]!
      headWeighted += inHead * x[i]!
      if (i < n - 1) continue
      const inTail = n - inHead
      out[i] = (tailWeighted[inHead]! + (inTail === 0 ? 0 : inTail * head) + headWeighted) / divisor
    }
    infinite ||= missing(headWeighted)
    if (end - start < n) break
    let sum = 0
    let weighted = 0
    for (let k = n - 1; k >= 0; k--) {
      sum += x[start + k]!
      weighted += sum
      tailWeighted[k] = weighted
    }
  }
  if (infinite) onlyFinite(out)
  return out
}
