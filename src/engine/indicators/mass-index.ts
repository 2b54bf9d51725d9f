/**
 * Mass index (Dorsey; 9 and 25 are usual): the sum over n bars of the EMA of high - low ÷ the EMA of that EMA, 1 where
 * both are 0; first value at bar 2 (emaPeriod - 1) + n - 1. NaN rule: that of ema.ts, then of sma.ts.
 */
import { EmaStream } from './ema.js'
import { RollingSumStream } from './rolling-sum.js'
import { runColumn } from './stream.js'

export class MassIndexStream {
  private readonly once: EmaStream
  private readonly twice: EmaStream
  private readonly sum: RollingSumStream

  constructor(emaPeriod: number, n: number) {
    this.once = new EmaStream(emaPeriod, 'massIndex', 'emaPeriod')
    this.twice = new EmaStream(emaPeriod, 'massIndex', 'emaPeriod')
    this.sum = new RollingSumStream(n, 'massIndex')
  }

  next(high: number, low: number): number {
    const once = this.once.next(high - low)
    const twice = this.twice.next(once)
    return this.sum.next(once === 0 && twice === 0 ? 1 : once / twice)
  }
}

export function massIndex(high: Float64Array, low: Float64Array, emaPeriod: number, n: number): Float64Array {
  return runColumn('massIndex', [high, low], new MassIndexStream(emaPeriod, n))
}
