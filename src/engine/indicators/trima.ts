/**
 * Triangular moving average (TA-Lib's TRIMA): weights that rise to the middle of n bars and fall again, as an SMA over
 * ⌊n / 2⌋ + 1 of an SMA over ⌈n / 2⌉; first value at bar n - 1. NaN rule of sma.ts.
 */
import { checkPeriod } from './period.js'
import { SmaStream } from './sma.js'
import { runColumn } from './stream.js'

export class TrimaStream {
  private readonly first: SmaStream
  private readonly second: SmaStream

  constructor(n: number) {
    checkPeriod('trima', 'n', n, 2)
    this.first = new SmaStream(Math.ceil(n / 2))
    this.second = new SmaStream(Math.floor(n / 2) + 1)
  }

  next(x: number): number {
    return this.second.next(this.first.next(x))
  }
}

export function trima(x: Float64Array, n: number): Float64Array {
  return runColumn('trima', [x], new TrimaStream(n))
}
