/**
 * Relative strength index, Wilder's (TA-Lib's RSI): averages of gains and losses seeded with the means of the
 * first n changes, then average = (average × (n - 1) + change) / n; 100 × gain / (gain + loss), 0 when flat.
 * First value at bar n. NaN rule: as for ema.ts, a NaN ends the state and n + 1 values in a row seed it anew.
 */
import { checkPeriod, emptyColumn, missing } from './period.js'

export function rsi(x: Float64Array, n: number): Float64Array {
  checkPeriod('rsi', 'n', n, 2)
  const out = emptyColumn(x.length)
  let changes = 0
  let gain = 0
  let loss = 0
  for (let i = 1; i < x.length; i++) {
    const change = x[i]! - x[i - 1]!
    if (missing(change)) { changes = 0; gain = 0; loss = 0; continue }
    const up = change > 0 ? change : 0
    const down = change < 0 ? -change : 0
    if (changes < n) {
      changes++
      gain += up
      loss += down
      if (changes < n) continue
      gain /= n
      loss /= n
    } else {
      gain = (gain * (n - 1) + up) / n
      loss = (loss * (n - 1) + down) / n
    }
    const sum = gain + loss
    out[i] = sum === 0 ? 0 : (100 * gain) / sum
  }
  return out
}

/** Wilder's averages of gains and losses, the base of RSI and CMO. */
export class WilderChanges {
  gain = 0
  loss = 0
  private readonly n: number
  private last = NaN
  private changes = 0

  constructor(n: number, indicator: string, parameter = 'n') {
    checkPeriod(indicator, parameter, n, 2)
    this.n = n
  }

  /** Takes the newest value; true when there are averages. */
  push(x: number): boolean {
    const { n } = this
    const change = x - this.last
    this.last = x
    if (missing(change)) {
      this.changes = 0
      this.gain = 0
      this.loss = 0
      return false
    }
    const up = change > 0 ? change : 0
    const down = change < 0 ? -change : 0
    if (this.changes === n) {
      this.gain = (this.gain * (n - 1) + up) / n
      this.loss = (this.loss * (n - 1) + down) / n
      return true
    }
    this.changes++
    this.gain += up
    this.loss += down
    if (this.changes < n) return false
    this.gain /= n
    this.loss /= n
    return true
  }
}

export class RsiStream {
  private readonly averages: WilderChanges

  constructor(n: number, indicator = 'rsi', parameter = 'n') {
    this.averages = new WilderChanges(n, indicator, parameter)
  }

  next(x: number): number {
    const { averages } = this
    if (!averages.push(x)) return NaN
    const sum = averages.gain + averages.loss
    return sum === 0 ? 0 : (100 * averages.gain) / sum
  }
}
