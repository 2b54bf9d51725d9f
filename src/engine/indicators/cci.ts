/**
 * Commodity channel index (TA-Lib's CCI): (typical price - its SMA) ÷ (0.015 × mean absolute deviation), 0 when
 * there is no deviation; first value at bar n - 1. The deviation is summed over each window, oldest first, so the
 * cost grows with n. NaN rule of sma.ts.
 */
import { isRounding } from './rounding.js'
import { SmaStream } from './sma.js'
import { runColumn } from './stream.js'
import { Window } from './window.js'

export class CciStream {
  private readonly mean: SmaStream
  private readonly window: Window

  constructor(n: number) {
    this.mean = new SmaStream(n, 'cci')
    this.window = new Window(n)
  }

  next(high: number, low: number, close: number): number {
    const typical = (high + low + close) / 3
    const mean = this.mean.next(typical)
    if (!this.window.push(typical)) return NaN
    const { values, start, n } = this.window
    let deviation = 0
    for (let k = start; k < start + n; k++) deviation += Math.abs(values[k]! - mean)
    const distance = typical - mean
    return distance === 0 || isRounding(deviation, mean, n * n) ? 0 : distance / ((0.015 * deviation) / n)
  }
}

export function cci(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('cci', [high, low, close], new CciStream(n))
}
