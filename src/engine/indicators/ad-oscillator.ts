/**
 * Chaikin oscillator (TA-Lib's ADOSC): fast EMA minus slow EMA of the accumulation/distribution line, both seeded, as
 * there, with the line's first value and not with a mean; first value at bar max(fast, slow) - 1.
 * NaN rule: a NaN ends the state, max(fast, slow) bars in a row begin it anew.
 */
import { AdStream } from './ad.js'
import { checkPeriod, missing } from './period.js'
import { runColumn } from './stream.js'

export class AdOscillatorStream {
  private readonly line = new AdStream()
  private readonly longest: number
  private readonly fastShare: number
  private readonly slowShare: number
  private seen = 0
  private fast = 0
  private slow = 0

  constructor(fast: number, slow: number) {
    checkPeriod('adOscillator', 'fast', fast, 2)
    checkPeriod('adOscillator', 'slow', slow, 2)
    this.longest = Math.max(fast, slow)
    this.fastShare = 2 / (fast + 1)
    this.slowShare = 2 / (slow + 1)
  }

  next(high: number, low: number, close: number, volume: number): number {
    const line = this.line.next(high, low, close, volume)
    if (missing(line)) {
      this.seen = 0
      return NaN
    }
    if (this.seen === 0) this.fast = this.slow = line
    this.fast += this.fastShare * (line - this.fast)
    this.slow += this.slowShare * (line - this.slow)
    if (this.seen < this.longest) this.seen++
    return this.seen < this.longest ? NaN : this.fast - this.slow
  }
}

export function adOscillator(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array, fast: number, slow: number): Float64Array {
  return runColumn('adOscillator', [high, low, close, volume], new AdOscillatorStream(fast, slow))
}
