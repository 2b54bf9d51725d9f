/**
 * Donchian channel: the highest high and lowest low of the last n bars, this one among them, and their middle; all
 * begin at bar n - 1. A breakout is a close beyond the channel of the bar before. NaN rule of rolling-max.ts.
 */
import { RollingMaxStream } from './rolling-max.js'
import { RollingMinStream } from './rolling-min.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'

/** The highest, the lowest and the middle of the last n bars; also the base of Ichimoku and of midprice. */
export class DonchianStream {
  private readonly highest: RollingMaxStream
  private readonly lowest: RollingMinStream
  private readonly out = { upper: NaN, middle: NaN, lower: NaN }

  constructor(n: number, indicator = 'donchian', parameter = 'n', least = 1) {
    this.highest = new RollingMaxStream(n, indicator, parameter, least)
    this.lowest = new RollingMinStream(n, indicator, parameter, least)
  }

  next(high: number, low: number): Readonly<typeof this.out> {
    const { out } = this
    const upper = this.highest.next(high)
    const lower = this.lowest.next(low)
    out.middle = (upper + lower) / 2
    // A gap in one of the two is a gap in all.
    const gap = out.middle - out.middle
    out.upper = upper + gap
    out.lower = lower + gap
    return out
  }
}

export function donchian(high: Float64Array, low: Float64Array, n: number): Columns<'upper' | 'middle' | 'lower'> {
  return runColumns('donchian', [high, low], ['upper', 'middle', 'lower'], new DonchianStream(n))
}
