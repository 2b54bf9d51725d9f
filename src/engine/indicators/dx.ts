/**
 * Directional movement index (TA-Lib's DX): 100 × |+DI - -DI| ÷ (+DI + -DI); where both are 0 the value before, at
 * first 0. First value at bar n. NaN rule of directional-movement.ts.
 */
import { DirectionalMovement } from './directional-movement.js'
import { runColumn } from './stream.js'

export class DxStream {
  private readonly movement: DirectionalMovement
  private value = 0

  constructor(n: number) {
    this.movement = new DirectionalMovement(n, 'dx')
  }

  next(high: number, low: number, close: number): number {
    const { movement } = this
    movement.push(high, low, close)
    const sum = movement.plus + movement.minus
    if (sum !== sum) {
      this.value = 0
      return NaN
    }
    if (sum !== 0) this.value = (100 * Math.abs(movement.plus - movement.minus)) / sum
    return this.value
  }
}

export function dx(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return runColumn('dx', [high, low, close], new DxStream(n))
}
