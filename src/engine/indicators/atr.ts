/**
 * Average true range (TA-Lib's ATR): the mean of the first n true ranges at bar n, then Wilder's
 * atr = (atr × (n - 1) + trueRange) / n. NaN rule: as for ema.ts, a NaN ends the state and n true ranges in a
 * row seed it anew.
 */
import { checkPeriod, emptyColumn } from './period.js'
import { trueRange } from './true-range.js'

export function atr(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  checkPeriod('atr', 'n', n)
  const range = trueRange(high, low, close)
  const out = emptyColumn(range.length)
  let seen = 0
  let value = 0
  for (let i = 1; i < range.length; i++) {
    const input = range[i]!
    if (input !== input) { seen = 0; value = 0; continue }
    if (seen < n) {
      seen++
      value += input
      if (seen < n) continue
      value /= n
    } else {
      value = (value * (n - 1) + input) / n
    }
    out[i] = value
  }
  return out
}
