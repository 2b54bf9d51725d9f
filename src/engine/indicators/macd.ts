/**
 * Moving average convergence divergence (TA-Lib's MACD): fast EMA minus slow EMA, both seeded by windows that
 * end on the same bar; the signal is the EMA of that, seeded with its first `signal` values. All three begin
 * together, at bar slow + signal - 2 (33 for 12 26 9). A fast period above the slow one is swapped, as there.
 * NaN rule: that of ema.ts, for each of the three averages.
 */
import { ema, emaFrom } from './ema.js'
import { checkPeriod, emptyColumn } from './period.js'

export interface Macd {
  readonly macd: Float64Array
  readonly signal: Float64Array
  readonly histogram: Float64Array
}

export function macd(x: Float64Array, fast: number, slow: number, signal: number): Macd {
  checkPeriod('macd', 'fast', fast, 2)
  checkPeriod('macd', 'slow', slow, 2)
  checkPeriod('macd', 'signal', signal)
  const short = Math.min(fast, slow)
  const long = Math.max(fast, slow)
  let first = 0
  while (first < x.length && x[first]! !== x[first]!) first++
  const fastLine = emaFrom(x, short, first + long - short)
  const slowLine = emaFrom(x, long, first)
  const line = emptyColumn(x.length)
  for (let i = 0; i < x.length; i++) line[i] = fastLine[i]! - slowLine[i]!
  const signalLine = ema(line, signal)
  const histogram = emptyColumn(x.length)
  for (let i = 0; i < x.length; i++) {
    histogram[i] = line[i]! - signalLine[i]!
    if (signalLine[i]! !== signalLine[i]!) line[i] = NaN
  }
  return { macd: line, signal: signalLine, histogram }
}
