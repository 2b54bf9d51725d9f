/** Wilder's +DI (TA-Lib's PLUS_DI), first value at bar n; NaN rule of directional-movement.ts. */
import { directionalIndex } from './directional-movement.js'

export function plusDi(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  return directionalIndex('plusDi', high, low, close, n).plus
}
