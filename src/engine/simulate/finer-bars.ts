/** Which finer bars lie in which bar: those that begin in it (F24). The last bar is as long as the one before. */
import type { BarColumns } from '../../market/layout.js'

export interface FinerBars {
  readonly bars: BarColumns
  /** For bar i: the finer bars from[i] to from[i + 1]. */
  readonly from: Int32Array
  /** Bars without a finer one. */
  readonly missing: number
}

export function alignFiner({ time, length }: BarColumns, finer: BarColumns): FinerBars {
  const from = new Int32Array(length + 1)
  let next = 0
  let missing = 0
  for (let i = 0; i <= length; i++) {
    const start = i < length ? time[i]! : 2 * time[length - 1]! - (time[length - 2] ?? -Infinity)
    while (next < finer.length && finer.time[next]! < start) next++
    from[i] = next
    if (i > 0 && from[i] === from[i - 1]) missing++
  }
  return { bars: finer, from, missing }
}
