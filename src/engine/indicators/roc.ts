/**
 * Rate of change in percent: (x[i] / x[i - n] - 1) × 100, 0 where x[i - n] is 0 (TA-Lib's ROC). First value at
 * bar n. NaN rule: NaN where either of the two values is NaN; there is no state.
 */
import { checkPeriod, emptyColumn, missing } from './period.js'
import { Window } from './window.js'

export class RocStream {
  private readonly window: Window

  constructor(n: number) {
    checkPeriod('roc', 'n', n)
    this.window = new Window(n)
  }

  next(x: number): number {
    this.window.push(x)
    return rateOfChange(x, this.window.left)
  }
}

/** Of two values, in percent; NaN where one of them is missing. */
export function rateOfChange(x: number, before: number): number {
  if (missing(x) || missing(before)) return NaN
  return before === 0 ? 0 : (x / before - 1) * 100
}

export function roc(x: Float64Array, n: number): Float64Array {
  checkPeriod('roc', 'n', n)
  const out = emptyColumn(x.length)
  for (let i = n; i < x.length; i++) {
    out[i] = rateOfChange(x[i]!, x[i - n]!)
  }
  return out
}
