/**
 * Absolute price oscillator (TA-Lib's APO with MA type EMA): fast EMA minus slow EMA, each seeded by its own first
 * values (in MACD the seeds end on one bar). The shorter period is the fast one, whichever is named first. First value
 * at bar max(fast, slow) - 1. NaN rule of ema.ts, for each of the two.
 */
import { EmaStream } from './ema.js'
import { checkPeriod } from './period.js'
import { runColumn } from './stream.js'

export class ApoStream {
  private readonly short: EmaStream
  private readonly long: EmaStream

  constructor(fast: number, slow: number) {
    checkPeriod('apo', 'fast', fast, 2)
    checkPeriod('apo', 'slow', slow, 2)
    this.short = new EmaStream(Math.min(fast, slow))
    this.long = new EmaStream(Math.max(fast, slow))
  }

  next(x: number): number {
    return this.short.next(x) - this.long.next(x)
  }
}

export function apo(x: Float64Array, fast: number, slow: number): Float64Array {
  return runColumn('apo', [x], new ApoStream(fast, slow))
}
