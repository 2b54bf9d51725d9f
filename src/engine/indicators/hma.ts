/**
 * Hull moving average (Hull 2005): WMA over ⌊√n⌋ of 2 × WMA over ⌊n / 2⌋ minus WMA over n; first value at bar
 * n + ⌊√n⌋ - 2. NaN rule: that of wma.ts, for each of the three.
 */
import { checkPeriod } from './period.js'
import { runColumn } from './stream.js'
import { WmaStream } from './wma.js'

export class HmaStream {
  private readonly half: WmaStream
  private readonly full: WmaStream
  private readonly smooth: WmaStream

  constructor(n: number) {
    checkPeriod('hma', 'n', n, 2)
    this.half = new WmaStream(Math.floor(n / 2))
    this.full = new WmaStream(n)
    this.smooth = new WmaStream(Math.floor(Math.sqrt(n)))
  }

  next(x: number): number {
    return this.smooth.next(2 * this.half.next(x) - this.full.next(x))
  }
}

export function hma(x: Float64Array, n: number): Float64Array {
  return runColumn('hma', [x], new HmaStream(n))
}
