/**
 * Accumulation/distribution line (Chaikin; TA-Lib's AD): the sum of volume × ((close - low) - (high - close)) ÷
 * (high - low), nothing added by a bar without range; from bar 0. NaN rule of obv.ts: a NaN is NaN, and the next bar
 * without one starts anew.
 */
import { missing } from './period.js'
import { runColumn } from './stream.js'

/** What one bar adds to the line. */
export function moneyFlow(high: number, low: number, close: number, volume: number): number {
  const range = high - low
  if (missing(range) || missing(close) || missing(volume)) return NaN
  return range > 0 ? ((close - low - (high - close)) / range) * volume : 0
}

export class AdStream {
  private value = 0

  next(high: number, low: number, close: number, volume: number): number {
    const flow = moneyFlow(high, low, close, volume)
    this.value = missing(flow) ? 0 : this.value + flow
    return missing(flow) ? NaN : this.value
  }
}

export function ad(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array): Float64Array {
  return runColumn('ad', [high, low, close, volume], new AdStream())
}
