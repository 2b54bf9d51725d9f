/** What is wrong with bars is found, counted and listed, in one batch or in many. */
import { expect, test } from 'vitest'
import type { BarColumns } from '../../../src/market/layout.js'
import { sliceBars } from '../../../src/market/merge.js'
import { beginScan, endScan, scanBars } from '../../../src/market/quality.js'
import type { FilledRange, QualityReport } from '../../../src/market/quality.js'
import { parseTimeframe } from '../../../src/market/timeframe.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2024, 0, 1)

interface Bar { time: number; open: number; high: number; low: number; close: number; volume: number }

/** Calm bars: a price that goes 0.1 % up and down. */
function calm(count: number, stepMs = HOUR, from = START): Bar[] {
  return Array.from({ length: count }, (_, i) => {
    const close = i % 2 === 0 ? 100 : 100.1
    return { time: from + i * stepMs, open: 100, high: 100.2, low: 99.9, close, volume: 5 }
  })
}

function columns(bars: readonly Bar[]): BarColumns {
  const of = (name: keyof Bar): Float64Array => Float64Array.from(bars, (bar) => bar[name])
  return { length: bars.length, time: of('time'), open: of('open'), high: of('high'), low: of('low'), close: of('close'), volume: of('volume') }
}

/** In one go, and cut into batches with the state sent as JSON: both must say the same. */
function report(bars: readonly Bar[], timeframe = '1h', filled: readonly FilledRange[] = [], nowMs = Date.UTC(2030, 0, 1)): QualityReport {
  const all = columns(bars)
  const whole = beginScan()
  scanBars(whole, all, parseTimeframe(timeframe), filled)
  const expected = endScan(whole, parseTimeframe(timeframe), nowMs)
  let state = beginScan()
  for (let from = 0; from < bars.length; from += 17) {
    const part = columns(bars.slice(from, from + 17))
    scanBars(state, part, parseTimeframe(timeframe), filled)
    state = JSON.parse(JSON.stringify(state)) as typeof state
  }
  expect(endScan(state, parseTimeframe(timeframe), nowMs)).toEqual(expected)
  return expected
}

test('good bars have nothing against them', () => {
  const found = report(calm(500))
  expect(found).toMatchObject({
    timeframe: '1h', bars: 500, first_time: '2024-01-01T00:00:00.000Z', calendar: 'continuous', out_of_order: 0, duplicates: 0,
    step: { most_common_ms: HOUR, shorter: 0, off_grid: 0 }, gaps: { count: 0, missing_bars: 0 }, ohlc: { count: 0 },
    zero_volume: { bars: 0 }, outliers: { count: 0 }, jumps: { count: 0 }, partial_last_bar: false, repaired: 0,
  })
})

test('gaps are listed with the bars on both sides', () => {
  const { gaps, calendar } = report(calm(500).filter((_, i) => i !== 10 && (i < 200 || i > 230)))
  expect(calendar).toBe('continuous')
  expect(gaps).toEqual({ count: 2, missing_bars: 32, list: [
    { after: '2024-01-01T09:00:00.000Z', before: '2024-01-01T11:00:00.000Z', missing_bars: 1 },
    { after: '2024-01-09T07:00:00.000Z', before: '2024-01-10T15:00:00.000Z', missing_bars: 31 },
  ] })
})

test('weekends and nights of a market with sessions are no gaps, a missing day and a missing hour are', () => {
  const weekday = (ms: number): boolean => ![0, 6].includes(new Date(ms).getUTCDay())
  const days = calm(60, DAY).filter(({ time }) => weekday(time))
  expect(report(days, '1d')).toMatchObject({ calendar: 'sessions', gaps: { count: 0 } })
  const holiday = days.filter(({ time }) => time !== Date.UTC(2024, 0, 15))
  expect(report(holiday, '1d').gaps).toEqual({ count: 1, missing_bars: 1, list: [{ after: '2024-01-12T00:00:00.000Z', before: '2024-01-16T00:00:00.000Z', missing_bars: 1 }] })
  const hours = calm(24 * 30).filter(({ time }) => weekday(time) && new Date(time).getUTCHours() >= 14 && new Date(time).getUTCHours() < 21)
  const torn = hours.filter(({ time }) => time !== Date.UTC(2024, 0, 10, 16) && Math.floor(time / DAY) * DAY !== Date.UTC(2024, 0, 17))
  expect(report(torn).gaps).toEqual({ count: 2, missing_bars: 1, list: [
    { after: '2024-01-10T15:00:00.000Z', before: '2024-01-10T17:00:00.000Z', missing_bars: 1 },
    { after: '2024-01-16T20:00:00.000Z', before: '2024-01-18T14:00:00.000Z', missing_days: 1 },
  ] })
})

