/**
 * Aroon (TA-Lib's AROON): 100 × (n - bars since the highest high, lowest low) ÷ n over n + 1 bars, the latest of
 * equal ones; both begin at bar n. NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod } from './period.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'
import { Window } from './window.js'

export class AroonStream {
  private readonly highs: Window
  private readonly lows: Window
  private readonly out = { up: NaN, down: NaN }

  constructor(n: number, indicator = 'aroon') {
    checkPeriod(indicator, 'n', n, 2)
    this.highs = new Window(n + 1)
    this.lows = new Window(n + 1)
  }

  next(high: number, low: number): Readonly<typeof this.out> {
    const { highs, lows, out } = this
    const whole = highs.push(high)
    out.up = out.down = NaN
    if (!lows.push(low) || !whole) return out
    const n = highs.n - 1
    const { start } = highs // the two windows move together
    let highest = 0
    let lowest = 0
    for (let k = 1; k <= n; k++) {
      if (highs.values[start + k]! >= highs.values[start + highest]!) highest = k
      if (lows.values[start + k]! <= lows.values[start + lowest]!) lowest = k
    }
    out.up = (100 * highest) / n
    out.down = (100 * lowest) / n
    return out
  }
}

export type Aroon = Columns<'up' | 'down'>

export function aroon(high: Float64Array, low: Float64Array, n: number): Aroon {
  return runColumns('aroon', [high, low], ['up', 'down'], new AroonStream(n))
}
