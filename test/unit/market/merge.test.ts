/** Putting bars together and taking them apart again, against the plain meaning of both: a map from time to bar. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstAtOrAfter, mergeBars, sliceBars, takeBack } from '../../../src/market/merge.js'
import type { BarColumns } from '../../../src/market/layout.js'

type Plain = ReadonlyMap<number, number>

function columns(bars: Plain): BarColumns {
  const times = [...bars.keys()].toSorted((a, b) => a - b)
  const column = (offset: number): Float64Array => Float64Array.from(times, (time) => (bars.get(time) ?? 0) + offset)
  return { length: times.length, time: Float64Array.from(times), open: column(0), high: column(1), low: column(-1), close: column(0), volume: column(5) }
}

function plain(bars: BarColumns | null): [number, number][] {
  return bars === null ? [] : Array.from({ length: bars.length }, (_, i) => [bars.time[i] ?? Number.NaN, bars.close[i] ?? Number.NaN])
}

const sorted = (bars: Plain): [number, number][] => [...bars].toSorted(([a], [b]) => a - b)
const someBars = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 3 })), { maxLength: 25 }).map((pairs) => new Map(pairs))

test('the newer bar stands, and both counts are right', () => {
  fc.assert(fc.property(someBars, someBars, (older, newer) => {
    const merged = mergeBars(older.size === 0 ? null : columns(older), columns(newer))
    expect(plain(merged.columns)).toEqual(sorted(new Map([...older, ...newer])))
    expect(merged.added).toBe([...newer.keys()].filter((time) => !older.has(time)).length)
    expect(merged.replaced).toBe([...newer].filter(([time, value]) => older.has(time) && older.get(time) !== value).length)
    expect(merged.columns.volume[0]).toBe(merged.columns.length === 0 ? undefined : (merged.columns.close[0] ?? 0) + 5)
  }))
})

test('what a change brought is taken back, and what others did since stays', () => {
  fc.assert(fc.property(someBars, someBars, someBars, (before, ours, others) => {
    const after = new Map([...before, ...ours])
    const current = new Map([...after, ...others])
    const expected = new Map([...current].flatMap(([time, value]): [number, number][] => {
      if (after.get(time) !== value) return [[time, value]]
      const was = before.get(time)
      return was === undefined ? [] : [[time, was]]
    }))
    expect(plain(takeBack(columns(current), before.size === 0 ? null : columns(before), columns(after)))).toEqual(sorted(expected))
  }))
})

test('a slice is half open and shares its memory', () => {
  const bars = columns(new Map([[10, 1], [20, 2], [30, 3]]))
  expect([5, 10, 11, 30, 31].map((ms) => firstAtOrAfter(bars.time, ms))).toEqual([0, 0, 1, 2, 3])
  const slice = sliceBars(bars, 10, 30)
  expect(plain(slice)).toEqual([[10, 1], [20, 2]])
  expect(slice.close.buffer).toBe(bars.close.buffer)
  expect(sliceBars(bars, 40, 50).length).toBe(0)
})
