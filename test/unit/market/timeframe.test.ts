/** Where bars begin, in UTC, and which timeframe a file is of. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { divides, nameOfStep, parseTimeframe } from '../../../src/market/timeframe.js'
import { StepCheck } from '../../../src/market/timeframe-fit.js'

const iso = (ms: number): string => new Date(ms).toISOString()
const at = (text: string): number => Date.parse(text)

test('names that mean the same are one', () => {
  expect(['60m', '24h', '7d', '90m', '120s', '1H', '1D', '1W', '1M', '5m'].map((text) => parseTimeframe(text).name)).toEqual(['1h', '1d', '1w', '90m', '2m', '1h', '1d', '1w', '1M', '5m'])
  for (const text of ['', 'h', '0m', '-1h', '1.5h', '1y', 'hourly', '1 h', '99999m']) expect(() => parseTimeframe(text)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }))
  expect([nameOfStep(90_000), nameOfStep(500), nameOfStep(86_400_000)]).toEqual(['90s', null, '1d'])
})

test('bars begin at multiples of their length, on Mondays and on the 1st', () => {
  expect(iso(parseTimeframe('4h').startOf(at('2024-02-29T23:59:59.999Z')))).toBe('2024-02-29T20:00:00.000Z')
  expect(iso(parseTimeframe('1w').startOf(at('2024-03-03T12:00:00Z')))).toBe('2024-02-26T00:00:00.000Z')
  expect(iso(parseTimeframe('1w').startOf(at('1969-12-31T12:00:00Z')))).toBe('1969-12-29T00:00:00.000Z')
  const quarter = parseTimeframe('3M')
  expect([iso(quarter.startOf(at('2024-03-31T12:00:00Z'))), iso(quarter.next(at('2023-10-01T00:00:00Z')))]).toEqual(['2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00.000Z'])
  expect([parseTimeframe('1M').between(at('2023-12-01T00:00:00Z'), at('2024-03-01T00:00:00Z')), parseTimeframe('1h').between(0, 3 * 3_600_000), parseTimeframe('1h').between(0, 3_600_000)]).toEqual([2, 2, 0])
})

test('every time lies in the bar that holds it', () => {
  fc.assert(fc.property(fc.constantFrom('30s', '1m', '7m', '4h', '1d', '3d', '1w', '2w', '1M', '3M'), fc.integer({ min: -1e12, max: 4e12 }), (text, ms) => {
    const timeframe = parseTimeframe(text)
    const start = timeframe.startOf(ms)
    expect(start <= ms && ms < timeframe.next(start)).toBe(true)
    expect(timeframe.startOf(start)).toBe(start)
    expect(timeframe.startOf(timeframe.next(start))).toBe(timeframe.next(start))
    expect(timeframe.next(start) - start).toBeGreaterThanOrEqual(timeframe.stepMs)
  }))
})

test('which timeframes are made of which', () => {
  const made = (stored: string, wanted: string): boolean => divides(parseTimeframe(stored), parseTimeframe(wanted))
  expect([made('1m', '1h'), made('1h', '1d'), made('1d', '1w'), made('1d', '1M'), made('4h', '1M'), made('1M', '3M'), made('1w', '2w')]).toEqual(Array(7).fill(true))
  expect([made('1h', '1h'), made('1h', '1m'), made('7m', '1h'), made('1w', '1M'), made('1M', '1w'), made('2M', '3M'), made('3d', '1w'), made('5h', '1d')]).toEqual(Array(8).fill(false))
})

const times = (start: string, stepMs: number, count: number, without: readonly number[] = []): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => at(start) + i * stepMs).filter((_, i) => !without.includes(i))
const fits = (time: Float64Array, timeframe: string): string => {
  try {
    const check = new StepCheck(parseTimeframe(timeframe))
    // In parts, as a file is read.
    for (let from = 0; from < time.length; from += 7) check.add(time.subarray(from, from + 7))
    check.refuse('x.csv')
    return 'fits'
  } catch (error) {
    return (error as Error).message
  }
}
const MINUTE = 60_000
const DAY = 86_400_000

test('a file of another step is refused by name', () => {
  expect(fits(times('2024-01-01', MINUTE, 100), '1h')).toMatch(/not of the timeframe 1h: most of its bars are 1m apart.*--timeframe 1m/)
  expect(fits(times('2024-01-01', 15 * MINUTE, 100), '1h')).toMatch(/15m apart/)
  expect(fits(times('2024-01-01', 30 * MINUTE, 3), '1h')).toMatch(/30m apart/)
  expect(fits(times('2024-01-01', 60 * MINUTE, 100), '1m')).toMatch(/1h apart/)
  expect(fits(times('2024-01-01', 90 * MINUTE, 4), '1h')).toMatch(/90m apart/)
  expect(fits(times('2024-01-01', DAY, 100), '1M')).toMatch(/1d apart/)
  expect(fits(times('2024-01-01', 7 * DAY, 100), '1d')).toMatch(/1w apart/)
})

test('gaps, weekends, one short day and a single bar fit', () => {
  expect(fits(times('2024-01-01', MINUTE, 100, [3, 4, 5, 50]), '1m')).toBe('fits')
  expect(fits(times('2024-01-01', DAY, 30, [5, 6, 12, 13, 19, 20]), '1d')).toBe('fits')
  expect(fits(Float64Array.of(at('2024-01-05'), at('2024-01-08')), '1d')).toBe('fits')
  expect(fits(Float64Array.of(at('2024-01-05')), '1w')).toBe('fits')
  expect(fits(Float64Array.from({ length: 20 }, (_, i) => Date.UTC(2023, i, 1)), '1M')).toBe('fits')
  expect(fits(Float64Array.from({ length: 20 }, (_, i) => at('2024-03-20T05:00:00Z') + i * DAY - (i > 10 ? 3_600_000 : 0)), '1d')).toBe('fits')
})
