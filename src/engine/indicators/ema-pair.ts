/**
 * Two EMAs of one input, seeded by windows that end on the same bar (max - 1 after the first number), as TA-Lib
 * seeds those of MACD. The shorter period is the fast one, whichever is named first. After a NaN each
 * is seeded anew by itself.
 */
import { EmaStream } from './ema.js'
import { checkPeriod, missing } from './period.js'

export class EmaPair {
  short = NaN
  long = NaN
  private readonly shortEma: EmaStream
  private readonly longEma: EmaStream
  /** Bars until the window of the fast seed begins. */
  private wait: number
  private begun = false

  constructor(fast: number, slow: number) {
    checkPeriod('macd', 'fast', fast, 2)
    checkPeriod('macd', 'slow', slow, 2)
    this.shortEma = new EmaStream(Math.min(fast, slow))
    this.longEma = new EmaStream(Math.max(fast, slow))
    this.wait = Math.abs(slow - fast)
  }

  push(x: number): void {
    this.begun ||= !missing(x)
    this.long = this.longEma.next(x)
    if (!this.begun) return
    if (this.wait > 0) this.wait--
    else this.short = this.shortEma.next(x)
  }
}
