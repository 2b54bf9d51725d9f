/** The day of a bar: whatever the hour at which a day is stamped, the year, the months and the weeks are those of the market. */
import { describe, expect, test } from 'vitest'
import { dayRuleOf } from '../../../src/base/bar-day.js'
import { builtinStrategy, parseBacktestSpec, runBacktest } from '../../../src/engine/index.js'
import { periodsPerYear } from '../../../src/engine/metrics/periods-per-year.js'
import { higherOf } from '../../../src/engine/strategies/higher-timeframe.js'
import type { BarColumns } from '../../../src/market/layout.js'

const DAY = 86_400_000
const HOUR = 3_600_000
/** Monday. */
const START = Date.UTC(2023, 0, 2)

const isSummer = (day: number): boolean => {
  const month = new Date(day).getUTCMonth()
  return month >= 3 && month <= 9
}
/** From midnight UTC of the bar's day to its stamp, in hours; in the north's summer and winter. */
const STAMPS: Readonly<Record<string, readonly [winter: number, summer: number]>> = {
  'midnight UTC': [0, 0],
  'midnight at +09:00': [-9, -9], 'midnight at -05:00': [5, 5], 'midnight at +05:30': [-5.5, -5.5], 'midnight at +05:45': [-5.75, -5.75],
  'midnight at +03:00': [-3, -3], 'midnight at -08:00': [8, 8],
  'midnight in Berlin': [-1, -2], 'midnight in London': [0, -1], 'midnight in New York': [5, 4], 'midnight in Auckland': [-13, -12],
  'the open on the evening before': [-1, -2], 'the open at 13:30 or 14:30': [14.5, 13.5],
  'the close in New York': [21, 20], 'the close in Tokyo': [6, 6], 'noon': [12, 12], 'the end of the day': [23.75, 23.75],
  'the end of the day in New York': [28.75, 27.75], 'a close after midnight UTC': [25, 24.25],
}
const stampsOf = (days: readonly number[], [winter, summer]: readonly [number, number]): Float64Array =>
  Float64Array.from(days, (day) => day + (isSummer(day) ? summer : winter) * HOUR)
const weekdays = (count: number, from = START): number[] =>
  Array.from({ length: Math.ceil((count * 7) / 5) + 2 }, (_, i) => from + i * DAY).filter((day) => new Date(day).getUTCDay() % 6 !== 0).slice(0, count)
const everyDay = (count: number): number[] => Array.from({ length: count }, (_, i) => START + i * DAY)
const every = (days: number, count: number, from = START): number[] => Array.from({ length: count }, (_, i) => from + i * days * DAY)
const months = (step: number, count: number): number[] => Array.from({ length: count }, (_, i) => Date.UTC(2001, i * step, 1))

function barsAt(time: Float64Array): BarColumns {
  const close = Float64Array.from(time, (_, i) => 100 + 10 * Math.sin(i / 9) + i / 20)
  const open = Float64Array.from(close, (value, i) => close[i - 1] ?? value)
  return { length: time.length, time, open, close, high: close.map((value, i) => Math.max(value, open[i]!)), low: close.map((value, i) => Math.min(value, open[i]!)), volume: new Float64Array(time.length).fill(1) }
}

function resultAt(time: Float64Array): Record<string, unknown> {
  const spec = parseBacktestSpec({ strategy: { name: 'sma-cross', params: { fast: 3, slow: 8 } } }, { barsGiven: true })
  return runBacktest(barsAt(time), builtinStrategy('sma-cross'), spec).summary
}

describe('weekday bars', () => {
  const reference = resultAt(stampsOf(weekdays(520), [0, 0]))
  const parity = (summary: Record<string, unknown>): unknown => (summary.parity as Record<string, unknown>)['sharpe.backtesting_py']

  test.each(Object.keys(STAMPS))('stamped at %s have 252 days a year and the same months, years and Sharpe ratio', (name) => {
    const summary = resultAt(stampsOf(weekdays(520), STAMPS[name]!))
    expect((summary.conventions as Record<string, unknown>).periods_per_year).toBe(252)
    for (const key of ['sharpe_ratio', 'monthly_returns', 'yearly_returns'] as const) expect([key, summary[key]]).toEqual([key, reference[key]])
    expect(parity(summary)).toBe(parity(reference))
  })

  test('the result says what its days are', () => {
    const daysAt = (name: string): unknown => (resultAt(stampsOf(weekdays(520), STAMPS[name]!)).conventions as Record<string, unknown>).days
    expect(daysAt('midnight UTC')).toBe('UTC')
    expect(daysAt('the close in New York')).toBe('UTC')
    expect(daysAt('midnight at +09:00')).toBe('days begin at 15:00 UTC of the day before')
    expect(daysAt('midnight at +05:30')).toBe('days begin at 18:30 UTC of the day before')
  })

  test('a week is enough', () => {
    for (const [name, stamp] of Object.entries(STAMPS)) {
      const time = stampsOf(weekdays(5, START + 56 * DAY), stamp)
      expect([name, Math.floor((time[0]! + dayRuleOf(time).shiftMs) / DAY)]).toEqual([name, START / DAY + 56])
    }
  })
})

