/**
 * Money flow index (TA-Lib's MFI): 100 × positive ÷ all money flow (typical price × volume) of the last n changes
 * of the typical price; 0 when all flow is below 1, as there. First value at bar n. Each window is summed oldest
 * first, so the cost grows with n and nothing drifts. NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod, checkSameLength, emptyColumn } from './period.js'

export function mfi(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array, n: number): Float64Array {
  checkPeriod('mfi', 'n', n, 2)
  checkSameLength('mfi', [high, low, close, volume])
  const typical = close.map((value, i) => (high[i]! + low[i]! + value) / 3)
  const out = emptyColumn(close.length)
  for (let i = n; i < out.length; i++) {
    let positive = 0
    let negative = 0
    let broken = typical[i - n]!
    for (let k = i - n + 1; k <= i; k++) {
      const flow = typical[k]! * volume[k]!
      broken += flow
      if (typical[k]! > typical[k - 1]!) positive += flow
      else if (typical[k]! < typical[k - 1]!) negative += flow
    }
    if (broken !== broken) continue
    out[i] = positive + negative < 1 ? 0 : (100 * positive) / (positive + negative)
  }
  return out
}
