/**
 * Momentum: x[i] - x[i - n] (TA-Lib's MOM). First value at bar n. NaN where either of the two values is NaN;
 * there is no state.
 */
import { checkPeriod, emptyColumn } from './period.js'

export function momentum(x: Float64Array, n: number): Float64Array {
  checkPeriod('momentum', 'n', n)
  const out = emptyColumn(x.length)
  for (let i = n; i < x.length; i++) out[i] = x[i]! - x[i - n]!
  return out
}
