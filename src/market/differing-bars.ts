/**
 * Bars of a series that others of the same time would change: how many, and the first of them. A bar differs when any value
 * does, volume too. A stored bar also differs where it would lose its `adjclose`, because the bars that come have none.
 */
import { COLUMN_NAMES } from './layout.js'
import type { BarColumns } from './layout.js'

/** A bar by the names of its columns, without its time. */
export type BarValues = Readonly<Record<string, number>>

export interface DifferingBar {
  readonly time: number
  readonly stored: BarValues
  /** Null: it has no bar of this time, and only takes a column away. */
  readonly incoming: BarValues | null
}

export interface DifferingBars {
  readonly count: number
  readonly first: DifferingBar | null
}

/** Both ascend in time. `isFree`: the stored bar at this index may be changed by anybody. Cost: linear. */
export function differingBars(stored: BarColumns, incoming: BarColumns, isFree: (i: number) => boolean): DifferingBars {
  const loses = stored.adjclose !== undefined && incoming.adjclose === undefined && incoming.length > 0
  let count = 0
  let first: DifferingBar | null = null
  for (let i = 0, k = 0; i < stored.length; i += 1) {
    const time = stored.time[i]!
    while (k < incoming.length && incoming.time[k]! < time) k += 1
    const meets = k < incoming.length && incoming.time[k] === time
    if (!(meets ? loses || !sameValues(stored, i, incoming, k) : loses) || isFree(i)) continue
    count += 1
    first ??= { time, stored: valuesAt(stored, i), incoming: meets ? valuesAt(incoming, k) : null }
  }
  return { count, first }
}

/** In the columns that both have. */
export function sameValues(a: BarColumns, i: number, b: BarColumns, k: number): boolean {
  return COLUMN_NAMES.every((name) => a[name] === undefined || b[name] === undefined || Object.is(a[name][i], b[name][k]))
}

function valuesAt(bars: BarColumns, i: number): BarValues {
  return Object.fromEntries(COLUMN_NAMES.flatMap((name) => (name === 'time' || bars[name] === undefined ? [] : [[name, bars[name][i] ?? Number.NaN]])))
}
