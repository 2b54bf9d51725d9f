/**
 * Population variance of the last n values (TA-Lib's VAR); first value at bar n - 1.
 *
 * TA-Lib subtracts the squared mean from the mean of squares, which loses all digits when prices are large
 * and quiet. Here each block of n keeps (mean, sum of squared deviations) of its heads and tails by Welford's
 * update, and a window joins one tail and one head by Chan's formula: the same value, without cancellation.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, emptyColumn, finite } from './period.js'
import { withRoom } from './window.js'

export class VarianceStream {
  private readonly n: number
  private block: Float64Array = new Float64Array(0)
  private tailMean = new Float64Array(0)
  private tailSquares = new Float64Array(0)
  private at = 0
  private mean = 0
  private squares = 0

  constructor(n: number, indicator = 'variance') {
    checkPeriod(indicator, 'n', n)
    this.n = n
  }

  next(x: number): number {
    const { n } = this
    this.block = withRoom(this.block, this.at, n)
    this.block[this.at] = x
    const b = ++this.at
    const before = x - this.mean
    this.mean += before / b
    this.squares += before * (x - this.mean)
    const a = n - b
    if (a > 0) {
      if (this.tailMean.length === 0) return NaN
      const between = this.mean - this.tailMean[b]!
      return finite((this.tailSquares[b]! + this.squares + (between * between * a * b) / n) / n)
    }
    const value = finite(this.squares / n)
    this.endBlock()
    return value
  }

  private endBlock(): void {
    const { n, block } = this
    if (this.tailMean.length === 0) {
      this.tailMean = new Float64Array(n + 1)
      this.tailSquares = new Float64Array(n + 1)
    }
    let mean = 0
    let squares = 0
    for (let k = n - 1; k >= 0; k--) {
      const before = block[k]! - mean
      mean += before / (n - k)
      squares += before * (block[k]! - mean)
      this.tailMean[k] = mean
      this.tailSquares[k] = squares
    }
    this.at = 0
    this.mean = 0
    this.squares = 0
  }
}

export function variance(x: Float64Array, n: number): Float64Array {
  checkPeriod('variance', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  const tailMean = new Float64Array(n + 1)
  const tailSquares = new Float64Array(n + 1)
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let mean = 0
    let squares = 0
    for (let i = start; i < end; i++) {
      const b = i - start + 1
      const before = x[i]! - mean
      mean += before / b
      squares += before * (x[i]! - mean)
      if (i < n - 1) continue
      const a = n - b
      if (a === 0) { out[i] = finite(squares / n); continue }
      const between = mean - tailMean[b]!
      out[i] = finite((tailSquares[b]! + squares + (between * between * a * b) / n) / n)
    }
    if (end - start < n) break
    mean = 0
    squares = 0
    for (let k = n - 1; k >= 0; k--) {
      const before = x[start + k]! - mean
      mean += before / (n - k)
      squares += before * (x[start + k]! - mean)
      tailMean[k] = mean
      tailSquares[k] = squares
    }
  }
  return out
}
