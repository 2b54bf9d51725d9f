/**
 * Pearson's correlation of two columns over the last n bars (TA-Lib's CORREL), 0 where one of them did not move;
 * first value at bar n - 1. Deviations from each window's own means are summed, oldest first, so the cost grows with
 * n and nothing cancels. NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod } from './period.js'
import { runColumn } from './stream.js'
import { Window } from './window.js'

export class RollingCorrelationStream {
  private readonly first: Window
  private readonly second: Window

  constructor(n: number) {
    checkPeriod('rollingCorrelation', 'n', n, 2)
    this.first = new Window(n)
    this.second = new Window(n)
  }

  next(x: number, y: number): number {
    const { first, second } = this
    const whole = first.push(x)
    if (!second.push(y) || !whole) return NaN
    const { n, start, values: xs } = first
    const ys = second.values
    // Relative to the oldest, so that equal values have deviations of exactly 0.
    const x0 = xs[start]!
    const y0 = ys[start]!
    let xSum = 0
    let ySum = 0
    for (let k = start; k < start + n; k++) {
      xSum += xs[k]! - x0
      ySum += ys[k]! - y0
    }
    let xx = 0
    let yy = 0
    let xy = 0
    for (let k = start; k < start + n; k++) {
      const dx = xs[k]! - x0 - xSum / n
      const dy = ys[k]! - y0 - ySum / n
      xx += dx * dx
      yy += dy * dy
      xy += dx * dy
    }
    const spread = Math.sqrt(xx) * Math.sqrt(yy)
    return spread === 0 ? 0 : xy / spread
  }
}

export function rollingCorrelation(x: Float64Array, y: Float64Array, n: number): Float64Array {
  return runColumn('rollingCorrelation', [x, y], new RollingCorrelationStream(n))
}
