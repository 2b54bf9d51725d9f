/** Longer bars out of shorter ones, against the plain meaning: the bars of each bucket, taken together. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BarColumns } from '../../../src/market/layout.js'
import { resampleBars } from '../../../src/market/resample.js'
import { parseTimeframe } from '../../../src/market/timeframe.js'

const MINUTE = 60_000
const START = Date.UTC(2024, 0, 1)

function minutes(numbers: readonly number[]): BarColumns {
  const column = (of: (i: number) => number): Float64Array => Float64Array.from(numbers, of)
  return {
    length: numbers.length, time: column((i) => START + i * MINUTE), open: column((i) => 100 + (i % 7)), high: column((i) => 110 + (i % 5)),
    low: column((i) => 90 - (i % 3)), close: column((i) => 100 + (i % 11)), volume: column((i) => i % 4), adjclose: column((i) => 50 + (i % 11)),
  }
}

const bars = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const resample = (numbers: readonly number[], from = numbers[0] ?? 0, to = (numbers.at(-1) ?? 0) + 1): ReturnType<typeof resampleBars> =>
  resampleBars(minutes(numbers), parseTimeframe('1m'), parseTimeframe('5m'), START + from * MINUTE, START + to * MINUTE)
const at = (time: Float64Array): number[] => [...time].map((ms) => (ms - START) / MINUTE)

test('only bars that are wholly covered, at both ends', () => {
  const { columns, torn, uncovered } = resample(bars(3, 23))
  expect(at(columns.time)).toEqual([5, 10, 15])
  expect([torn, uncovered]).toEqual([0, 2])
  expect(at(resample(bars(0, 10)).columns.time)).toEqual([0, 5])
  expect(resample(bars(1, 5)).columns.length).toBe(0)
})

test('a gap at an edge of a bar that the series covers tears it, and does not drop it', () => {
  const { columns, torn, uncovered } = resample(bars(5, 9), 0, 20)
  expect([at(columns.time), torn, uncovered]).toEqual([[5], 1, 0])
})

test('each bar is what its minutes say together', () => {
  const chosen = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 150 }).map((numbers) => numbers.toSorted((a, b) => a - b))
  fc.assert(fc.property(chosen, (numbers) => {
    const { columns, torn } = resample(numbers, 0, 205)
    const all = minutes(numbers)
    const buckets = new Map<number, number[]>()
    numbers.forEach((number, i) => { buckets.set(Math.floor(number / 5) * 5, [...buckets.get(Math.floor(number / 5) * 5) ?? [], i]) })
    expect(at(columns.time)).toEqual([...buckets.keys()])
    expect(torn).toBe([...buckets.values()].filter((one) => one.length < 5).length)
    ;[...buckets.values()].forEach((inside, k) => {
      const of = (name: 'open' | 'high' | 'low' | 'close' | 'volume'): number[] => inside.map((i) => all[name][i] ?? Number.NaN)
      expect([columns.open[k], columns.high[k], columns.low[k], columns.close[k], columns.volume[k], columns.adjclose?.[k]]).toEqual([
        of('open')[0], Math.max(...of('high')), Math.min(...of('low')), of('close').at(-1), of('volume').reduce((sum, one) => sum + one, 0), all.adjclose?.[inside.at(-1) ?? 0],
      ])
    })
  }))
})
