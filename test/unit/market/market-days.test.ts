/** Longer bars, gaps and repair by the days of a market: whatever hour a day is stamped at, and sessions of some hours. */
import { describe, expect, test } from 'vitest'
import { dayRuleOf } from '../../../src/base/bar-day.js'
import { coverageOf } from '../../../src/market/coverage.js'
import type { BarColumns } from '../../../src/market/layout.js'
import { beginScan, endScan, scanBars } from '../../../src/market/quality.js'
import type { QualityReport } from '../../../src/market/quality.js'
import { fillGaps } from '../../../src/market/repair.js'
import { resampleBars } from '../../../src/market/resample.js'
import type { Resampled } from '../../../src/market/resample.js'
import { inMarket, parseTimeframe } from '../../../src/market/timeframe.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Monday. */
const START = Date.UTC(2024, 0, 1)
const LATER = Date.UTC(2030, 0, 1)

function barsAt(times: readonly number[]): BarColumns {
  const column = (of: (i: number) => number): Float64Array => Float64Array.from(times, (_, i) => of(i))
  return { length: times.length, time: Float64Array.from(times), open: column((i) => 100 + i), high: column((i) => 102 + i), low: column((i) => 99 + i), close: column((i) => 101 + i), volume: column(() => 1) }
}
const weekdays = (count: number, from = START): number[] =>
  Array.from({ length: 2 * count + 7 }, (_, i) => from + i * DAY).filter((day) => new Date(day).getUTCDay() % 6 !== 0).slice(0, count)
/** Hours of each day, `plus` after midnight UTC; in summer all of it one hour earlier. */
const sessions = (days: readonly number[], hours: readonly number[]): number[] => days.flatMap((day) => hours.map((hour) => day + hour * HOUR))
const NEW_YORK = [14.5, 15.5, 16.5, 17.5, 18.5, 19.5, 20.5]

function scanned(times: readonly number[], timeframe: string, nowMs = LATER): QualityReport {
  const state = beginScan()
  scanBars(state, barsAt(times), parseTimeframe(timeframe))
  return endScan(state, parseTimeframe(timeframe), nowMs)
}

/** As the step of a task does it. */
function made(times: readonly number[], stored: string, wanted: string, nowMs = LATER): Resampled & { readonly warnings: readonly string[] } {
  const quality = scanned(times, stored, nowMs)
  const covered = coverageOf(times[0]!, times.at(-1)!, parseTimeframe(stored), quality)
  const bars = barsAt(times.filter((time) => time < covered.toMs))
  const found = resampleBars(bars, parseTimeframe(stored), inMarket(parseTimeframe(wanted), quality.days, quality.days.phaseMs), covered.fromMs, covered.toMs)
  return { ...found, warnings: [...covered.warnings, ...covered.madeWarnings] }
}
const isoDays = (time: Float64Array): string[] => [...time].map((ms) => new Date(ms).toISOString().slice(0, 10))

describe('days out of hours that begin at half past', () => {
  test('are the sessions: open of the first, extremes, close of the last, all volume, and no day is lost', () => {
    const times = sessions(weekdays(10), NEW_YORK)
    const { columns, uncovered, warnings } = made(times, '1h', '1d')
    expect(isoDays(columns.time)).toEqual(isoDays(Float64Array.from(weekdays(10))))
    expect([uncovered, warnings]).toEqual([0, []])
    columns.time.forEach((_, k) => {
      expect([columns.open[k], columns.high[k], columns.low[k], columns.close[k], columns.volume[k]]).toEqual([100 + 7 * k, 102 + 7 * k + 6, 99 + 7 * k, 101 + 7 * k + 6, 7])
    })
    expect(isoDays(made(times, '1h', '1w').columns.time)).toEqual(['2024-01-01', '2024-01-08'])
  })

  test('4h bars begin at half past too, and hold whole hours', () => {
    const { columns, uncovered } = made(sessions(weekdays(10), NEW_YORK), '1h', '4h')
    expect([...columns.volume.subarray(0, 3)]).toEqual([2, 4, 1])
    expect([...columns.time.subarray(0, 3)].map((ms) => (ms - START) / HOUR)).toEqual([12.5, 16.5, 20.5])
    expect([columns.volume.reduce((a, b) => a + b, 0), uncovered]).toEqual([70, 0])
  })

  test('of a market with a break, and of one that crosses midnight UTC', () => {
    expect(made(sessions(weekdays(10), [1.5, 2.5, 5, 6]), '30m', '1d').columns.length).toBe(10)
    const sydney = made(sessions(weekdays(10), [-1, 0, 1, 2, 3, 4]), '1h', '1d')
    expect([...sydney.columns.volume]).toEqual(Array.from({ length: 10 }, () => 6))
    expect([...sydney.columns.time].map((ms) => (ms - START) / HOUR).slice(0, 2)).toEqual([-1, 23])
    expect(made(sessions(weekdays(10), [-1, 0, 1, 2, 3, 4]), '1h', '1w').columns.length).toBe(2)
  })

  test('with daylight saving between them', () => {
    const days = weekdays(60, Date.UTC(2024, 1, 5))
    const times = days.flatMap((day) => sessions([day], day < Date.UTC(2024, 2, 10) ? NEW_YORK : NEW_YORK.map((hour) => hour - 1)))
    expect([...made(times, '1h', '1d').columns.volume]).toEqual(Array.from({ length: 60 }, () => 7))
    // The last one is of the new hours, once others are.
    expect(made(times.filter((time) => time < Date.UTC(2024, 2, 14)), '1h', '1d').columns.length).toBe(28)
  })

  test('an early close inside is a day; as the last one it is a day with a warning, or none while it runs', () => {
    const days = weekdays(30)
    const all = sessions(days, NEW_YORK)
    expect([...made(all.filter((time) => time < days[4]! || time >= days[5]! || time < days[4]! + 17 * HOUR), '1h', '1d').columns.volume].slice(3, 6)).toEqual([7, 3, 7])
    const early = all.filter((time) => time < days[29]! + 17 * HOUR)
    const { columns, warnings } = made(early, '1h', '1d')
    expect([columns.length, columns.volume[29], warnings]).toEqual([30, 3, [expect.stringContaining('The last day (2024-02-09) ends earlier than others do')]])
    const running = made(early, '1h', '1d', days[29]! + 18 * HOUR)
    expect([running.columns.length, running.uncovered, running.warnings]).toEqual([29, 1, []])
  })

  test('a first day that begins late is left out', () => {
    expect(made(sessions(weekdays(10), NEW_YORK).slice(3), '1h', '1d').columns.length).toBe(9)
  })
})

