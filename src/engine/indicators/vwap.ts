/**
 * Volume weighted average price: sum of typical price × volume ÷ sum of volume since the day began (UTC, of `time`
 * in milliseconds), or since a bar of one's choice (anchored). NaN while there was no volume.
 * NaN rule: a bar that holds a NaN is NaN and is left out of the sums.
 */
import { checkPeriod, missing } from './period.js'
import { runColumn } from './stream.js'

const DAY_MS = 86_400_000

class Sums {
  private weighted = 0
  private volume = 0

  reset(): void {
    this.weighted = 0
    this.volume = 0
  }

  add(high: number, low: number, close: number, volume: number): number {
    const flow = ((high + low + close) / 3) * volume
    if (missing(flow) || missing(volume)) return NaN
    this.weighted += flow
    this.volume += volume
    return this.volume === 0 ? NaN : this.weighted / this.volume
  }
}

export class VwapStream {
  private readonly sums = new Sums()
  private day = NaN

  next(high: number, low: number, close: number, volume: number, time: number): number {
    if (missing(time)) return NaN
    const day = Math.floor(time / DAY_MS)
    if (day !== this.day) this.sums.reset()
    this.day = day
    return this.sums.add(high, low, close, volume)
  }
}

export class AnchoredVwapStream {
  private readonly sums = new Sums()
  private wait: number

  constructor(anchorBar: number) {
    checkPeriod('anchoredVwap', 'anchorBar', anchorBar, 0)
    this.wait = anchorBar
  }

  next(high: number, low: number, close: number, volume: number): number {
    if (this.wait === 0) return this.sums.add(high, low, close, volume)
    this.wait--
    return NaN
  }
}

export function vwap(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array, time: Float64Array): Float64Array {
  return runColumn('vwap', [high, low, close, volume, time], new VwapStream())
}

/** From the bar of index `anchorBar` (from 0) on; a stream counts from its own first bar. */
export function anchoredVwap(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array, anchorBar: number): Float64Array {
  return runColumn('anchoredVwap', [high, low, close, volume], new AnchoredVwapStream(anchorBar))
}
