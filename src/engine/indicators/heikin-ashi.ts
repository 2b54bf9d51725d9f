/**
 * Heikin-Ashi bars: close = mean of the four prices; open = mean of the open and close of the Heikin-Ashi bar before,
 * at first of the bar's own; high and low reach to both. From bar 0. NaN rule: a NaN ends the state; the next bar
 * without one begins anew.
 */
import { missing } from './period.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'

export class HeikinAshiStream {
  private readonly out = { open: NaN, high: NaN, low: NaN, close: NaN }

  next(open: number, high: number, low: number, close: number): Readonly<typeof this.out> {
    const { out } = this
    const mean = (open + high + low + close) / 4
    if (missing(mean)) {
      out.open = out.high = out.low = out.close = NaN
      return out
    }
    out.open = missing(out.open) ? (open + close) / 2 : (out.open + out.close) / 2
    out.close = mean
    out.high = Math.max(high, out.open, mean)
    out.low = Math.min(low, out.open, mean)
    return out
  }
}

export function heikinAshi(open: Float64Array, high: Float64Array, low: Float64Array, close: Float64Array): Columns<'open' | 'high' | 'low' | 'close'> {
  return runColumns('heikinAshi', [open, high, low, close], ['open', 'high', 'low', 'close'], new HeikinAshiStream())
}
