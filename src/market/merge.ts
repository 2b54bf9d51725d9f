/**
 * Bars of one series put together, and taken apart again. Columns are strictly ascending in time, as everything in the
 * store is; a bar is the same bar when its time is, and equal when all its values are.
 */
import { sameValues } from './differing-bars.js'
import { COLUMN_NAMES } from './layout.js'
import type { BarColumns, ColumnName } from './layout.js'

export interface Merged {
  readonly columns: BarColumns
  /** Bars that were not there. */
  readonly added: number
  /** Bars that were there with other values; the newer ones stand now. */
  readonly replaced: number
}

/** Where both have a bar, `newer` wins. A column that only one of them has is dropped. Cost: linear. */
export function mergeBars(older: BarColumns | null, newer: BarColumns): Merged {
  if (older === null || older.length === 0) return { columns: newer, added: newer.length, replaced: 0 }
  const loses = older.adjclose !== undefined && newer.adjclose === undefined
  let replaced = 0
  const from: [BarColumns, number][] = []
  for (let i = 0, k = 0; i < older.length || k < newer.length;) {
    const left = older.time[i] ?? Number.POSITIVE_INFINITY
    const right = newer.time[k] ?? Number.POSITIVE_INFINITY
    if (left < right) {
      from.push([older, i])
      i += 1
      continue
    }
    if (left === right) {
      if (loses || !sameValues(older, i, newer, k)) replaced += 1
      i += 1
    }
    from.push([newer, k])
    k += 1
  }
  return { columns: gather(from, commonColumns(older, newer)), added: from.length - older.length, replaced }
}

/**
 * `current` without what the change from `before` to `after` brought: bars that still are as `after` has them go, or become
 * what they were before; what others changed since then stays. Null when nothing is left.
 */
export function takeBack(current: BarColumns, before: BarColumns | null, after: BarColumns): BarColumns | null {
  const from: [BarColumns, number][] = []
  let inBefore = 0
  let inAfter = 0
  for (let i = 0; i < current.length; i += 1) {
    const time = current.time[i] ?? 0
    while (inAfter < after.length && (after.time[inAfter] ?? 0) < time) inAfter += 1
    const ours = after.time[inAfter] === time && equalBars(after, inAfter, current, i)
    if (!ours) {
      from.push([current, i])
      continue
    }
    if (before === null) continue
    while (inBefore < before.length && (before.time[inBefore] ?? 0) < time) inBefore += 1
    if (before.time[inBefore] === time) from.push([before, inBefore])
  }
  return from.length === 0 ? null : gather(from, commonColumns(current, before ?? current))
}

/** Bars from `fromMs` (inclusive) to `toMs` (exclusive), as views. */
export function sliceBars(bars: BarColumns, fromMs: number, toMs: number): BarColumns {
  const from = firstAtOrAfter(bars.time, fromMs)
  const to = firstAtOrAfter(bars.time, toMs)
  const columns: Partial<Record<ColumnName, Float64Array>> = {}
  for (const name of COLUMN_NAMES) {
    const column = bars[name]
    if (column !== undefined) columns[name] = column.subarray(from, to)
  }
  return { ...(columns as Required<typeof columns>), length: Math.max(0, to - from) }
}

/** Index of the first time that is not earlier; the length when all are. */
export function firstAtOrAfter(time: Float64Array, ms: number): number {
  let low = 0
  let high = time.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((time[middle] ?? 0) < ms) low = middle + 1
    else high = middle
  }
  return low
}

function equalBars(a: BarColumns, i: number, b: BarColumns, k: number): boolean {
  return COLUMN_NAMES.every((name) => Object.is(a[name]?.[i], b[name]?.[k]))
}

function commonColumns(a: BarColumns, b: BarColumns): ColumnName[] {
  return COLUMN_NAMES.filter((name) => a[name] !== undefined && b[name] !== undefined)
}

function gather(from: readonly (readonly [BarColumns, number])[], names: readonly ColumnName[]): BarColumns {
  const columns: Partial<Record<ColumnName, Float64Array>> = {}
  for (const name of names) {
    const column = new Float64Array(from.length)
    from.forEach(([bars, i], at) => { column[at] = bars[name]?.[i] ?? Number.NaN })
    columns[name] = column
  }
  return { ...(columns as Required<typeof columns>), length: from.length }
}
