/** Double EMA (TA-Lib's DEMA): 2 × EMA - EMA of the EMA; first value at bar 2 (n - 1). NaN rule of ema.ts. */
import { ema, EmaStream } from './ema.js'
import { checkPeriod } from './period.js'

export function dema(x: Float64Array, n: number): Float64Array {
  checkPeriod('dema', 'n', n)
  const first = ema(x, n)
  const second = ema(first, n)
  return second.map((value, i) => 2 * first[i]! - value)
}

export class DemaStream {
  private readonly first: EmaStream
  private readonly second: EmaStream

  constructor(n: number) {
    this.first = new EmaStream(n, 'dema')
    this.second = new EmaStream(n, 'dema')
  }

  next(x: number): number {
    const first = this.first.next(x)
    return 2 * first - this.second.next(first)
  }
}
