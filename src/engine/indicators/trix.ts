/**
 * TRIX (Hutson's; TA-Lib's TRIX): the rate of change in percent, over one bar, of the EMA of the EMA of the EMA; first
 * value at bar 3 (n - 1) + 1. NaN rule: that of ema.ts, for each of the three.
 */
import { EmaStream } from './ema.js'
import { rateOfChange } from './roc.js'
import { runColumn } from './stream.js'

export class TrixStream {
  private readonly first: EmaStream
  private readonly second: EmaStream
  private readonly third: EmaStream
  private last = NaN

  constructor(n: number) {
    this.first = new EmaStream(n, 'trix')
    this.second = new EmaStream(n, 'trix')
    this.third = new EmaStream(n, 'trix')
  }

  next(x: number): number {
    const value = this.third.next(this.second.next(this.first.next(x)))
    const change = rateOfChange(value, this.last)
    this.last = value
    return change
  }
}

export function trix(x: Float64Array, n: number): Float64Array {
  return runColumn('trix', [x], new TrixStream(n))
}
