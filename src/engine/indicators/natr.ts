/** ATR as a percentage of the close (TA-Lib's NATR), 0 where the close is 0; first value at bar n. NaN rule of atr.ts. */
import { AtrStream } from './atr.js'
import { finite } from './period.js'
import { runColumn } from './stream.js'

export class NatrStream {
  private readonly atr: AtrStream

  constructor(n: number) {
    this.atr = new AtrStream(n, 'natr')
  }

  next(high: number, low: number, close: number): number {
    const range = this.atr.next(high, low, close)
    return close === 0 ? range * 0 : (range / finite(close)) * 100
  }
}

export function natr(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('natr', [high, low, close], new NatrStream(n))
}
