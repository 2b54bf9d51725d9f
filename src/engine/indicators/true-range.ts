/**
 * True range: the largest of high - low, |high - previous close|, |low - previous close| (TA-Lib's TRANGE).
 * First value at bar 1. NaN where the high, the low or the previous close is NaN; there is no state.
 */
import { checkSameLength, emptyColumn, finite } from './period.js'

export function trueRange(high: Float64Array, low: Float64Array, close: Float64Array): Float64Array {
  checkSameLength('trueRange', [high, low, close])
  const out = emptyColumn(high.length)
  for (let i = 1; i < high.length; i++) {
    const previous = close[i - 1]!
    out[i] = finite(Math.max(high[i]! - low[i]!, Math.abs(high[i]! - previous), Math.abs(low[i]! - previous)))
  }
  return out
}

export class TrueRangeStream {
  private previous = NaN

  next(high: number, low: number, close: number): number {
    const { previous } = this
    this.previous = close
    return finite(Math.max(high - low, Math.abs(high - previous), Math.abs(low - previous)))
  }
}
