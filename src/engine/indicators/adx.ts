/**
 * Average directional index (TA-Lib's ADX): the mean of the first n DX at bar 2n - 1, then Wilder's average; a bar
 * whose +DI and -DI are both 0 changes nothing. NaN rule: a NaN ends the state, 2n bars in a row begin it anew.
 */
import { DirectionalMovement } from './directional-movement.js'
import { runColumn } from './stream.js'

export class AdxStream {
  private readonly n: number
  private readonly movement: DirectionalMovement
  private seen = 0
  private value = 0

  constructor(n: number, indicator = 'adx') {
    this.movement = new DirectionalMovement(n, indicator)
    this.n = n
  }

  next(high: number, low: number, close: number): number {
    const { n, movement } = this
    movement.push(high, low, close)
    const sum = movement.plus + movement.minus
    if (sum !== sum) {
      this.seen = 0
      this.value = 0
      return NaN
    }
    const moves = sum !== 0
    const dx = moves ? (100 * Math.abs(movement.plus - movement.minus)) / sum : 0
    if (this.seen < n) {
      this.seen++
      this.value += dx
      if (this.seen < n) return NaN
      this.value /= n
    } else if (moves) {
      this.value = (this.value * (n - 1) + dx) / n
    }
    return this.value
  }
}

export function adx(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('adx', [high, low, close], new AdxStream(n))
}
