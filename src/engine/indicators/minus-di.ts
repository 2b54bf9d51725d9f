/** Wilder's -DI (TA-Lib's MINUS_DI), first value at bar n; NaN rule of directional-movement.ts. */
import { DirectionalMovement } from './directional-movement.js'
import { runColumn } from './stream.js'

export class MinusDiStream {
  private readonly movement: DirectionalMovement

  constructor(n: number) {
    this.movement = new DirectionalMovement(n, 'minusDi')
  }

  next(high: number, low: number, close: number): number {
    this.movement.push(high, low, close)
    return this.movement.minus
  }
}

export function minusDi(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('minusDi', [high, low, close], new MinusDiStream(n))
}
