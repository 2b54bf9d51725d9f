/**
 * Percentage price oscillator (Appel's; TA-Lib's PPO with MA type EMA): 100 × (fast EMA - slow EMA) ÷ slow EMA, 0
 * where that is 0; otherwise as apo.ts.
 */
import { EmaStream } from './ema.js'
import { checkPeriod } from './period.js'
import { runColumn } from './stream.js'

export class PpoStream {
  private readonly short: EmaStream
  private readonly long: EmaStream

  constructor(fast: number, slow: number) {
    checkPeriod('ppo', 'fast', fast, 2)
    checkPeriod('ppo', 'slow', slow, 2)
    this.short = new EmaStream(Math.min(fast, slow))
    this.long = new EmaStream(Math.max(fast, slow))
  }

  next(x: number): number {
    const long = this.long.next(x)
    const distance = this.short.next(x) - long
    return long === 0 ? distance * 0 : (distance / long) * 100
  }
}

export function ppo(x: Float64Array, fast: number, slow: number): Float64Array {
  return runColumn('ppo', [x], new PpoStream(fast, slow))
}
