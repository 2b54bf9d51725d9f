/**
 * Rate of change in percent: (x[i] / x[i - n] - 1) × 100, 0 where x[i - n] is 0 (TA-Lib's ROC). First value at
 * bar n. NaN rule: NaN where either of the two values is NaN; there is no state.
 */
import { checkPeriod, emptyColumn } from './period.js'

export function roc(x: Float64Array, n: number): Float64Array {
  checkPeriod('roc', 'n', n)
  const out = emptyColumn(x.length)
  for (let i = n; i < x.length; i++) {
    const before = x[i - n]!
    out[i] = before === 0 ? 0 : (x[i]! / before - 1) * 100
  }
  return out
}
