/** Which gaps are filled, and with what. */
import { expect, test } from 'vitest'
import type { BarColumns } from '../../../src/market/layout.js'
import { sliceBars } from '../../../src/market/merge.js'
import { fillGaps } from '../../../src/market/repair.js'
import { parseTimeframe } from '../../../src/market/timeframe.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Monday. */
const START = Date.UTC(2024, 0, 1)

function bars(times: readonly number[]): BarColumns {
  const column = (plus: number): Float64Array => Float64Array.from(times, (_, i) => 100 + i + plus)
  return { length: times.length, time: Float64Array.from(times), open: column(0), high: column(2), low: column(-1), close: column(1), volume: column(5) }
}

const hours = (...numbers: number[]): number[] => numbers.map((number) => START + number * HOUR)
const filledAt = (times: readonly number[], timeframe: string, sessions = false): string[] =>
  [...fillGaps(bars(times), parseTimeframe(timeframe), sessions, null).columns.time].map((ms) => new Date(ms).toISOString().slice(0, 13))

test('flat at the close before, volume 0, and the range is told', () => {
  const { columns, ranges, last } = fillGaps(bars(hours(0, 1, 4, 6)), parseTimeframe('1h'), false, null)
  expect([...columns.time]).toEqual(hours(2, 3, 5))
  for (const name of ['open', 'high', 'low', 'close'] as const) expect([...columns[name]]).toEqual([102, 102, 103])
  expect([...columns.volume]).toEqual([0, 0, 0])
  expect(ranges).toEqual([{ from: START + 2 * HOUR, to: START + 3 * HOUR }, { from: START + 5 * HOUR, to: START + 5 * HOUR }])
  expect(last).toEqual({ time: START + 6 * HOUR, close: 104 })
})

test('a gap between two batches is filled by the second', () => {
  const all = bars(hours(0, 1, 4, 6))
  const first = fillGaps(sliceBars(all, START, START + 2 * HOUR), parseTimeframe('1h'), false, null)
  const second = fillGaps(sliceBars(all, START + 2 * HOUR, Infinity), parseTimeframe('1h'), false, JSON.parse(JSON.stringify(first.last)) as typeof first.last)
  expect([first.columns.length, ...second.columns.close]).toEqual([0, 102, 102, 103])
})

test('a long gap is left: more than 1440 bars, or more than 31 days', () => {
  expect(filledAt([START, START + 1441 * 60_000], '1m')).toHaveLength(1440)
  expect(filledAt([START, START + 1442 * 60_000], '1m')).toEqual([])
  expect(filledAt([START, START + 31 * DAY], '1d')).toHaveLength(30)
  expect(filledAt([START, START + 32 * DAY], '1d')).toEqual([])
  expect(filledAt([Date.UTC(2024, 0, 1), Date.UTC(2024, 2, 1)], '1M')).toEqual([])
})

test('a market that rests keeps its nights, weekends and holidays', () => {
  expect(filledAt(hours(14, 16, 38), '1h', true)).toEqual(['2024-01-01T15'])
  expect(filledAt([START, START + 2 * DAY], '1d', true)).toEqual([])
  expect(filledAt([START, START + 3 * DAY], '1d', false)).toHaveLength(2)
})
