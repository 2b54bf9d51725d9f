/**
 * Slow stochastic (TA-Lib's STOCH with simple averages): k = SMA over kSmooth of 100 × (close - lowest) ÷
 * (highest - lowest) of the last k bars (0 when they are equal), d = SMA over d of it. Both begin together, at bar
 * k + kSmooth + d - 3 (17 for 14 3 3). NaN rule of sma.ts.
 */
import { checkPeriod, checkSameLength, emptyColumn } from './period.js'
import { rollingMax } from './rolling-max.js'
import { rollingMin } from './rolling-min.js'
import { sma } from './sma.js'

export interface Stochastic {
  readonly k: Float64Array
  readonly d: Float64Array
}

export function stochastic(high: Float64Array, low: Float64Array, close: Float64Array, k: number, kSmooth: number, d: number): Stochastic {
  checkSameLength('stochastic', [high, low, close])
  for (const [name, value] of [['k', k], ['kSmooth', kSmooth], ['d', d]] as const) checkPeriod('stochastic', name, value)
  const highest = rollingMax(high, k)
  const lowest = rollingMin(low, k)
  const fast = emptyColumn(close.length)
  for (let i = 0; i < fast.length; i++) {
    const range = highest[i]! - lowest[i]!
    fast[i] = range === 0 ? 0 : (100 * (close[i]! - lowest[i]!)) / range
  }
  const slow = sma(fast, kSmooth)
  const signal = sma(slow, d)
  for (let i = 0; i < slow.length; i++) if (signal[i]! !== signal[i]!) slow[i] = NaN
  return { k: slow, d: signal }
}
