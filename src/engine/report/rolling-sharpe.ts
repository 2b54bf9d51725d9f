/**
 * The Sharpe ratio of the last `window` returns at each bar, as the whole run's is defined: mean excess ÷ sample
 * deviation × √periods. NaN until the window is full, and where the returns within it do not vary: a flat half
 * year has no Sharpe ratio, not one of 0. The sums move along and are taken afresh once a window, so that what
 * rounding leaves behind stays below what a chart shows. Cost: about three passes over the bars.
 */
export interface RollingSharpe {
  /** Returns in the window. */
  readonly window: number
  readonly values: Float64Array
}

const LEAST_WINDOW = 20
/** A return that leaves the window and outweighs what stays this much leaves its rounding behind as well. */
const OUTWEIGHS = 1e4
/** A variance this small against the mean square of the returns is rounding, not risk. */
const NO_VARIANCE = 1e-12

/** Half a year of bars, but never so few that the figure means nothing. */
export function sharpeWindow(periodsPerYear: number): number {
  return Math.max(LEAST_WINDOW, Math.round(periodsPerYear / 2))
}

export function rollingSharpe(equity: Float64Array, window: number, periodsPerYear: number, riskFree: number): RollingSharpe {
  const n = equity.length
  const values = new Float64Array(n).fill(Number.NaN)
  const returns = new Float64Array(n)
  for (let i = 1; i < n; i += 1) {
    const before = equity[i - 1]!
    returns[i] = before > 0 ? equity[i]! / before - 1 : 0
  }
  const root = Math.sqrt(periodsPerYear)
  const riskFreeBar = riskFree / periodsPerYear
  let sum = 0
  let squares = 0
  let changes = 0
  for (let i = 1; i < n; i += 1) {
    const added = returns[i]!
    sum += added
    squares += added * added
    if (i > 1 && added !== returns[i - 1]) changes += 1
    const gone = i - window
    let afresh = gone >= 0 && gone % window === 0
    if (gone >= 1) {
      const dropped = returns[gone]!
      sum -= dropped
      squares -= dropped * dropped
      if (returns[gone + 1] !== dropped) changes -= 1
      afresh ||= dropped * dropped > OUTWEIGHS * squares
    }
    if (gone < 0) continue
    if (afresh) {
      sum = 0
      squares = 0
      for (let k = gone + 1; k <= i; k += 1) {
        sum += returns[k]!
        squares += returns[k]! * returns[k]!
      }
    }
    const mean = sum / window
    const variance = (squares - sum * mean) / (window - 1)
    if (changes > 0 && variance > NO_VARIANCE * (squares / window)) values[i] = ((mean - riskFreeBar) / Math.sqrt(variance)) * root
  }
  return { window, values }
}
