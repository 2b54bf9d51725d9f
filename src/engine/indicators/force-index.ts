/**
 * Force index (Elder): the EMA over n bars of (close - close before) × volume (n = 1: without smoothing); first value at bar n. NaN rule of ema.ts.
 */
import { EmaStream } from './ema.js'
import { runColumn } from './stream.js'

export class ForceIndexStream {
  private readonly mean: EmaStream
  private last = NaN

  constructor(n: number) {
    this.mean = new EmaStream(n, 'forceIndex')
  }

  next(close: number, volume: number): number {
    const change = close - this.last
    this.last = close
    return this.mean.next(change * volume)
  }
}

export function forceIndex(close: Float64Array, volume: Float64Array, n: number): Float64Array {
  return runColumn('forceIndex', [close, volume], new ForceIndexStream(n))
}
