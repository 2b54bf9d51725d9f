/**
 * On-balance volume (TA-Lib's OBV): starts at volume[0]; adds the volume of a rising close, subtracts that of a
 * falling one. NaN rule: a NaN is NaN in the output; the next bar without one starts anew at its volume.
 */
import { missing } from './period.js'
import { runColumn } from './stream.js'

export class ObvStream {
  private last = NaN
  private value = NaN

  next(close: number, volume: number): number {
    const { last, value } = this
    this.last = close
    if (missing(close) || missing(volume)) return this.value = NaN
    if (missing(value)) return this.value = volume
    if (close > last) return this.value = value + volume
    return this.value = close < last ? value - volume : value
  }
}

export function obv(close: Float64Array, volume: Float64Array): Float64Array {
  return runColumn('obv', [close, volume], new ObvStream())
}
