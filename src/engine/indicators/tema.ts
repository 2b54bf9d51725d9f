/** Triple EMA (TA-Lib's TEMA): 3 × EMA - 3 × EMA² + EMA³; first value at bar 3 (n - 1). NaN rule of ema.ts. */
import { ema } from './ema.js'

export function tema(x: Float64Array, n: number): Float64Array {
  const first = ema(x, n)
  const second = ema(first, n)
  const third = ema(second, n)
  return third.map((value, i) => 3 * first[i]! - 3 * second[i]! + value)
}