const dayOf = (time: Float64Array, bar: number): number => Math.floor((time[bar]! + dayRuleOf(time).shiftMs) / DAY) * DAY

test.each<[string, readonly number[], number]>([
  ['weeks', every(7, 100), 52], ['two weeks', every(14, 60), 365.25 / 14], ['months', months(1, 60), 12], ['two months', months(2, 30), 6],
])('bars of %s stand for the day on which they begin in their zone', (_name, days, perYear) => {
  for (const name of ['midnight UTC', 'midnight at +09:00', 'midnight at -05:00', 'midnight at +05:30', 'midnight in Berlin', 'midnight in London', 'midnight in Auckland', 'the open on the evening before']) {
    const time = stampsOf(days, STAMPS[name]!)
    for (const bar of [0, 7, 20]) expect([name, bar, dayOf(time, bar)]).toEqual([name, bar, days[bar]])
    expect([name, periodsPerYear(time, undefined).value]).toEqual([name, perYear])
  }
})

test('a week stamped at its close on Friday, and the last business day of a month, stay', () => {
  const fridays = stampsOf(every(7, 100, START + 4 * DAY), [21, 20])
  expect(dayOf(fridays, 30)).toBe(START + (4 + 210) * DAY)
  const ends = months(1, 60).map((day) => [day - DAY, day - 2 * DAY, day - 3 * DAY].find((one) => new Date(one).getUTCDay() % 6 !== 0)!)
  expect(dayRuleOf(stampsOf(ends, [21, 20])).shiftMs).toBe(0)
})

test('a market without a rest has days of UTC at midnight UTC and at a close, and those of its zone at a midnight after noon', () => {
  for (const hours of [0, 5, 12, 23 + 59 / 60]) expect([hours, dayRuleOf(stampsOf(everyDay(400), [hours, hours])).shiftMs]).toEqual([hours, 0])
  expect(dayOf(stampsOf(everyDay(400), STAMPS['midnight in Auckland']!), 200)).toBe(START + 200 * DAY)
  for (const zone of [9, 5.5, 8]) expect(dayOf(stampsOf(everyDay(400), [-zone, -zone]), 33)).toBe(START + 33 * DAY)
  expect(dayOf(stampsOf(everyDay(400), [-1, -2]), 200)).toBe(START + 200 * DAY)
  expect(periodsPerYear(stampsOf(everyDay(400), [-9, -9]), undefined).value).toBe(365)
})

test('hours of a session that crosses midnight UTC belong to one day, and those within a day to theirs', () => {
  const session = (first: number, hours: number): Float64Array => Float64Array.from(weekdays(60).flatMap((day) => Array.from({ length: hours }, (_, k) => day + (first + k) * HOUR)))
  const sydney = session(-1, 7)
  expect(dayRuleOf(sydney).text).toBe('days begin at 23:00 UTC of the day before')
  expect(periodsPerYear(sydney, undefined).value).toBe(252 * 7)
  const evening = session(20, 6)
  expect(dayOf(evening, 5)).toBe(START)
  expect(periodsPerYear(evening, undefined).value).toBe(252 * 6)
  for (const [first, hours] of [[14.5, 7], [0, 6], [0, 24]] as const) expect(dayRuleOf(session(first, hours)).shiftMs).toBe(0)
})

test('minutes of currencies over years, of which some are looked at, have the days of their weeks', () => {
  const week = Array.from({ length: 5 * 1440 }, (_, i) => START - 2 * HOUR + i * 60_000)
  const minutes = Float64Array.from(Array.from({ length: 60 }, (_, k) => week.map((time) => time + 7 * k * DAY)).flat())
  expect(dayRuleOf(minutes).text).toBe('days begin at 22:00 UTC of the day before')
  expect(periodsPerYear(minutes, undefined).value).toBe(252 * 1440)
})

test.each<[string, readonly number[], number, string]>([
  ['six days', every(6, 40), 365 / 6, '365 days ÷ 6 days a bar'], ['ten days', every(10, 40), 36.5, '365 days ÷ 10 days a bar'],
  ['two weeks', every(14, 40), 365.25 / 14, 'bars of 2 weeks'], ['four weeks', every(28, 40), 365.25 / 28, 'bars of 4 weeks'], ['13 weeks', every(91, 40), 365.25 / 91, 'bars of 13 weeks'],
  ['45 days', every(45, 40), 365 / 45, '365 days ÷ 45'], ['60 days', every(60, 40), 365 / 60, '365 days ÷ 60'],
  ['one week', every(7, 40), 52, 'weekly bars'], ['one month', months(1, 40), 12, 'monthly bars'], ['two months', months(2, 40), 6, 'bars of 2 months'],
  ['three months', months(3, 40), 4, 'quarterly bars'], ['four months', months(4, 40), 3, 'bars of 4 months'], ['six months', months(6, 40), 2, 'bars of 6 months'],
  ['a year', months(12, 20), 1, 'yearly bars'], ['18 months', months(18, 20), 2 / 3, 'bars of 18 months'], ['24 months', months(24, 20), 0.5, 'bars of 24 months'],
  ['24 months, two bars', months(24, 2), 0.5, 'bars of 24 months'], ['a year, three bars', months(12, 3), 1, 'yearly bars'], ['two months, three bars', months(2, 3), 6, 'bars of 2 months'],
])('bars of %s are a year divided by the bar', (_name, days, value, reason) => {
  const found = periodsPerYear(Float64Array.from(days), undefined)
  expect(found.value).toBeCloseTo(value, 12)
  expect(found.reason).toContain(reason)
})

