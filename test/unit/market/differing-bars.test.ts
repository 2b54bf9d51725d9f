/** Which stored bars others of the same time would change: against the plain meaning, and what counts as a value. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { differingBars } from '../../../src/market/differing-bars.js'
import { mergeBars } from '../../../src/market/merge.js'
import type { BarColumns } from '../../../src/market/layout.js'

interface Value { readonly price: number; readonly volume: number }

function columns(bars: ReadonlyMap<number, Value>, adjusted = false): BarColumns {
  const times = [...bars.keys()].toSorted((a, b) => a - b)
  const column = (of: (value: Value) => number): Float64Array => Float64Array.from(times, (time) => of(bars.get(time)!))
  const price = column((value) => value.price)
  return { length: times.length, time: Float64Array.from(times), open: price, high: price, low: price, close: price, volume: column((value) => value.volume), ...(adjusted ? { adjclose: price } : {}) }
}

const value = fc.record({ price: fc.integer({ min: 1, max: 2 }), volume: fc.integer({ min: 0, max: 1 }) })
const someBars = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), value), { maxLength: 20 }).map((pairs) => new Map(pairs))

test('counts the bars that both have with other values, volume too, but for the free ones', () => {
  fc.assert(fc.property(someBars, someBars, fc.integer({ min: 0, max: 21 }), (stored, incoming, freeFrom) => {
    const left = columns(stored)
    const found = differingBars(left, columns(incoming), (i) => left.time[i]! >= freeFrom)
    const expected = [...stored].filter(([time, { price, volume }]) => {
      const other = incoming.get(time)
      return time < freeFrom && other !== undefined && (other.price !== price || other.volume !== volume)
    }).map(([time]) => time).toSorted((a, b) => a - b)
    expect(found.count).toBe(expected.length)
    expect(found.first?.time).toBe(expected[0])
    if (freeFrom === 21) expect(found.count).toBe(mergeBars(left, columns(incoming)).replaced)
  }))
})

test('bars without adjclose take it from all of a month, and that is a difference; the other way nothing changes', () => {
  const stored = new Map([[1, { price: 1, volume: 1 }], [2, { price: 1, volume: 1 }]])
  const later = new Map([[2, { price: 1, volume: 1 }], [3, { price: 1, volume: 1 }]])
  const all = (): boolean => false
  expect(differingBars(columns(stored, true), columns(later), all)).toMatchObject({ count: 2, first: { time: 1, incoming: null, stored: { adjclose: 1 } } })
  expect(differingBars(columns(stored, true), columns(later, true), all).count).toBe(0)
  expect(differingBars(columns(stored), columns(later, true), all).count).toBe(0)
  expect(mergeBars(columns(stored), columns(later, true))).toMatchObject({ added: 1, replaced: 0 })
})
