/** Double EMA (TA-Lib's DEMA): 2 × EMA - EMA of the EMA; first value at bar 2 (n - 1). NaN rule of ema.ts. */
import { ema } from './ema.js'

export function dema(x: Float64Array, n: number): Float64Array {
  const first = ema(x, n)
  const second = ema(first, n)
  return second.map((value, i) => 2 * first[i]! - value)
}
