/**
 * Kaufman's adaptive moving average (TA-Lib's KAMA with 2 and 30): starts from the value before its first bar n,
 * then kama += c² (x - kama), c = efficiency × (2/3 - 2/31) + 2/31, efficiency = |change over n| ÷ sum of the n
 * absolute changes (1 when that is 0 or, as there, not above the signed change).
 * NaN rule: a NaN ends the state; n + 1 values in a row begin it anew.
 */
import { checkPeriod } from './period.js'
import { runColumn } from './stream.js'
import { Window } from './window.js'

const FAST = 2 / 3
const SLOW = 2 / 31

export class KamaStream {
  private readonly window: Window
  private running = false
  private value = 0

  constructor(n: number) {
    checkPeriod('kama', 'n', n, 2)
    this.window = new Window(n + 1)
  }

  next(x: number): number {
    const { window } = this
    if (!window.push(x)) {
      this.running = false
      return NaN
    }
    const { values, start } = window
    const end = start + window.n - 1
    if (!this.running) this.value = values[end - 1]!
    this.running = true
    let path = 0
    for (let k = start + 1; k <= end; k++) path += Math.abs(values[k]! - values[k - 1]!)
    const change = x - values[start]!
    const efficiency = path === 0 || path <= change ? 1 : Math.abs(change / path)
    const constant = efficiency * (FAST - SLOW) + SLOW
    return this.value += constant * constant * (x - this.value)
  }
}

export function kama(x: Float64Array, n: number): Float64Array {
  return runColumn('kama', [x], new KamaStream(n))
}
