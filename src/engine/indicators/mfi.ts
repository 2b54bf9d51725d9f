/**
 * Money flow index (TA-Lib's MFI): 100 × positive ÷ all money flow (typical price × volume) of the last n changes
 * of the typical price; 0 without any. TA-Lib gives 0 below a flow of 1 too, in whatever unit: here the unit does not
 * matter. First value at bar n. Each window is summed oldest first, so the cost grows with n and nothing drifts.
 * NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod, missing } from './period.js'
import { isRounding } from './rounding.js'
import { runColumn } from './stream.js'
import { Window } from './window.js'

export class MfiStream {
  /** The flow of each bar, and where the typical price rose or fell: 1, -1 or 0. */
  private readonly flows: Window
  private readonly signs: Window
  private last = NaN

  constructor(n: number) {
    checkPeriod('mfi', 'n', n, 2)
    this.flows = new Window(n)
    this.signs = new Window(n)
  }

  next(high: number, low: number, close: number, volume: number): number {
    const typical = (high + low + close) / 3
    const { last, flows, signs } = this
    this.last = typical
    const change = typical - last
    const sign = missing(change) ? NaN : isRounding(change, typical) ? 0 : Math.sign(change)
    const flowing = flows.push(typical * volume)
    if (!signs.push(sign) || !flowing) return NaN
    let positive = 0
    let negative = 0
    for (let k = 0; k < flows.n; k++) {
      const flow = flows.values[flows.start + k]!
      const direction = signs.values[signs.start + k]!
      if (direction > 0) positive += flow
      else if (direction < 0) negative += flow
    }
    return positive + negative === 0 ? 0 : (100 * positive) / (positive + negative)
  }
}

export function mfi(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array, n: number): Float64Array {
  return runColumn('mfi', [high, low, close, volume], new MfiStream(n))
}
