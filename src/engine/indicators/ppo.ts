/**
 * Percentage price oscillator (Appel's; TA-Lib's PPO with EMAs): 100 × (fast EMA - slow EMA) ÷ slow EMA, 0 where
 * that is 0; first value at bar max(fast, slow) - 1. NaN rule of macd.ts.
 */
import { EmaPair } from './ema-pair.js'
import { runColumn } from './stream.js'

export class PpoStream {
  private readonly pair: EmaPair

  constructor(fast: number, slow: number) {
    this.pair = new EmaPair('ppo', fast, slow)
  }

  next(x: number): number {
    const { pair } = this
    pair.push(x)
    const distance = pair.short - pair.long
    return pair.long === 0 ? distance * 0 : (distance / pair.long) * 100
  }
}

export function ppo(x: Float64Array, fast: number, slow: number): Float64Array {
  return runColumn('ppo', [x], new PpoStream(fast, slow))
}
