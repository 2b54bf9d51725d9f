/** Triple EMA (TA-Lib's TEMA): 3 × EMA - 3 × EMA² + EMA³; first value at bar 3 (n - 1). NaN rule of ema.ts. */
import { ema, EmaStream } from './ema.js'
import { checkPeriod } from './period.js'

export function tema(x: Float64Array, n: number): Float64Array {
  checkPeriod('tema', 'n', n)
  const first = ema(x, n)
  const second = ema(first, n)
  const third = ema(second, n)
  return third.map((value, i) => 3 * first[i]! - 3 * second[i]! + value)
}

export class TemaStream {
  private readonly first: EmaStream
  private readonly second: EmaStream
  private readonly third: EmaStream

  constructor(n: number) {
    this.first = new EmaStream(n, 'tema')
    this.second = new EmaStream(n, 'tema')
    this.third = new EmaStream(n, 'tema')
  }

  next(x: number): number {
    const first = this.first.next(x)
    const second = this.second.next(first)
    return 3 * first - 3 * second + this.third.next(second)
  }
}
