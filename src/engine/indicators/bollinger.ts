/**
 * Bollinger bands: the SMA and k population standard deviations above and below it (TA-Lib's BBANDS with its
 * simple average). All three begin at bar n - 1 and follow the NaN rule of sma.ts.
 */
import { SweepmillError } from '../../base/errors.js'
import { sma } from './sma.js'
import { stddev } from './stddev.js'

export interface BollingerBands {
  readonly upper: Float64Array
  readonly middle: Float64Array
  readonly lower: Float64Array
}

export function bollinger(x: Float64Array, n: number, k: number): BollingerBands {
  if (!Number.isFinite(k)) {
    throw new SweepmillError('PARAM_INVALID', `ta.bollinger: k is ${String(k)}, but must be a finite number.`, { details: { parameter: 'k' } })
  }
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
