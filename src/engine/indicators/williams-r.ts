/**
 * Williams %R (TA-Lib's WILLR): -100 × (highest - close) ÷ (highest - lowest) of the last n bars, 0 when they are
 * equal; first value at bar n - 1. NaN rule of sma.ts for high and low; NaN where the close is.
 */
import { checkPeriod, checkSameLength, emptyColumn, missing } from './period.js'
import { rollingMax, RollingMaxStream } from './rolling-max.js'
import { rollingMin, RollingMinStream } from './rolling-min.js'

export class WilliamsRStream {
  private readonly highest: RollingMaxStream
  private readonly lowest: RollingMinStream

  constructor(n: number) {
    this.highest = new RollingMaxStream(n, 'williamsR')
    this.lowest = new RollingMinStream(n, 'williamsR')
  }

  next(high: number, low: number, close: number): number {
    const highest = this.highest.next(high)
    const range = highest - this.lowest.next(low)
    if (missing(close)) return NaN
    return range === 0 ? 0 : (-100 * (highest - close)) / range
  }
}

export function williamsR(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  checkPeriod('williamsR', 'n', n)
  checkSameLength('williamsR', [high, low, close])
  const highest = rollingMax(high, n)
  const lowest = rollingMin(low, n)
  const out = emptyColumn(close.length)
  for (let i = 0; i < out.length; i++) {
    const range = highest[i]! - lowest[i]!
    if (missing(close[i]!)) continue
    out[i] = range === 0 ? 0 : (-100 * (highest[i]! - close[i]!)) / range
  }
  return out
}
