/**
 * Williams %R (TA-Lib's WILLR): -100 × (highest - close) ÷ (highest - lowest) of the last n bars, 0 when they are
 * equal; first value at bar n - 1. NaN rule of sma.ts.
 */
import { checkSameLength, emptyColumn } from './period.js'
import { rollingMax } from './rolling-max.js'
import { rollingMin } from './rolling-min.js'

export function williamsR(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  checkSameLength('williamsR', [high, low, close])
  const highest = rollingMax(high, n)
  const lowest = rollingMin(low, n)
  const out = emptyColumn(close.length)
  for (let i = 0; i < out.length; i++) {
    const range = highest[i]! - lowest[i]!
    out[i] = range === 0 ? 0 : (-100 * (highest[i]! - close[i]!)) / range
  }
  return out
}
