/**
 * Vortex indicator (Botes and Siepman 2010): sums over n bars of |high - low before| and |low - high before| ÷ the
 * sum of true ranges, 0 where there is none; both begin at bar n. NaN rule: a window that holds a NaN is NaN.
 */
import { RollingSumStream } from './rolling-sum.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'
import { TrueRangeStream } from './true-range.js'

export class VortexStream {
  private readonly trueRange = new TrueRangeStream()
  private readonly plus: RollingSumStream
  private readonly minus: RollingSumStream
  private readonly range: RollingSumStream
  private lastHigh = NaN
  private lastLow = NaN
  private readonly out = { plus: NaN, minus: NaN }

  constructor(n: number) {
    this.plus = new RollingSumStream(n, 'vortex')
    this.minus = new RollingSumStream(n, 'vortex')
    this.range = new RollingSumStream(n, 'vortex')
  }

  next(high: number, low: number, close: number): Readonly<typeof this.out> {
    const { out } = this
    const plus = this.plus.next(Math.abs(high - this.lastLow))
    const minus = this.minus.next(Math.abs(low - this.lastHigh))
    const range = this.range.next(this.trueRange.next(high, low, close))
    this.lastHigh = high
    this.lastLow = low
    // A gap in one of the two is a gap in both.
    const gap = plus - plus + (minus - minus)
    out.plus = range === 0 ? gap : plus / range + gap
    out.minus = range === 0 ? gap : minus / range + gap
    return out
  }
}

export function vortex(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Columns<'plus' | 'minus'> {
  return runColumns('vortex', [high, low, close], ['plus', 'minus'], new VortexStream(n))
}
