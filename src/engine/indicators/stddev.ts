/**
 * Population standard deviation of the last n values (TA-Lib's STDDEV with one deviation); first at bar n - 1. The
 * root of variance.ts, and its NaN rule.
 */
import { checkPeriod } from './period.js'
import { variance, VarianceStream } from './variance.js'

export class StddevStream {
  private readonly variance: VarianceStream

  constructor(n: number, indicator = 'stddev') {
    this.variance = new VarianceStream(n, indicator)
  }

  next(x: number): number {
    return Math.sqrt(this.variance.next(x))
  }
}

export function stddev(x: Float64Array, n: number): Float64Array {
  checkPeriod('stddev', 'n', n)
  const out = variance(x, n)
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i]!)
  return out
}
