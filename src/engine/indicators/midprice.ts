/** Middle of the highest high and the lowest low of the last n bars (TA-Lib's MIDPRICE), and of one column (MIDPOINT). NaN rule of rolling-max.ts. */
import { DonchianStream } from './donchian.js'
import { runColumn } from './stream.js'

export class MidpriceStream {
  private readonly channel: DonchianStream

  constructor(n: number, indicator = 'midprice') {
    this.channel = new DonchianStream(n, indicator, 'n', 2)
  }

  next(high: number, low: number): number {
    return this.channel.next(high, low).middle
  }
}

export class MidpointStream {
  private readonly middle: MidpriceStream

  constructor(n: number) {
    this.middle = new MidpriceStream(n, 'midpoint')
  }

  next(x: number): number {
    return this.middle.next(x, x)
  }
}

export function midprice(high: Float64Array, low: Float64Array, n: number): Float64Array {
  return runColumn('midprice', [high, low], new MidpriceStream(n))
}

export function midpoint(x: Float64Array, n: number): Float64Array {
  return runColumn('midpoint', [x], new MidpointStream(n))
}
