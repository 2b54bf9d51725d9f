/**
 * SuperTrend (Seban's): bands `multiplier` ATRs (Wilder's) from the middle of the bar. The lower band only rises and
 * the upper only falls, until the close of the bar before lay beyond it. `trend` is the lower band while the
 * direction is 1 (long), the upper while it is -1; it turns when the close is beyond the band it follows. The first
 * trend, at bar n, is long. NaN rule: a NaN ends the state; n true ranges in a row begin it anew.
 */
import { AtrStream } from './atr.js'
import { checkFactor, missing } from './period.js'
import type { Columns } from './stream.js'
import { isRounding } from './rounding.js'
import { runColumns } from './stream.js'

/** Roundings in a band are those of an average of averages. */
const BAND_TERMS = 4

export class SuperTrendStream {
  private readonly multiplier: number
  private readonly range: AtrStream
  private upper = NaN
  private lower = NaN
  private lastClose = NaN
  private readonly out = { trend: NaN, direction: NaN }

  constructor(n: number, multiplier: number) {
    checkFactor('superTrend', 'multiplier', multiplier, 0)
    this.multiplier = multiplier
    this.range = new AtrStream(n, 'superTrend')
  }

  next(high: number, low: number, close: number): Readonly<typeof this.out> {
    const { out, lastClose } = this
    const width = this.multiplier * this.range.next(high, low, close)
    this.lastClose = close
    if (missing(width) || missing(close)) {
      this.upper = this.lower = out.trend = out.direction = NaN
      return out
    }
    const middle = (high + low) / 2
    const begins = missing(this.lower)
    // Comparisons with NaN are false: the first bar takes its own bands.
    if (!(middle + width >= this.upper && !isAbove(lastClose, this.upper))) this.upper = middle + width
    if (!(middle - width <= this.lower && !isAbove(this.lower, lastClose))) this.lower = middle - width
    if (begins) out.direction = 1
    else if (out.direction > 0 && isAbove(this.lower, close)) out.direction = -1
    else if (out.direction < 0 && isAbove(close, this.upper)) out.direction = 1
    out.trend = out.direction > 0 ? this.lower : this.upper
    return out
  }
}

/** By more than rounding: a close on its band is not beyond it, in any unit. */
function isAbove(a: number, b: number): boolean {
  return a > b && !isRounding(a - b, a, BAND_TERMS)
}

export function superTrend(high: Float64Array, low: Float64Array, close: Float64Array, n: number, multiplier: number): Columns<'trend' | 'direction'> {
  return runColumns('superTrend', [high, low, close], ['trend', 'direction'], new SuperTrendStream(n, multiplier))
}
