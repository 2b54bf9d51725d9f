/**
 * Keltner channels in Raschke's form: the EMA of the close and `multiplier` ATRs (Wilder's) above and below it, both
 * over n bars. All three begin together at bar n. NaN rule: that of ema.ts and atr.ts.
 */
import { AtrStream } from './atr.js'
import { EmaStream } from './ema.js'
import { checkFactor, missing } from './period.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'

export class KeltnerStream {
  private readonly multiplier: number
  private readonly mean: EmaStream
  private readonly range: AtrStream
  private readonly out = { upper: NaN, middle: NaN, lower: NaN }

  constructor(n: number, multiplier: number) {
    checkFactor('keltner', 'multiplier', multiplier)
    this.multiplier = multiplier
    this.mean = new EmaStream(n, 'keltner')
    this.range = new AtrStream(n, 'keltner')
  }

  next(high: number, low: number, close: number): Readonly<typeof this.out> {
    const { out } = this
    const mean = this.mean.next(close)
    const width = this.multiplier * this.range.next(high, low, close)
    out.upper = mean + width
    out.middle = missing(width) ? NaN : mean
    out.lower = mean - width
    return out
  }
}

export function keltner(high: Float64Array, low: Float64Array, close: Float64Array, n: number, multiplier: number): Columns<'upper' | 'middle' | 'lower'> {
  return runColumns('keltner', [high, low, close], ['upper', 'middle', 'lower'], new KeltnerStream(n, multiplier))
}