describe.each<[string, number]>([['+09:00', -9], ['+05:30', -5.5], ['-05:00', 5], ['the evening before', -2], ['the close', 21], ['UTC', 0]])('days stamped by %s', (_name, hours) => {
  const days = weekdays(520, Date.UTC(2023, 0, 2))
  const times = days.map((day) => day + hours * HOUR)
  const reference = days

  test('have sessions and no gaps, and nothing is made up on a weekend', () => {
    const quality = scanned(times, '1d')
    expect(quality).toMatchObject({ calendar: 'sessions', gaps: { count: 0, missing_bars: 0 } })
    expect(fillGaps(barsAt(times), parseTimeframe('1d'), true, null, quality.days).columns.length).toBe(0)
    expect(scanned(times.filter((_, i) => i !== 200 && i !== 203), '1d').gaps.missing_bars).toBe(2)
  })

  test.each(['1w', '2w', '1M', '3M'])('make the same %s', (wanted) => {
    const [found, expected] = [made(times, '1d', wanted), made(reference, '1d', wanted)]
    expect(found.columns.close).toEqual(expected.columns.close)
    expect(found.columns.volume).toEqual(expected.columns.volume)
    const { shiftMs } = dayRuleOf(Float64Array.from(times))
    const named = found.columns.time.map((ms) => Math.floor((ms + (shiftMs === 0 ? 0 : -hours * HOUR)) / DAY) * DAY)
    expect(isoDays(named)).toEqual(isoDays(expected.columns.time))
    expect(found.uncovered).toBe(expected.uncovered)
  })

  test('a bar that runs is not finished, and one that has ended is', () => {
    const last = times.at(-1)!
    const end = hours === 21 ? days.at(-1)! + DAY : hours === 5 ? days.at(-1)! + DAY : last + DAY
    expect([scanned(times, '1d', end - 1).partial_last_bar, scanned(times, '1d', end).partial_last_bar]).toEqual([true, false])
  })
})

test('a day that is stamped at its close after midnight UTC is over then, and its weeks are whole', () => {
  const times = weekdays(520, Date.UTC(2023, 0, 2)).map((day) => day + 28.75 * HOUR)
  const last = times.at(-1)!
  expect([scanned(times, '1d', last - 1).partial_last_bar, scanned(times, '1d', last).partial_last_bar]).toEqual([true, false])
  expect(scanned(times, '1d')).toMatchObject({ calendar: 'sessions', gaps: { missing_bars: 0 } })
  expect([...made(times, '1d', '1w', last).columns.volume]).toEqual(Array.from({ length: 104 }, () => 5))
})

