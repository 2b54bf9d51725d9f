/**
 * On-balance volume (TA-Lib's OBV): starts at volume[0]; adds the volume of a rising close, subtracts that of a
 * falling one. NaN rule: a NaN is NaN in the output; the next bar without one starts anew at its volume.
 */
import { checkSameLength, emptyColumn } from './period.js'

export function obv(close: Float64Array, volume: Float64Array): Float64Array {
  checkSameLength('obv', [close, volume])
  const out = emptyColumn(close.length)
  for (let i = 0; i < out.length; i++) {
    if (Number.isNaN(close[i]! + volume[i]!)) continue
    const before = i === 0 ? NaN : out[i - 1]!
    if (before !== before) out[i] = volume[i]!
    else if (close[i]! > close[i - 1]!) out[i] = before + volume[i]!
    else if (close[i]! < close[i - 1]!) out[i] = before - volume[i]!
    else out[i] = before
  }
  return out
}
