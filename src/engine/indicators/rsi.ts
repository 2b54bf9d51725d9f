/**
 * Relative strength index, Wilder's (TA-Lib's RSI): averages of gains and losses seeded with the means of the
 * first n changes, then average = (average × (n - 1) + change) / n; 100 × gain / (gain + loss), 0 when flat.
 * First value at bar n. NaN rule: as for ema.ts, a NaN ends the state and n + 1 values in a row seed it anew.
 */
import { checkPeriod, emptyColumn } from './period.js'

export function rsi(x: Float64Array, n: number): Float64Array {
  checkPeriod('rsi', 'n', n, 2)
  const out = emptyColumn(x.length)
  let changes = 0
  let gain = 0
  let loss = 0
  for (let i = 1; i < x.length; i++) {
    const change = x[i]! - x[i - 1]!
    if (change !== change) { changes = 0; gain = 0; loss = 0; continue }
    const up = change > 0 ? change : 0
    const down = change < 0 ? -change : 0
    if (changes < n) {
      changes++
      gain += up
      loss += down
      if (changes < n) continue
      gain /= n
      loss /= n
    } else {
      gain = (gain * (n - 1) + up) / n
      loss = (loss * (n - 1) + down) / n
    }
    const sum = gain + loss
    out[i] = sum === 0 ? 0 : (100 * gain) / sum
  }
  return out
}
