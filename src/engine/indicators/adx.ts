/**
 * Average directional index (TA-Lib's ADX): the mean of the first n DX at bar 2n - 1, then Wilder's average; a bar
 * whose +DI and -DI are both 0 changes nothing. NaN rule: a NaN ends the state, 2n bars in a row begin it anew.
 */
import { directionalIndex } from './directional-movement.js'
import { emptyColumn } from './period.js'

export function adx(high: Float64Array, low: Float64Array, close: Float64Array, n: number): Float64Array {
  const { plus, minus } = directionalIndex('adx', high, low, close, n)
  const out = emptyColumn(high.length)
  let seen = 0
  let value = 0
  for (let i = 0; i < out.length; i++) {
    const sum = plus[i]! + minus[i]!
    if (sum !== sum) { seen = 0; value = 0; continue }
    const dx = sum === 0 ? undefined : (100 * Math.abs(plus[i]! - minus[i]!)) / sum
    if (seen < n) {
      seen++
      value += dx ?? 0
      if (seen < n) continue
      value /= n
    } else if (dx !== undefined) {
      value = (value * (n - 1) + dx) / n
    }
    out[i] = value
  }
  return out
}
