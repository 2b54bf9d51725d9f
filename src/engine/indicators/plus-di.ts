/** Wilder's +DI (TA-Lib's PLUS_DI), first value at bar n; NaN rule of directional-movement.ts. */
import { DirectionalMovement } from './directional-movement.js'
import { runColumn } from './stream.js'

export class PlusDiStream {
  private readonly movement: DirectionalMovement

  constructor(n: number) {
    this.movement = new DirectionalMovement(n, 'plusDi')
  }

  next(high: number, low: number, close: number): number {
    this.movement.push(high, low, close)
    return this.movement.plus
  }
}

export function plusDi(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('plusDi', [high, low, close], new PlusDiStream(n))
}
