/**
 * Aroon (TA-Lib's AROON): 100 × (n - bars since the highest high, lowest low) ÷ n over n + 1 bars, the latest of
 * equal ones; both begin at bar n. NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod, checkSameLength, emptyColumn } from './period.js'

export interface Aroon {
  readonly up: Float64Array
  readonly down: Float64Array
}

export function aroon(high: Float64Array, low: Float64Array, n: number): Aroon {
  checkPeriod('aroon', 'n', n, 2)
  checkSameLength('aroon', [high, low])
  const up = emptyColumn(high.length)
  const down = emptyColumn(high.length)
  for (let i = n; i < high.length; i++) {
    let highest = i - n
    let lowest = i - n
    let broken = high[i - n]! + low[i - n]!
    for (let k = i - n + 1; k <= i; k++) {
      broken += high[k]! + low[k]!
      if (high[k]! >= high[highest]!) highest = k
      if (low[k]! <= low[lowest]!) lowest = k
    }
    if (broken !== broken) continue
    up[i] = (100 * (n - (i - highest))) / n
    down[i] = (100 * (n - (i - lowest))) / n
  }
  return { up, down }
}
