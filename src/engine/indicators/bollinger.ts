/**
 * Bollinger bands: the SMA and k population standard deviations above and below it (TA-Lib's BBANDS with its
 * simple average). All three begin at bar n - 1 and follow the NaN rule of sma.ts.
 */
import { checkFactor, checkPeriod } from './period.js'
import { sma, SmaStream } from './sma.js'
import { stddev, StddevStream } from './stddev.js'

export interface BollingerBands {
  readonly upper: Float64Array
  readonly middle: Float64Array
  readonly lower: Float64Array
}

export function bollinger(x: Float64Array, n: number, k: number): BollingerBands {
  checkPeriod('bollinger', 'n', n)
  checkFactor('bollinger', 'k', k)
  const middle = sma(x, n)
  const deviation = stddev(x, n)
  const upper = new Float64Array(x.length)
  const lower = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) {
    upper[i] = middle[i]! + k * deviation[i]!
    lower[i] = middle[i]! - k * deviation[i]!
  }
  return { upper, middle, lower }
}

export class BollingerStream {
  private readonly k: number
  private readonly mean: SmaStream
  private readonly deviation: StddevStream
  private readonly out = { upper: NaN, middle: NaN, lower: NaN }

  constructor(n: number, k: number) {
    checkFactor('bollinger', 'k', k)
    this.k = k
    this.mean = new SmaStream(n, 'bollinger')
    this.deviation = new StddevStream(n, 'bollinger')
  }

  next(x: number): Readonly<typeof this.out> {
    const { out, k } = this
    const width = k * this.deviation.next(x)
    out.middle = this.mean.next(x)
    out.upper = out.middle + width
    out.lower = out.middle - width
    return out
  }
}
