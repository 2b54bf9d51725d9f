/**
 * Commodity channel index (TA-Lib's CCI): (typical price - its SMA) ÷ (0.015 × mean absolute deviation), 0 when
 * there is no deviation; first value at bar n - 1. The deviation is summed over each window, oldest first, so the
 * cost grows with n. NaN rule of sma.ts.
 */
import { checkSameLength, emptyColumn } from './period.js'
import { sma } from './sma.js'

export function cci(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  checkSameLength('cci', [high, low, close])
  const typical = close.map((value, i) => (high[i]! + low[i]! + value) / 3)
  const mean = sma(typical, n)
  const out = emptyColumn(close.length)
  for (let i = n - 1; i < out.length; i++) {
    let deviation = 0
    for (let k = i - n + 1; k <= i; k++) deviation += Math.abs(typical[k]! - mean[i]!)
    const distance = typical[i]! - mean[i]!
    out[i] = distance === 0 || deviation === 0 ? 0 : distance / ((0.015 * deviation) / n)
  }
  return out
}
