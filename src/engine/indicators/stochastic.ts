/**
 * Slow stochastic (TA-Lib's STOCH with simple averages): k = SMA over kSmooth of 100 × (close - lowest) ÷
 * (highest - lowest) of the last k bars (0 when they are equal), d = SMA over d of it. Both begin together, at bar
 * k + kSmooth + d - 3 (17 for 14 3 3). NaN rule of sma.ts; a NaN close is NaN.
 */
import { checkPeriod, checkSameLength, emptyColumn, missing } from './period.js'
import { rollingMax, RollingMaxStream } from './rolling-max.js'
import { rollingMin, RollingMinStream } from './rolling-min.js'
import { sma, SmaStream } from './sma.js'
import type { Columns } from './stream.js'

export class StochasticStream {
  private readonly highest: RollingMaxStream
  private readonly lowest: RollingMinStream
  private readonly slow: SmaStream
  private readonly signal: SmaStream
  private readonly still: number
  private readonly out = { k: NaN, d: NaN }

  /** A range of at most `still` is none. */
  constructor(k: number, kSmooth: number, d: number, indicator = 'stochastic', still = 0) {
    this.still = still
    for (const [name, value] of [['k', k], ['kSmooth', kSmooth], ['d', d]] as const) checkPeriod(indicator, name, value)
    this.highest = new RollingMaxStream(k)
    this.lowest = new RollingMinStream(k)
    this.slow = new SmaStream(kSmooth)
    this.signal = new SmaStream(d)
  }

  next(high: number, low: number, close: number): Readonly<typeof this.out> {
    const { out } = this
    const lowest = this.lowest.next(low)
    const range = this.highest.next(high) - lowest
    const fast = missing(close) ? NaN : range <= this.still ? 0 : (100 * (close - lowest)) / range
    const slow = this.slow.next(fast)
    out.d = this.signal.next(slow)
    out.k = missing(out.d) ? NaN : slow
    return out
  }
}

export type Stochastic = Columns<'k' | 'd'>

export function stochastic(high: Float64Array, low: Float64Array, close: Float64Array, k: number, kSmooth: number, d: number): Stochastic {
  checkSameLength('stochastic', [high, low, close])
  for (const [name, value] of [['k', k], ['kSmooth', kSmooth], ['d', d]] as const) checkPeriod('stochastic', name, value)
  const highest = rollingMax(high, k)
  const lowest = rollingMin(low, k)
  const fast = emptyColumn(close.length)
  for (let i = 0; i < fast.length; i++) {
    const range = highest[i]! - lowest[i]!
    if (missing(close[i]!)) continue
    fast[i] = range === 0 ? 0 : (100 * (close[i]! - lowest[i]!)) / range
  }
  const slow = sma(fast, kSmooth)
  const signal = sma(slow, d)
  for (let i = 0; i < slow.length; i++) if (signal[i]! !== signal[i]!) slow[i] = NaN
  return { k: slow, d: signal }
}