test('order, duplicates, steps off the grid, impossible prices', () => {
  const bars = calm(50)
  const twice = [...bars.slice(0, 20), ...bars.slice(19, 30), ...bars.slice(10, 12)]
  expect(report(twice)).toMatchObject({ duplicates: 1, out_of_order: 1 })
  const shifted = bars.map((bar, i) => (i === 30 ? { ...bar, time: bar.time - HOUR / 4 } : bar))
  expect(report(shifted).step).toEqual({ most_common_ms: HOUR, shorter: 1, off_grid: 1 })
  const wrong = bars.map((bar, i) => (i === 5 ? { ...bar, high: 90 } : i === 6 ? { ...bar, low: -1 } : i === 7 ? { ...bar, volume: Number.NaN } : bar))
  expect(report(wrong).ohlc).toEqual({ count: 3, list: ['2024-01-01T05:00:00.000Z', '2024-01-01T06:00:00.000Z', '2024-01-01T07:00:00.000Z'] })
})

test('runs without volume, also one at the end', () => {
  const silent = (from: number, to: number): Bar[] => calm(100).map((bar, i) => (i >= from && i < to ? { ...bar, volume: 0 } : bar))
  expect(report(silent(20, 32)).zero_volume).toEqual({ bars: 12, longest_run: 12, runs: { count: 1, list: [{ from: '2024-01-01T20:00:00.000Z', bars: 12 }] } })
  expect(report(silent(90, 100)).zero_volume.runs.count).toBe(1)
  expect(report(silent(20, 29)).zero_volume).toMatchObject({ bars: 9, longest_run: 9, runs: { count: 0 } })
})

test('a wild close, a wild wick and a split are told apart', () => {
  const bars = calm(400)
  const at = (i: number): string => new Date(START + i * HOUR).toISOString()
  const wild = bars.map((bar, i) => (i === 200 ? { ...bar, high: 131, close: 130 } : i === 300 ? { ...bar, low: 50 } : bar))
  expect(report(wild)).toMatchObject({ outliers: { count: 3, list: [{ time: at(200) }, { time: at(201) }, { time: at(300) }] }, jumps: { count: 0 } })
  const split = bars.map((bar, i) => (i < 250 ? bar : { ...bar, open: bar.open / 4, high: bar.high / 4, low: bar.low / 4, close: bar.close / 4 }))
  expect(report(split)).toMatchObject({ outliers: { count: 0 }, jumps: { count: 1, list: [{ time: at(250), like: '4:1 split' }] } })
})

test('a last bar that has not ended is partial', () => {
  const bars = calm(10)
  expect(report(bars, '1h', [], START + 9.5 * HOUR).partial_last_bar).toBe(true)
  expect(report(bars, '1h', [], START + 10 * HOUR).partial_last_bar).toBe(false)
  // Looked at again later it has not become whole by itself, but by another bar in its place.
  const early = report(bars, '1h', [], START + 9.5 * HOUR)
  const later = (volume: number): boolean => {
    const state = beginScan()
    scanBars(state, columns(bars.map((bar, i) => (i === 9 ? { ...bar, volume } : bar))), parseTimeframe('1h'))
    return endScan(state, parseTimeframe('1h'), START + 20 * HOUR, early).partial_last_bar
  }
  expect([later(5), later(6)]).toEqual([true, false])
})

test('bars that were made up are counted while they stand, and are no pause in trading', () => {
  const bars = calm(100).map((bar, i) => (i >= 40 && i < 60 ? { ...bar, open: 100.1, high: 100.1, low: 100.1, close: 100.1, volume: 0 } : bar))
  const range = { from: START + 40 * HOUR, to: START + 59 * HOUR }
  expect(report(bars, '1h', [range])).toMatchObject({ repaired: 20, repaired_ranges: [range], zero_volume: { bars: 0 } })
  const mended = bars.map((bar, i) => (i === 50 ? { ...bar, volume: 3 } : bar))
  expect(report(mended, '1h', [range])).toMatchObject({ repaired: 19, repaired_ranges: [{ from: range.from, to: START + 49 * HOUR }, { from: START + 51 * HOUR, to: range.to }] })
  expect(report(bars, '1h').repaired).toBe(0)
  expect(sliceBars(columns(bars), range.from, range.to + 1).length).toBe(20)
})
