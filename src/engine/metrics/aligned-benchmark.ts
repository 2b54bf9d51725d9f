/**
 * The prices of a benchmark at the closes of a run's bars. At a bar's close the benchmark stands at the close of its last bar
 * that has closed by then; where it has no new one its price stays, a return of 0. Before its first bar and after its last
 * there is no price, and nothing is compared there.
 *
 * Bars of one length are laid side by side by their starts, those of a day or longer by their days (each market's own, so that
 * New York and London share a Monday); bars of other lengths by their ends, a median gap after the start.
 */
import { SweepmillError } from '../../base/errors.js'
import { dayRuleOf } from '../../base/bar-day.js'
import { DAY_MS, formatIsoTime } from '../calendar/iso-time.js'
import { medianGap } from './bar-calendar.js'

export interface AlignedBenchmark {
  /** One a bar; NaN outside of `from` to `to`. */
  readonly close: Float64Array
  /** The bars that are compared: from the first with a price to the one before `to`. */
  readonly from: number
  readonly to: number
  /** Bars between them on which the benchmark had no new bar. */
  readonly carried: number
}

interface Prices {
  readonly time: Float64Array
  readonly close: Float64Array
}

/** Gaps that differ by less are those of bars of one length: months. */
const SAME = 0.15

/** Throws DATA_EMPTY where fewer than two bars have a price. Cost: one walk over both. */
export function alignBenchmark(time: Float64Array, benchmark: Prices): AlignedBenchmark {
  const [gap, other] = [gapOf(time), gapOf(benchmark.time)]
  const same = gap === 0 || other === 0 || Math.abs(gap - other) <= SAME * Math.max(gap, other)
  const own = momentsOf(time, gap, same)
  const moments = momentsOf(benchmark.time, other, same)
  const close = new Float64Array(time.length).fill(NaN)
  let at = -1
  let from = -1
  let to = 0
  let stale = 0
  let carried = 0
  for (let i = 0; i < time.length; i++) {
    const before = at
    while (at + 1 < moments.length && moments[at + 1]! <= own[i]!) at++
    if (at < 0) continue
    close[i] = benchmark.close[at]!
    if (from < 0) from = i
    if (at === before) stale++
    else {
      carried += stale
      stale = 0
      to = i + 1
    }
  }
  // What came after its last bar is no price of it.
  close.fill(NaN, to)
  if (from < 0 || to - from < 2) {
    throw new SweepmillError('DATA_EMPTY', `The benchmark has ${to === 0 ? 'no price' : 'one price'} at the times of the bars, but two are needed to compare: ${spanOf('it runs', benchmark.time)}, ${spanOf('the bars', time)}. Choose another, or other dates.`)
  }
  return { close, from, to, carried }
}

function gapOf(time: Float64Array): number {
  const gap = medianGap(time)
  return Number.isFinite(gap) ? gap : 0
}

function momentsOf(time: Float64Array, gap: number, same: boolean): Float64Array {
  const length = same ? 0 : gap
  if (gap < DAY_MS) return time.map((start) => start + length)
  const { shiftMs } = dayRuleOf(time)
  return time.map((start) => Math.floor((start + shiftMs) / DAY_MS) * DAY_MS + length)
}

function spanOf(what: string, time: Float64Array): string {
  return time.length === 0 ? `${what} have none` : `${what} ${what === 'it runs' ? '' : 'run '}from ${formatIsoTime(time[0]!)} to ${formatIsoTime(time.at(-1)!)}`
}
