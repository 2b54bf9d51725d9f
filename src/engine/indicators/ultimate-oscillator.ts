/**
 * Ultimate oscillator (Williams; TA-Lib's ULTOSC): 100 × (4 × short + 2 × medium + long) ÷ 7, each the sum of buying
 * pressure (close - true low) ÷ the sum of true ranges over so many bars, left out where there is no range. The
 * periods are put in order. First value at bar max(short, medium, long). NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod, missing } from './period.js'
import { RollingSumStream } from './rolling-sum.js'
import { runColumn } from './stream.js'
import { TrueRangeStream } from './true-range.js'

class Pressure {
  private readonly buying: RollingSumStream
  private readonly range: RollingSumStream

  constructor(n: number) {
    this.buying = new RollingSumStream(n)
    this.range = new RollingSumStream(n)
  }

  next(buying: number, range: number): number {
    const bought = this.buying.next(buying)
    const total = this.range.next(range)
    return total === 0 ? bought * 0 : bought / total
  }
}

export class UltimateOscillatorStream {
  private readonly trueRange = new TrueRangeStream()
  private readonly short: Pressure
  private readonly medium: Pressure
  private readonly long: Pressure
  private lastClose = NaN

  constructor(short: number, medium: number, long: number) {
    for (const [name, value] of [['short', short], ['medium', medium], ['long', long]] as const) checkPeriod('ultimateOscillator', name, value)
    const least = Math.min(short, medium, long)
    const most = Math.max(short, medium, long)
    this.short = new Pressure(least)
    this.medium = new Pressure(short + medium + long - least - most)
    this.long = new Pressure(most)
  }

  next(high: number, low: number, close: number): number {
    const { lastClose } = this
    this.lastClose = close
    const range = this.trueRange.next(high, low, close)
    const buying = missing(range) ? NaN : close - Math.min(low, lastClose)
    const whole = missing(buying) ? NaN : range
    return (100 * (4 * this.short.next(buying, whole) + 2 * this.medium.next(buying, whole) + this.long.next(buying, whole))) / 7
  }
}

export function ultimateOscillator(high: Float64Array, low: Float64Array, close: Float64Array, short: number, medium: number, long: number): Float64Array {
  return runColumn('ultimateOscillator', [high, low, close], new UltimateOscillatorStream(short, medium, long))
}