test('the last days of every second month are months, however few and though they are 61 days apart', () => {
  for (const count of [3, 4, 5, 20]) for (const from of [1, 2, 8]) for (const zone of [0, -9, 5]) {
    const ends = Float64Array.from({ length: count }, (_, i) => Date.UTC(2001, from + 2 * i, 0) + zone * HOUR)
    expect([count, from, zone, periodsPerYear(ends, undefined).value]).toEqual([count, from, zone, 6])
  }
})

test('an annual figure that no number can hold says so', () => {
  const time = Float64Array.from({ length: 4 }, (_, i) => START + i * 60_000)
  const close = Float64Array.of(10, 40, 30, 200)
  const bars = { length: 4, time, open: close, close, high: close, low: close, volume: close }
  const spec = parseBacktestSpec({ strategy: { name: 'buy-and-hold' }, execution: { fill: 'close' } }, { barsGiven: true })
  const { cagr, null_reasons: reasons } = runBacktest(bars, builtinStrategy('buy-and-hold'), spec).summary
  expect(cagr).toBeNull()
  for (const name of ['cagr', 'annual_return', 'calmar_ratio']) expect([name, (reasons as Record<string, string>)[name]]).toEqual([name, expect.stringContaining('too large for a number')])
  expect(reasons).toMatchObject({ profit_factor: 'no closed trade' })
})

test('higher timeframes are made of the days of the market, and of whole hours', () => {
  const utc = higherOf(barsAt(stampsOf(weekdays(100), [0, 0])))
  for (const name of ['midnight at +09:00', 'midnight at +05:30', 'midnight in Auckland', 'the open on the evening before']) {
    const zoned = higherOf(barsAt(stampsOf(weekdays(100), STAMPS[name]!)))
    for (const timeframe of ['1w', '1M']) {
      expect([name, [...zoned(timeframe).bars.close]]).toEqual([name, [...utc(timeframe).bars.close]])
      expect(zoned(timeframe).align(zoned(timeframe).bars.close)).toEqual(utc(timeframe).align(utc(timeframe).bars.close))
    }
  }
  const halfHours = barsAt(Float64Array.from(weekdays(20).flatMap((day) => Array.from({ length: 7 }, (_, k) => day + (14.5 + k) * HOUR))))
  expect([...higherOf(halfHours)('4h').bars.volume.subarray(0, 4)]).toEqual([4, 1, 2, 4])
})

describe('dates that the bars do not cover', () => {
  const days = (time: Float64Array, range: Record<string, string>): string[] => {
    const spec = parseBacktestSpec({ strategy: { name: 'buy-and-hold' }, ...range }, { barsGiven: true })
    return (runBacktest(barsAt(time), builtinStrategy('buy-and-hold'), spec).summary.warnings as string[]).filter((text) => text.includes('not part of this run'))
  }
  const stocks = stampsOf(weekdays(300), [0, 0])
  const crypto = stampsOf(everyDay(300), [0, 0])

  test('warn, at either end', () => {
    expect(days(stocks, { start_date: '2020-01-01' })).toEqual(['start_date is 2020-01-01, but the bars begin at 2023-01-02T00:00:00Z: what lies before is not part of this run.'])
    expect(days(stocks, { end_date: '2030-01-01' })).toEqual([expect.stringContaining('end_date is 2030-01-01, but the last bar is of 2024-02-23T00:00:00Z')])
    expect(days(stocks, { start_date: '2022-12-20', end_date: '2024-03-05' })).toHaveLength(2)
    expect(days(crypto, { start_date: '2023-01-01' })).toHaveLength(1)
    expect(days(crypto, { end_date: '2023-10-29' })).toHaveLength(1)
  })

  test('do not where they are covered, or but a weekend or a holiday is missing', () => {
    expect(days(stocks, { start_date: '2022-12-30', end_date: '2024-02-27' })).toEqual([])
    expect(days(stocks, { start_date: '2023-01-02', end_date: '2024-02-23' })).toEqual([])
    expect(days(stocks, { start_date: '2023-03-04', end_date: '2023-03-12' })).toEqual([])
    expect(days(crypto, { start_date: '2023-01-02', end_date: '2023-10-28' })).toEqual([])
  })
})
