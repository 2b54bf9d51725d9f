/**
 * Bars of a longer timeframe out of shorter ones: aligned to UTC, and only those that are wholly covered. The first and the
 * last are left out when the series begins or ends inside them; gaps within are counted, because such a bar is what was
 * traded, not what is missing.
 */
import type { BarColumns } from './layout.js'
import type { Timeframe } from './timeframe.js'

export interface Resampled {
  readonly columns: BarColumns
  /** Bars that were made although some of their parts are missing. */
  readonly torn: number
  /** Bars left out because the series does not cover them wholly. */
  readonly uncovered: number
}

/** `coveredFromMs` (included) to `coveredToMs` (excluded) is what the whole series covers. Cost: linear. */
export function resampleBars(bars: BarColumns, stored: Timeframe, wanted: Timeframe, coveredFromMs: number, coveredToMs: number): Resampled {
  const from: number[] = []
  let torn = 0
  let uncovered = 0
  const starts: number[] = []
  for (let i = 0; i < bars.length;) {
    const start = wanted.startOf(bars.time[i]!)
    const end = wanted.next(start)
    let to = i + 1
    while (to < bars.length && bars.time[to]! < end) to += 1
    if (start < coveredFromMs || end > coveredToMs) {
      uncovered += 1
    } else {
      starts.push(start)
      from.push(i, to)
      if (to - i < 1 + stored.between(start, end)) torn += 1
    }
    i = to
  }
  return { columns: gather(bars, starts, from), torn, uncovered }
}

/** Open of the first, extremes, close (and adjclose) of the last, volume as a sum in order. */
function gather(bars: BarColumns, starts: readonly number[], bounds: readonly number[]): BarColumns {
  const length = starts.length
  const column = (): Float64Array => new Float64Array(length)
  const made = { length, time: Float64Array.from(starts), open: column(), high: column(), low: column(), close: column(), volume: column() }
  const adjclose = bars.adjclose === undefined ? undefined : column()
  for (let k = 0; k < length; k += 1) {
    const from = bounds[2 * k]!
    const to = bounds[2 * k + 1]!
    let high = bars.high[from]!
    let low = bars.low[from]!
    let volume = 0
    for (let i = from; i < to; i += 1) {
      high = Math.max(high, bars.high[i]!)
      low = Math.min(low, bars.low[i]!)
      volume += bars.volume[i]!
    }
    made.open[k] = bars.open[from]!
    made.high[k] = high
    made.low[k] = low
    made.close[k] = bars.close[to - 1]!
    made.volume[k] = volume
    if (adjclose !== undefined) adjclose[k] = bars.adjclose?.[to - 1] ?? Number.NaN
  }
  return { ...made, ...(adjclose === undefined ? {} : { adjclose }) }
}
