/** The times of several series put together: which bar of each series stands at each time, if any. */
import type { BarColumns } from '../../market/layout.js'

export interface Timeline {
  readonly length: number
  /** Ascending, every time that at least one series has a bar for. */
  readonly time: Float64Array
  /** For each series: the number of its bar at each time, or -1. */
  readonly bars: readonly Int32Array[]
}

export function mergeTimes(series: readonly BarColumns[]): Timeline {
  const most = series.reduce((sum, { length }) => sum + length, 0)
  const time = new Float64Array(most)
  const bars = series.map(() => new Int32Array(most).fill(-1))
  const next = series.map(() => 0)
  let length = 0
  for (;;) {
    let now = Infinity
    for (let s = 0; s < series.length; s++) {
      const at = series[s]!.time[next[s]!]
      if (at !== undefined && at < now) now = at
    }
    if (now === Infinity) break
    time[length] = now
    for (let s = 0; s < series.length; s++) {
      if (series[s]!.time[next[s]!] !== now) continue
      bars[s]![length] = next[s]!
      next[s] = next[s]! + 1
    }
    length++
  }
  return { length, time: time.subarray(0, length), bars: bars.map((column) => column.subarray(0, length)) }
}

/** The bars of each series at the times that all of them have: copies, or the series as they are where nothing is left out. */
export function commonBars(series: readonly BarColumns[]): readonly BarColumns[] {
  const { bars, length } = mergeTimes(series)
  const shared: number[] = []
  for (let t = 0; t < length; t++) if (bars.every((column) => column[t]! >= 0)) shared.push(t)
  return series.map((one, s) => {
    if (one.length === shared.length) return one
    const take = (column: Float64Array): Float64Array => Float64Array.from(shared, (t) => column[bars[s]![t]!]!)
    return { length: shared.length, time: take(one.time), open: take(one.open), high: take(one.high), low: take(one.low), close: take(one.close), volume: take(one.volume) }
  })
}