test('a week that ends with the close of Friday is complete on Friday', () => {
  const days = weekdays(10)
  expect(isoDays(made(days, '1d', '1w', days[9]! + DAY).columns.time)).toEqual(['2024-01-01', '2024-01-08'])
  expect(isoDays(made(days.slice(0, 9), '1d', '1w').columns.time)).toEqual(['2024-01-01'])
  expect(made(sessions(days, NEW_YORK), '1h', '1w', days[9]! + 21.5 * HOUR).columns.length).toBe(2)
  // Weeks that are named by their Friday.
  const fridays = Array.from({ length: 20 }, (_, i) => START + (4 + 7 * i) * DAY)
  const saturday = fridays[19]! + DAY
  expect([scanned(fridays, '1w', saturday - 1).partial_last_bar, scanned(fridays, '1w', saturday).partial_last_bar]).toEqual([true, false])
  const closes = fridays.map((day) => day + 21 * HOUR)
  expect(scanned(closes, '1w', closes[19]!).partial_last_bar).toBe(false)
  const mondays = fridays.map((day) => day - 4 * DAY)
  expect(scanned(mondays, '1w', saturday).partial_last_bar).toBe(true)
})

test('a break at noon is no gap and nothing is made up in it; a bar that is missing beside it is one', () => {
  const hours = [1.5, 2, 2.5, 3, 3.5, 5, 5.5, 6, 6.5, 7, 7.5]
  for (const count of [10, 60]) {
    const times = sessions(weekdays(count), hours)
    const quality = scanned(times, '30m')
    expect(quality).toMatchObject({ calendar: 'sessions', gaps: { count: 0, missing_bars: 0 } })
    expect(fillGaps(barsAt(times), parseTimeframe('30m'), true, null, quality.days).columns.length).toBe(0)
  }
  // 02:30 of one day, and 03:30 before the break of another.
  const torn = sessions(weekdays(10), hours).filter((time) => time !== START + 2.5 * HOUR && time !== START + DAY + 3.5 * HOUR)
  const quality = scanned(torn, '30m')
  expect(quality.gaps).toMatchObject({ count: 2, missing_bars: 1 + 3 })
  expect(fillGaps(barsAt(torn), parseTimeframe('30m'), true, null, quality.days).ranges.length).toBe(2)
})

/** Hours from the evening before to the close, in New York's winter and, an hour earlier, in its summer. */
const roundTheClock = (days: readonly number[], opens: number): number[] => days.flatMap((day) => {
  const summer = day >= Date.UTC(2024, 2, 11) && day < Date.UTC(2024, 10, 4) ? 1 : 0
  return sessions([day], Array.from({ length: 22 - opens }, (_, k) => opens + k - summer))
})

test.each<[string, number, number, number]>([
  ['two weeks of futures with a break of an hour', -1, 10, Date.UTC(2024, 0, 1)], ['half a year of them', -1, 130, Date.UTC(2024, 0, 1)], ['a break of two hours', 0, 130, Date.UTC(2024, 0, 8)],
  ['currencies in winter', -2, 40, Date.UTC(2024, 0, 1)], ['currencies in summer', -2, 40, Date.UTC(2024, 4, 6)],
])('%s make days that begin on the evening before: none of a Sunday, none lost', (_name, opens, count, from) => {
  const days = weekdays(count, from)
  const times = roundTheClock(days, opens)
  const { columns, uncovered, warnings } = made(times, '1h', '1d')
  expect([columns.length, uncovered, warnings]).toEqual([count, 0, []])
  expect([...columns.volume]).toEqual(days.map(() => 22 - opens))
  expect(columns.open[0]).toBe(100)
  expect(columns.close[count - 1]).toBe(101 + times.length - 1)
  expect(made(times, '1h', '1w').columns.length).toBe(count / 5)
  expect(scanned(times, '1h')).toMatchObject({ calendar: 'sessions', gaps: { missing_bars: 0 } })
})

test('a market that never rests keeps its rule, though it was down over a weekend', () => {
  const hours = Array.from({ length: 24 * 40 }, (_, i) => START + i * HOUR)
  const down = hours.filter((time) => time < START + 5 * DAY || time >= START + 6 * DAY + 20 * HOUR)
  expect([dayRuleOf(Float64Array.from(hours)).shiftMs, dayRuleOf(Float64Array.from(down)).shiftMs]).toEqual([0, 0])
})

test('a market that never rests keeps its rule: a bar is made where the series covers all of it', () => {
  const times = Array.from({ length: 24 * 15 }, (_, i) => START + 3 * HOUR + i * HOUR)
  expect([made(times, '1h', '1d').columns.length, made(times, '1h', '1d').uncovered]).toEqual([14, 2])
  const jst = Array.from({ length: 60 }, (_, i) => START - 9 * HOUR + i * DAY)
  expect(scanned(jst, '1d')).toMatchObject({ calendar: 'continuous', days: { text: 'days begin at 15:00 UTC of the day before' } })
  expect(made(jst, '1d', '1w').columns.length).toBe(8)
  expect(fillGaps(barsAt(jst.filter((_, i) => i !== 5)), parseTimeframe('1d'), false, null, scanned(jst, '1d').days).columns.time[0]).toBe(jst[5])
})
