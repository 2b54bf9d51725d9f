/**
 * Parabolic stop and reverse (TA-Lib's SAR), first value at bar 1. The first trend is down when the second bar's
 * low fell by more than its high rose, else up; the stop starts at the first bar's low (high), never enters the
 * range of the last two bars, and jumps to the extreme of the trend when it is touched.
 * NaN rule: a NaN ends the state; two bars in a row begin it anew.
 */
import { checkFactor, missing } from './period.js'
import { isRounding } from './rounding.js'
import { runColumn } from './stream.js'

export class ParabolicSarStream {
  private readonly acceleration: number
  private readonly maximum: number
  private readonly first: number
  private lastHigh = NaN
  private lastLow = NaN
  private running = false
  private side = 1
  private stop = NaN
  private extreme = NaN
  private factor: number

  constructor(acceleration: number, maximum: number) {
    checkFactor('parabolicSar', 'acceleration', acceleration, 0)
    checkFactor('parabolicSar', 'maximum', maximum, 0)
    this.acceleration = acceleration
    this.maximum = maximum
    this.first = Math.min(acceleration, maximum)
    this.factor = this.first
  }

  next(high: number, low: number): number {
    const { lastHigh, lastLow } = this
    this.lastHigh = high
    this.lastLow = low
    if (missing(high) || missing(low) || missing(lastHigh) || missing(lastLow)) {
      this.running = false
      return NaN
    }
    const starts = !this.running
    if (starts) this.begin(high, low, lastHigh, lastLow)
    // TA-Lib does not let the bar before the first one bound the stop.
    const highest = starts ? high : Math.max(lastHigh, high)
    const lowest = starts ? low : Math.min(lastLow, low)
    const gap = this.side > 0 ? low - this.stop : this.stop - high
    const touched = gap <= 0 || isRounding(gap, high)
    if (touched) {
      this.side = -this.side
      this.stop = this.side > 0 ? Math.min(this.extreme, lowest) : Math.max(this.extreme, highest)
      this.factor = this.first
      this.extreme = this.side > 0 ? high : low
    }
    const { side, stop } = this
    const reached = side > 0 ? high : low
    if (!touched && side * reached > side * this.extreme) {
      this.extreme = reached
      this.factor = Math.min(this.factor + this.acceleration, this.maximum)
    }
    const moved = stop + this.factor * (this.extreme - stop)
    this.stop = side > 0 ? Math.min(moved, lowest) : Math.max(moved, highest)
    return stop
  }

  private begin(high: number, low: number, lastHigh: number, lastLow: number): void {
    const up = high - lastHigh
    const down = lastLow - low
    this.side = down > 0 && up < down && !isRounding(up - down, high) ? -1 : 1
    this.stop = this.side > 0 ? lastLow : lastHigh
    this.extreme = this.side > 0 ? high : low
    this.factor = this.first
    this.running = true
  }
}

export function parabolicSar(high: Float64Array, low: Float64Array, acceleration: number, maximum: number): Float64Array {
  return runColumn('parabolicSar', [high, low], new ParabolicSarStream(acceleration, maximum))
}
