/**
 * True range: the largest of high - low, |high - previous close|, |low - previous close| (TA-Lib's TRANGE).
 * First value at bar 1. NaN where any of the three inputs is NaN; there is no state.
 */
import { checkSameLength, emptyColumn } from './period.js'

export function trueRange(high: Float64Array, low: Float64Array, close: Float64Array): Float64Array {
  checkSameLength('trueRange', [high, low, close])
  const out = emptyColumn(high.length)
  for (let i = 1; i < high.length; i++) {
    const previous = close[i - 1]!
    out[i] = Math.max(high[i]! - low[i]!, Math.abs(high[i]! - previous), Math.abs(low[i]! - previous))
  }
  return out
}
