/**
 * Standard score: (x - SMA) ÷ population standard deviation of the last n values, 0 where there is no deviation; first
 * value at bar n - 1. NaN rule of sma.ts.
 */
import { missing } from './period.js'
import { SmaStream } from './sma.js'
import { StddevStream } from './stddev.js'
import { runColumn } from './stream.js'

export class ZScoreStream {
  private readonly mean: SmaStream
  private readonly deviation: StddevStream

  constructor(n: number) {
    this.mean = new SmaStream(n, 'zScore')
    this.deviation = new StddevStream(n, 'zScore')
  }

  next(x: number): number {
    const distance = x - this.mean.next(x)
    const deviation = this.deviation.next(x)
    if (missing(distance) || missing(deviation)) return NaN
    return distance === 0 || deviation === 0 ? 0 : distance / deviation
  }
}

export function zScore(x: Float64Array, n: number): Float64Array {
  return runColumn('zScore', [x], new ZScoreStream(n))
}
