/**
 * Wilder's directional movement, the base of ADX, +DI and -DI as TA-Lib computes them: sums over the first n - 1
 * bars, then sum = sum - sum / n + value from bar n on. Not an indicator of its own.
 * NaN rule: a NaN in a bar or the one before ends the state; n bars in a row begin it anew.
 */
import { checkPeriod, checkSameLength, emptyColumn } from './period.js'

export interface DirectionalIndex {
  readonly plus: Float64Array
  readonly minus: Float64Array
}

/** +DI and -DI, first value at bar n. */
export function directionalIndex(indicator: string, high: Float64Array, low: Float64Array, close: Float64Array, n: number): DirectionalIndex {
  checkPeriod(indicator, 'n', n, 2)
  checkSameLength(indicator, [high, low, close])
  const plus = emptyColumn(high.length)
  const minus = emptyColumn(high.length)
  let seen = 0
  let [plusSum, minusSum, rangeSum] = [0, 0, 0]
  for (let i = 1; i < high.length; i++) {
    const up = high[i]! - high[i - 1]!
    const down = low[i - 1]! - low[i]!
    const range = Math.max(high[i]! - low[i]!, Math.abs(high[i]! - close[i - 1]!), Math.abs(low[i]! - close[i - 1]!))
    if (Number.isNaN(up + down + range)) {
      seen = 0
      plusSum = minusSum = rangeSum = 0
      continue
    }
    seen++
    if (seen >= n) {
      plusSum -= plusSum / n
      minusSum -= minusSum / n
      rangeSum -= rangeSum / n
    }
    if (down > 0 && up < down) minusSum += down
    else if (up > 0 && up > down) plusSum += up
    rangeSum += range
    if (seen < n) continue
    plus[i] = rangeSum === 0 ? 0 : (100 * plusSum) / rangeSum
    minus[i] = rangeSum === 0 ? 0 : (100 * minusSum) / rangeSum
  }
  return { plus, minus }
}
