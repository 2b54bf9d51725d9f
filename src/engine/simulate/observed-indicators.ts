/**
 * The indicators, with a note of how long they took to warm up: the longest run of leading NaN in anything they
 * returned. backtesting.py starts buy-and-hold there, so parity needs it. An indicator that never has a value does
 * not count, nor one that a strategy computes without `ta`.
 */
import type { Indicators } from '../indicators/indicators.js'

export interface ObservedIndicators {
  readonly ta: Indicators
  /** First bar on which every indicator so far had a value. */
  warmUp(): number
}

export function observeIndicators(ta: Indicators): ObservedIndicators {
  let longest = 0
  const note = (result: unknown): void => {
    const columns = result instanceof Float64Array ? [result] : result instanceof Uint8Array ? [] : Object.values(result ?? {})
    for (const column of columns) {
      if (!(column instanceof Float64Array)) continue
      let first = 0
      while (first < column.length && Number.isNaN(column[first])) first++
      if (first < column.length) longest = Math.max(longest, first)
    }
  }
  const observed = Object.fromEntries(Object.entries(ta).map(([name, indicator]) => [name, (...inputs: never[]): unknown => {
    const result = (indicator as (...inputs: never[]) => unknown)(...inputs)
    note(result)
    return result
  }]))
  return { ta: observed as unknown as Indicators, warmUp: () => longest }
}
