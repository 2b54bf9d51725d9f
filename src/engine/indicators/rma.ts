/**
 * Wilder's moving average (1978): the first value, at bar n - 1, is the mean of the first n values; then
 * average = (average × (n - 1) + x) / n, an EMA of 2n - 1 bars. NaN rule of ema.ts.
 */
import { checkPeriod, emptyColumn, missing } from './period.js'

export function rma(x: Float64Array, n: number): Float64Array {
  checkPeriod('rma', 'n', n)
  const out = emptyColumn(x.length)
  let seen = 0
  let value = 0
  for (let i = 0; i < x.length; i++) {
    const input = x[i]!
    if (missing(input)) { seen = 0; value = 0; continue }
    if (seen < n) {
      seen++
      value += input
      if (seen < n) continue
      value /= n
    } else {
      value = (value * (n - 1) + input) / n
    }
    out[i] = value
  }
  return out
}

export class RmaStream {
  private readonly n: number
  private seen = 0
  private value = 0

  constructor(n: number, indicator = 'rma', least = 1) {
    checkPeriod(indicator, 'n', n, least)
    this.n = n
  }

  next(x: number): number {
    const { n } = this
    if (missing(x)) {
      this.seen = 0
      this.value = 0
      return NaN
    }
    if (this.seen === n) return this.value = (this.value * (n - 1) + x) / n
    this.seen++
    this.value += x
    return this.seen < n ? NaN : this.value /= n
  }
}
