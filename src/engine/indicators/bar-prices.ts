/**
 * One price for each bar (TA-Lib's TYPPRICE, MEDPRICE, WCLPRICE, AVGPRICE) and the balance of power (BOP: (close -
 * open) ÷ (high - low), 0 for a bar without range). From bar 0, no state; NaN where an input is NaN.
 */
import { finite, missing } from './period.js'
import type { Stream } from './stream.js'
import { runColumn } from './stream.js'

export class TypicalPriceStream implements Stream {
  next(high: number, low: number, close: number): number {
    return finite((high + low + close) / 3)
  }
}

export class MedianPriceStream implements Stream {
  next(high: number, low: number): number {
    return finite((high + low) / 2)
  }
}

export class WeightedCloseStream implements Stream {
  next(high: number, low: number, close: number): number {
    return finite((high + low + close * 2) / 4)
  }
}

export class AveragePriceStream implements Stream {
  next(open: number, high: number, low: number, close: number): number {
    return finite((high + low + close + open) / 4)
  }
}

export class BopStream implements Stream {
  next(open: number, high: number, low: number, close: number): number {
    const range = high - low
    const body = close - open
    if (missing(range) || missing(body)) return NaN
    return range > 0 ? body / range : 0
  }
}

export function typicalPrice(high: Float64Array, low: Float64Array, close: Float64Array): Float64Array {
  return runColumn('typicalPrice', [high, low, close], new TypicalPriceStream())
}

export function medianPrice(high: Float64Array, low: Float64Array): Float64Array {
  return runColumn('medianPrice', [high, low], new MedianPriceStream())
}

export function weightedClose(high: Float64Array, low: Float64Array, close: Float64Array): Float64Array {
  return runColumn('weightedClose', [high, low, close], new WeightedCloseStream())
}

export function averagePrice(open: Float64Array, high: Float64Array, low: Float64Array, close: Float64Array): Float64Array {
  return runColumn('averagePrice', [open, high, low, close], new AveragePriceStream())
}

export function bop(open: Float64Array, high: Float64Array, low: Float64Array, close: Float64Array): Float64Array {
  return runColumn('bop', [open, high, low, close], new BopStream())
}
