/** Mean of the ADX and the ADX n - 1 bars before (TA-Lib's ADXR); first value at bar 3n - 2. NaN rule of adx.ts. */
import { AdxStream } from './adx.js'
import { runColumn } from './stream.js'
import { Window } from './window.js'

export class AdxrStream {
  private readonly adx: AdxStream
  private readonly window: Window

  constructor(n: number) {
    this.adx = new AdxStream(n, 'adxr')
    this.window = new Window(n)
  }

  next(high: number, low: number, close: number): number {
    const value = this.adx.next(high, low, close)
    return this.window.push(value) ? (value + this.window.oldest) / 2 : NaN
  }
}

export function adxr(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('adxr', [high, low, close], new AdxrStream(n))
}
