/**
 * Choppiness index (Dreiss): 100 × log10(sum of the true ranges of the last n bars ÷ (highest high - lowest low)) ÷
 * log10(n), 0 where there is no range; first value at bar n. NaN rule: a window that holds a NaN is NaN.
 */
import { DonchianStream } from './donchian.js'
import { RollingSumStream } from './rolling-sum.js'
import { runColumn } from './stream.js'
import { TrueRangeStream } from './true-range.js'

export class ChopStream {
  private readonly channel: DonchianStream
  private readonly trueRange = new TrueRangeStream()
  private readonly sum: RollingSumStream
  private readonly scale: number

  constructor(n: number) {
    this.channel = new DonchianStream(n, 'chop', 'n', 2)
    this.sum = new RollingSumStream(n)
    this.scale = 100 / Math.log10(n)
  }

  next(high: number, low: number, close: number): number {
    const { upper, lower } = this.channel.next(high, low)
    const path = this.sum.next(this.trueRange.next(high, low, close))
    return upper - lower === 0 || path === 0 ? path * 0 : Math.log10(path / (upper - lower)) * this.scale
  }
}

export function chop(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('chop', [high, low, close], new ChopStream(n))
}
