/**
 * Weighted moving average, weights 1..n with the newest heaviest (TA-Lib's WMA); first value at bar n - 1.
 * Summed by blocks of n as in sma.ts: with a bars of the window in the older block and b in the newer one,
 * sum = tailWeighted + (a × head + headWeighted). Nothing is subtracted.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, emptyColumn } from './period.js'

export function wma(x: Float64Array, n: number): Float64Array {
  checkPeriod('wma', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  const divisor = (n * (n + 1)) / 2
  const tailWeighted = new Float64Array(n + 1)
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let head = 0
    let headWeighted = 0
    for (let i = start; i < end; i++) {
      const inHead = i - start + 1
      head += x[i]!
      headWeighted += inHead * x[i]!
      if (i < n - 1) continue
      const inTail = n - inHead
      out[i] = (tailWeighted[inHead]! + (inTail === 0 ? 0 : inTail * head) + headWeighted) / divisor
    }
    if (end - start < n) break
    let sum = 0
    let weighted = 0
    for (let k = n - 1; k >= 0; k--) {
      sum += x[start + k]!
      weighted += sum
      tailWeighted[k] = weighted
    }
  }
  return out
}
