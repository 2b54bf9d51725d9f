/**
 * Momentum: x[i] - x[i - n] (TA-Lib's MOM). First value at bar n. NaN where either of the two values is NaN;
 * there is no state.
 */
import { checkPeriod, emptyColumn, finite } from './period.js'
import { Window } from './window.js'

export class MomentumStream {
  private readonly window: Window

  constructor(n: number) {
    checkPeriod('momentum', 'n', n)
    this.window = new Window(n)
  }

  next(x: number): number {
    this.window.push(x)
    return finite(x - this.window.left)
  }
}

export function momentum(x: Float64Array, n: number): Float64Array {
  checkPeriod('momentum', 'n', n)
  const out = emptyColumn(x.length)
  for (let i = n; i < x.length; i++) out[i] = finite(x[i]! - x[i - n]!)
  return out
}
