/**
 * Moving average convergence divergence (TA-Lib's MACD): fast EMA minus slow EMA, both seeded by windows that
 * end on the same bar; the signal is the EMA of that, seeded with its first `signal` values. All three begin
 * together, at bar slow + signal - 2 (33 for 12 26 9). A fast period above the slow one is swapped, as there.
 * NaN rule: that of ema.ts, for each of the three averages.
 */
import { ema, emaFrom, EmaStream } from './ema.js'
import { EmaPair } from './ema-pair.js'
import { checkPeriod, emptyColumn, missing } from './period.js'

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
  while (first < x.length && missing(x[first]!)) first++
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

export class MacdStream {
  private readonly pair: EmaPair
  private readonly signal: EmaStream
  private readonly out = { macd: NaN, signal: NaN, histogram: NaN }

  constructor(fast: number, slow: number, signal: number) {
    this.pair = new EmaPair(fast, slow)
    this.signal = new EmaStream(signal, 'macd', 'signal')
  }

  next(x: number): Readonly<typeof this.out> {
    const { pair, out } = this
    pair.push(x)
    const line = pair.short - pair.long
    out.signal = this.signal.next(line)
    out.histogram = line - out.signal
    out.macd = missing(out.signal) ? NaN : line
    return out
  }
}
