/**
 * Awesome oscillator (Williams; 5 and 34 are usual): fast SMA minus slow SMA of the median price; first value at bar
 * max(fast, slow) - 1. NaN rule of sma.ts.
 */
import { checkPeriod } from './period.js'
import { SmaStream } from './sma.js'
import { runColumn } from './stream.js'

export class AwesomeOscillatorStream {
  private readonly fast: SmaStream
  private readonly slow: SmaStream

  constructor(fast: number, slow: number) {
    checkPeriod('awesomeOscillator', 'fast', fast)
    checkPeriod('awesomeOscillator', 'slow', slow)
    this.fast = new SmaStream(fast)
    this.slow = new SmaStream(slow)
  }

  next(high: number, low: number): number {
    const median = (high + low) / 2
    return this.fast.next(median) - this.slow.next(median)
  }
}

export function awesomeOscillator(high: Float64Array, low: Float64Array, fast: number, slow: number): Float64Array {
  return runColumn('awesomeOscillator', [high, low], new AwesomeOscillatorStream(fast, slow))
}
