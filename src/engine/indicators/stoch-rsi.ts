/**
 * Stochastic RSI (Chande and Kroll 1994, smoothed as on most charts): the slow stochastic of the RSI; with
 * kSmooth 1 it is TA-Lib's STOCHRSI. 0 where the RSI did not move. Both begin at bar rsiPeriod + k + kSmooth + d - 3.
 * NaN rule: that of rsi.ts, then of sma.ts.
 */
import { RsiStream } from './rsi.js'
import { StochasticStream } from './stochastic.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'

/** While prices rest, the RSI moves by rounding alone, about 1e-13 of its 100. */
const STILL = 1e-10

export class StochRsiStream {
  private readonly rsi: RsiStream
  private readonly stochastic: StochasticStream

  constructor(rsiPeriod: number, k: number, kSmooth: number, d: number) {
    this.rsi = new RsiStream(rsiPeriod, 'stochRsi', 'rsiPeriod')
    this.stochastic = new StochasticStream(k, kSmooth, d, 'stochRsi', STILL)
  }

  next(x: number): ReturnType<StochasticStream['next']> {
    const rsi = this.rsi.next(x)
    return this.stochastic.next(rsi, rsi, rsi)
  }
}

export function stochRsi(x: Float64Array, rsiPeriod: number, k: number, kSmooth: number, d: number): Columns<'k' | 'd'> {
  return runColumns('stochRsi', [x], ['k', 'd'], new StochRsiStream(rsiPeriod, k, kSmooth, d))
}
