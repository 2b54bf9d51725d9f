/**
 * The smallest of the last n values (TA-Lib's MIN); first value at bar n - 1. Blocks of n as in sma.ts (van
 * Herk's method), so the cost a bar does not grow with n.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, emptyColumn } from './period.js'

export function rollingMin(x: Float64Array, n: number): Float64Array {
  checkPeriod('rollingMin', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  const tail = new Float64Array(n + 1).fill(Infinity)
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let head = Infinity
    for (let i = start; i < end; i++) {
      head = Math.min(head, x[i]!)
      if (i >= n - 1) out[i] = Math.min(tail[i - start + 1]!, head)
    }
    if (end - start < n) break
    let best = Infinity
    for (let k = n - 1; k >= 0; k--) {
      best = Math.min(best, x[start + k]!)
      tail[k] = best
    }
  }
  return out
}
