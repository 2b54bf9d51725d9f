/**
 * Wilder's directional movement, the base of ADX, DX, +DI and -DI as TA-Lib computes them: sums over the first
 * n - 1 bars, then sum = sum - sum / n + value from bar n on. Not an indicator of its own.
 * Moves up and down that are equal as decimals are equal (rounding.ts) and count for neither side.
 * NaN rule: a NaN in a bar or the one before ends the state; n bars in a row begin it anew.
 */
import { checkPeriod, missing } from './period.js'
import { isRounding } from './rounding.js'

export class DirectionalMovement {
  /** +DI and -DI of the last bar, from bar n on; NaN before. */
  plus = NaN
  minus = NaN
  private readonly n: number
  private lastHigh = NaN
  private lastLow = NaN
  private lastClose = NaN
  private seen = 0
  private plusSum = 0
  private minusSum = 0
  private rangeSum = 0

  constructor(n: number, indicator: string) {
    checkPeriod(indicator, 'n', n, 2)
    this.n = n
  }

  push(high: number, low: number, close: number): void {
    const { n } = this
    const up = high - this.lastHigh
    const down = this.lastLow - low
    const range = Math.max(high - low, Math.abs(high - this.lastClose), Math.abs(low - this.lastClose))
    this.lastHigh = high
    this.lastLow = low
    this.lastClose = close
    this.plus = this.minus = NaN
    if (missing(up) || missing(down) || missing(range)) {
      this.seen = 0
      this.plusSum = this.minusSum = this.rangeSum = 0
      return
    }
    this.seen++
    if (this.seen >= n) {
      this.plusSum -= this.plusSum / n
      this.minusSum -= this.minusSum / n
      this.rangeSum -= this.rangeSum / n
    }
    if (!isRounding(up - down, high)) {
      if (down > 0 && up < down) this.minusSum += down
      else if (up > 0 && up > down) this.plusSum += up
    }
    this.rangeSum += range
    if (this.seen < n) return
    this.plus = this.rangeSum === 0 ? 0 : (100 * this.plusSum) / this.rangeSum
    this.minus = this.rangeSum === 0 ? 0 : (100 * this.minusSum) / this.rangeSum
  }
}
