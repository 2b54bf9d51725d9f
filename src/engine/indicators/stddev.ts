/**
 * Population standard deviation of the last n values (TA-Lib's STDDEV with one deviation); first at bar n - 1.
 *
 * TA-Lib subtracts the squared mean from the mean of squares, which loses all digits when prices are large
 * and quiet. Here each block of n keeps (mean, sum of squared deviations) of its heads and tails by Welford's
 * update, and a window joins one tail and one head by Chan's formula: the same value, without cancellation.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, emptyColumn } from './period.js'

export function stddev(x: Float64Array, n: number): Float64Array {
  checkPeriod('stddev', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  const tailMean = new Float64Array(n + 1)
  const tailSquares = new Float64Array(n + 1)
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let mean = 0
    let squares = 0
    for (let i = start; i < end; i++) {
      const b = i - start + 1
      const before = x[i]! - mean
      mean += before / b
      squares += before * (x[i]! - mean)
      if (i < n - 1) continue
      const a = n - b
      if (a === 0) { out[i] = Math.sqrt(squares / n); continue }
      const between = mean - tailMean[b]!
      out[i] = Math.sqrt((tailSquares[b]! + squares + (between * between * a * b) / n) / n)
    }
    if (end - start < n) break
    mean = 0
    squares = 0
    for (let k = n - 1; k >= 0; k--) {
      const before = x[start + k]! - mean
      mean += before / (n - k)
      squares += before * (x[start + k]! - mean)
      tailMean[k] = mean
      tailSquares[k] = squares
    }
  }
  return out
}
