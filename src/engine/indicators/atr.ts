/**
 * Average true range (TA-Lib's ATR): the mean of the first n true ranges at bar n, then Wilder's
 * atr = (atr × (n - 1) + trueRange) / n. NaN rule: as for ema.ts, a NaN ends the state and n true ranges in a
 * row seed it anew.
 */
import { checkPeriod } from './period.js'
import { rma, RmaStream } from './rma.js'
import { trueRange, TrueRangeStream } from './true-range.js'

export function atr(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  checkPeriod('atr', 'n', n)
  return rma(trueRange(high, low, close), n)
}

export class AtrStream {
  private readonly range = new TrueRangeStream()
  private readonly mean: RmaStream

  constructor(n: number, indicator = 'atr') {
    this.mean = new RmaStream(n, indicator)
  }

  next(high: number, low: number, close: number): number {
    return this.mean.next(this.range.next(high, low, close))
  }
}
