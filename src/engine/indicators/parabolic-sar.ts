/**
 * Parabolic stop and reverse (TA-Lib's SAR), first value at bar 1. The first trend is down when the second bar's
 * low fell by more than its high rose, else up; the stop starts at the first bar's low (high), never enters the
 * range of the last two bars, and jumps to the extreme of the trend when it is touched.
 * NaN rule: a NaN ends the state; two bars in a row begin it anew.
 */
import { SweepmillError } from '../../base/errors.js'
import { checkSameLength, emptyColumn } from './period.js'

export function parabolicSar(high: Float64Array, low: Float64Array, acceleration: number, maximum: number): Float64Array {
  checkSameLength('parabolicSar', [high, low])
  if (!(acceleration >= 0) || !(maximum >= 0) || acceleration === Infinity || maximum === Infinity) {
    throw new SweepmillError('PARAM_INVALID', `ta.parabolicSar: acceleration ${acceleration} and maximum ${maximum} must be finite numbers of at least 0.`, { details: { acceleration, maximum } })
  }
  const first = Math.min(acceleration, maximum)
  const out = emptyColumn(high.length)
  let running = false
  let side = 1
  let stop = 0
  let extreme = 0
  let factor = first
  for (let i = 1; i < out.length; i++) {
    if (Number.isNaN(high[i]! + low[i]! + high[i - 1]! + low[i - 1]!)) { running = false; continue }
    const starts = !running
    if (starts) {
      const up = high[i]! - high[i - 1]!
      const down = low[i - 1]! - low[i]!
      side = down > 0 && up < down ? -1 : 1
      stop = side > 0 ? low[i - 1]! : high[i - 1]!
      extreme = side > 0 ? high[i]! : low[i]!
      factor = first
      running = true
    }
    // TA-Lib does not let the bar before the first one bound the stop.
    const before = starts ? i : i - 1
    const touched = side > 0 ? low[i]! <= stop : high[i]! >= stop
    if (touched) {
      side = -side
      stop = bounded(extreme, side, high, low, before, i)
      out[i] = stop
      factor = first
      extreme = side > 0 ? high[i]! : low[i]!
    } else {
      out[i] = stop
      const reached = side > 0 ? high[i]! : low[i]!
      if (side * reached > side * extreme) {
        extreme = reached
        factor = Math.min(factor + acceleration, maximum)
      }
    }
    stop = bounded(stop + factor * (extreme - stop), side, high, low, before, i)
  }
  return out
}

function bounded(stop: number, side: number, high: Float64Array, low: Float64Array, before: number, bar: number): number {
  return side > 0 ? Math.min(stop, low[before]!, low[bar]!) : Math.max(stop, high[before]!, high[bar]!)
}
