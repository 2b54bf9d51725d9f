/**
 * Absolute price oscillator (TA-Lib's APO with EMAs): fast EMA minus slow EMA, the line of MACD; first value at bar
 * max(fast, slow) - 1. NaN rule of macd.ts.
 */
import { EmaPair } from './ema-pair.js'
import { runColumn } from './stream.js'

export class ApoStream {
  private readonly pair: EmaPair

  constructor(fast: number, slow: number) {
    this.pair = new EmaPair('apo', fast, slow)
  }

  next(x: number): number {
    this.pair.push(x)
    return this.pair.short - this.pair.long
  }
}

export function apo(x: Float64Array, fast: number, slow: number): Float64Array {
  return runColumn('apo', [x], new ApoStream(fast, slow))
}
