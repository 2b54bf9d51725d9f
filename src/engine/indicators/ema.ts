/**
 * Exponential moving average with TA-Lib's seeding: the first value, at bar n - 1, is the mean of the first n
 * values; then ema += k (x - ema), k = 2 / (n + 1), in the order of bars.
 * NaN rule: NaN before the seed; a NaN in the input is NaN in the output and ends the state, which is
 * seeded anew from the next n values in a row without NaN.
 */
import { checkPeriod, emptyColumn, missing } from './period.js'

export function ema(x: Float64Array, n: number): Float64Array {
  checkPeriod('ema', 'n', n)
  return emaFrom(x, n, 0)
}

/** The same, seeded no earlier than bar `first`: MACD needs its fast seed to end where its slow seed ends. */
export function emaFrom(x: Float64Array, n: number, first: number): Float64Array {
  const out = emptyColumn(x.length)
  const k = 2 / (n + 1)
  let seen = 0
  let sum = 0
  let value = 0
  for (let i = first; i < x.length; i++) {
    const input = x[i]!
    if (missing(input)) { seen = 0; sum = 0; continue }
    if (seen < n) {
      seen++
      sum += input
      if (seen < n) continue
      value = sum / n
    } else {
      value += k * (input - value)
    }
    out[i] = value
  }
  return out
}

export class EmaStream {
  private readonly n: number
  private readonly k: number
  private seen = 0
  private sum = 0
  private value = 0

  constructor(n: number, indicator = 'ema', parameter = 'n') {
    checkPeriod(indicator, parameter, n)
    this.n = n
    this.k = 2 / (n + 1)
  }

  next(x: number): number {
    if (missing(x)) {
      this.seen = 0
      this.sum = 0
      return NaN
    }
    if (this.seen === this.n) return this.value += this.k * (x - this.value)
    this.seen++
    this.sum += x
    return this.seen < this.n ? NaN : this.value = this.sum / this.n
  }
}
