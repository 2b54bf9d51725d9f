/**
 * Kaufman's adaptive moving average (TA-Lib's KAMA with 2 and 30): starts from the value before its first bar n,
 * then kama += c² (x - kama), c = efficiency × (2/3 - 2/31) + 2/31, efficiency = |change over n| ÷ sum of the n
 * absolute changes (1 when that is 0 or, as there, not above the signed change).
 * NaN rule: a NaN ends the state; n + 1 values in a row begin it anew.
 */
import { checkPeriod, emptyColumn } from './period.js'

const FAST = 2 / 3
const SLOW = 2 / 31

export function kama(x: Float64Array, n: number): Float64Array {
  checkPeriod('kama', 'n', n, 2)
  const out = emptyColumn(x.length)
  let seen = 0 // values in a row without NaN
  let value = 0
  for (let i = 0; i < x.length; i++) {
    if (x[i]! !== x[i]!) { seen = 0; continue }
    seen++
    if (seen <= n) continue
    if (seen === n + 1) value = x[i - 1]!
    let path = 0
    for (let k = i - n + 1; k <= i; k++) path += Math.abs(x[k]! - x[k - 1]!)
    const change = x[i]! - x[i - n]!
    const efficiency = path === 0 || path <= change ? 1 : Math.abs(change / path)
    const constant = efficiency * (FAST - SLOW) + SLOW
    value += constant * constant * (x[i]! - value)
    out[i] = value
  }
  return out
}
