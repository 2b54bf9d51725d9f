/**
 * Chande momentum oscillator as TA-Lib's CMO has it: 100 × (gain - loss) / (gain + loss) of Wilder's averages
 * (Chande's own sums are not smoothed), 0 when flat; first value at bar n. NaN rule of rsi.ts.
 */
import { WilderChanges } from './rsi.js'
import { runColumn } from './stream.js'

export class CmoStream {
  private readonly averages: WilderChanges

  constructor(n: number) {
    this.averages = new WilderChanges(n, 'cmo')
  }

  next(x: number): number {
    const { averages } = this
    if (!averages.push(x)) return NaN
    const sum = averages.gain + averages.loss
    return sum === 0 ? 0 : (100 * (averages.gain - averages.loss)) / sum
  }
}

export function cmo(x: Float64Array, n: number): Float64Array {
  return runColumn('cmo', [x], new CmoStream(n))
}
