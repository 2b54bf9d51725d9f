/**
 * Volume weighted moving average: sum of x × volume ÷ sum of volume over the last n bars, NaN where there was no
 * volume; first value at bar n - 1. NaN rule: a window that holds a NaN is NaN.
 */
import { RollingSumStream } from './rolling-sum.js'
import { runColumn } from './stream.js'

export class VwmaStream {
  private readonly weighted: RollingSumStream
  private readonly volume: RollingSumStream

  constructor(n: number) {
    this.weighted = new RollingSumStream(n, 'vwma')
    this.volume = new RollingSumStream(n, 'vwma')
  }

  next(x: number, volume: number): number {
    const weighted = this.weighted.next(x * volume)
    const total = this.volume.next(volume)
    return total === 0 ? NaN : weighted / total
  }
}

export function vwma(x: Float64Array, volume: Float64Array, n: number): Float64Array {
  return runColumn('vwma', [x, volume], new VwmaStream(n))
}
