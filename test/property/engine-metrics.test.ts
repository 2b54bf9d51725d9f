/** Properties of a backtest's metrics: bounds of excursions, the calendar, scale, order statistics, and empyrical's own example. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lastBars, monthlyReturns, yearlyReturns } from '../../src/engine/metrics/calendar-periods.js'
import type { CalendarPeriod } from '../../src/engine/metrics/calendar-periods.js'
import { medianGap, weekendShare } from '../../src/engine/metrics/bar-calendar.js'
import { normalCdf } from '../../src/engine/metrics/normal-distribution.js'
import { medianOf, Tails } from '../../src/engine/metrics/order-statistics.js'
import { ratiosOf, sumReturns, withFirst } from '../../src/engine/metrics/return-ratios.js'
import { tradeExcursions } from '../../src/engine/metrics/trade-excursions.js'
import type { BacktestSpec, ExecutionSpec } from '../../src/engine/index.js'
import { runBacktest } from '../../src/engine/index.js'
import type { BarColumns } from '../../src/market/layout.js'
import { caseArbitrary, maskStrategy } from './engine-arbitraries.js'

const RUNS = { numRuns: 500 }
const DAY_MS = 86_400_000
const specOf = (execution: ExecutionSpec): BacktestSpec => ({ bars: {}, strategy: { name: 'masks', params: {} }, execution, metrics: { riskFree: 0 } })
const near = (a: number, b: number, tolerance = 1e-9): boolean => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b))

/** Days since 1970 of UTC bars a few days or hours apart. */
const timesArbitrary = fc.tuple(fc.integer({ min: -20_000, max: 20_000 }), fc.array(fc.constantFrom(1 / 24, 0.25, 1, 1, 3, 7, 31, 200), { minLength: 1, maxLength: 120, size: 'max' }))
  .map(([start, gaps]) => {
    let at = start * DAY_MS
    return Float64Array.from([at, ...gaps.map((gap) => at += Math.round(gap * DAY_MS))])
  })

test('MAE ≤ 0 ≤ MFE, they hold the exit, and every bar between entry and exit; brute force agrees', () => {
  let seen = 0
  fc.assert(fc.property(caseArbitrary, ({ bars, masks, execution }) => {
    const { trades } = runBacktest(bars, maskStrategy(masks), specOf(execution))
    for (const trade of trades) {
      seen++
      const side = trade.side === 'long' ? 1 : -1
      const move = (price: number): number => (side * (price - trade.entryPrice)) / trade.entryPrice
      const atClose = (trade.exitReason === 'signal' && execution.fill === 'close') || (trade.exitReason === 'end' && execution.finalize === 'close_last_close')
      const prices = [trade.entryPrice, trade.exitPrice]
      for (let i = trade.entryBar + (execution.fill === 'close' ? 1 : 0); i < trade.exitBar + (atClose ? 1 : 0); i++) prices.push(bars.low[i] ?? NaN, bars.high[i] ?? NaN)
      const moves = prices.map(move)
      if (!near(trade.mae, Math.min(...moves)) || !near(trade.mfe, Math.max(...moves))) throw new Error(`${trade.mae} to ${trade.mfe}, by hand ${Math.min(...moves)} to ${Math.max(...moves)}`)
      expect(trade.mae <= 0 && trade.mfe >= 0 && trade.mae <= move(trade.exitPrice) + 1e-12 && trade.mfe >= move(trade.exitPrice) - 1e-12).toBe(true)
    }
  }), RUNS)
  expect(seen).toBeGreaterThan(500)
})

test('excursions of overlapping trades are those of each alone', () => {
  const bars: BarColumns = {
    length: 400, time: Float64Array.from({ length: 400 }, (_, i) => i), open: new Float64Array(400), close: new Float64Array(400), volume: new Float64Array(400),
    low: Float64Array.from({ length: 400 }, (_, i) => 100 - ((i * 37) % 91)), high: Float64Array.from({ length: 400 }, (_, i) => 100 + ((i * 53) % 97)),
  }
  const column = (...values: number[]): Float64Array => Float64Array.from(values)
  const trades = {
    count: 3, units: column(1, -1, 1), entryBar: column(0, 17, 100), entryPrice: column(100, 100, 100), exitBar: column(399, 399, 101), exitPrice: column(100, 100, 100),
    pnl: column(0, 0, 0), return: column(0, 0, 0), fees: column(0, 0, 0),
  }
  const { mae, mfe } = tradeExcursions(bars, trades, { entersAtClose: false, exitsAtClose: () => false })
  const lows = (from: number, to: number): number => Math.min(...bars.low.subarray(from, to))
  const highs = (from: number, to: number): number => Math.max(...bars.high.subarray(from, to))
  expect([...mae]).toEqual([lows(0, 399) / 100 - 1, 1 - highs(17, 399) / 100, lows(100, 101) / 100 - 1])
  expect([...mfe]).toEqual([highs(0, 399) / 100 - 1, 1 - lows(17, 399) / 100, highs(100, 101) / 100 - 1])
})

test('months compound to the total return, and to each year; years to the total', () => {
  fc.assert(fc.property(timesArbitrary, fc.infiniteStream(fc.double({ min: 0.5, max: 2, noNaN: true })), (time, factors) => {
    let level = 1000
    const equity = Float64Array.from(time, () => level *= factors.next().value as number)
    const months = monthlyReturns(time, equity, 1000)
    const years = yearlyReturns(time, equity, 1000)
    const product = (values: readonly (number | null)[]): number => values.reduce<number>((all, value) => all * (1 + (value ?? NaN) / 100), 1)
    const total = (equity.at(-1) ?? NaN) / 1000
    expect(near(product(months.map((month) => month.return)), total)).toBe(true)
    expect(near(product(years.map((year) => year.return)), total)).toBe(true)
    for (const year of years) {
      const own = months.filter((month) => Number(month.month.slice(0, 4)) === year.year)
      expect(near(product(own.map((month) => month.return)), 1 + (year.return ?? NaN) / 100)).toBe(true)
    }
    const names = Array.from(time, (at) => new Date(at).toISOString().slice(0, 7))
    expect(months.map((month) => month.month)).toEqual([...new Set(names)])
  }), RUNS)
})

test('eight times the money (a power of two, so that nothing rounds): money times eight, all else the same bits', () => {
  const MONEY = new Set(['final_equity', 'fees_paid', 'expectancy', 'long_pnl', 'short_pnl', 'initial_cash',
    'final_equity.backtesting_py', 'peak_equity.backtesting_py', 'fees_paid.backtesting_py', 'fees_paid.vectorbt', 'expectancy.vectorbt'])
  let compared = 0
  fc.assert(fc.property(caseArbitrary, ({ bars, masks, execution }) => {
    const { sizing } = execution
    const free: ExecutionSpec = { ...execution, sizing: { ...sizing, wholeUnits: false, lotSize: null } }
    const absolute = sizing.mode === 'cash' || sizing.mode === 'units'
    const larger: ExecutionSpec = {
      ...free, initialCash: free.initialCash * 8, feeFixed: free.feeFixed * 8, feeMin: free.feeMin * 8,
      sizing: { ...free.sizing, value: absolute ? (sizing.value ?? 0) * 8 : sizing.value },
    }
    const [one, eight] = [free, larger].map((spec) => {
      const { summary } = runBacktest(bars, maskStrategy(masks), specOf(spec))
      return { ...summary, ...summary.parity as object, ...Object.fromEntries(Object.entries(summary.benchmark as object).map(([key, value]) => [`benchmark.${key}`, value as unknown])) } as Record<string, unknown>
    })
    for (const [name, value] of Object.entries(one ?? {})) {
      if (typeof value !== 'number' && value !== null) continue
      compared++
      expect([name, eight?.[name]]).toEqual([name, MONEY.has(name) && value !== null ? value * 8 : value])
    }
  }), { numRuns: 200, endOnFailure: true })
  expect(compared).toBeGreaterThan(20_000)
})

test('tails and medians are those of a sorted column, with one value more as well', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.constantFrom(0, 0, 1, -1), fc.double({ min: -1, max: 1, noNaN: true })), { minLength: 1, maxLength: 600, size: 'max' }), fc.double({ min: -1, max: 1, noNaN: true }), (list, extra) => {
    const quantile = (sorted: Float64Array, share: number): number => {
      const position = (sorted.length - 1) * share
      const below = Math.floor(position)
      const value = sorted[below] ?? NaN
      return value + ((sorted[below + 1] ?? value) - value) * (position - below)
    }
    const values = Float64Array.from(list)
    const sorted = values.slice().sort()
    const more = Float64Array.from([...list, extra]).sort()
    const tails = new Tails(values)
    for (const share of [0.01, 0.05, 0.95, 0.99]) {
      expect(tails.quantile(share)).toBeCloseTo(quantile(sorted, share), 14)
      expect(tails.quantileWith(extra, share)).toBeCloseTo(quantile(more, share), 14)
    }
    const worst = Math.floor((list.length - 1) * 0.05) + 1
    const worstOfMore = Math.floor(list.length * 0.05) + 1
    const sum = (column: Float64Array, count: number): number => column.subarray(0, count).reduce((a, b) => a + b, 0)
    expect(tails.sumOfLowest(worst)).toBeCloseTo(sum(sorted, worst), 12)
    expect(tails.sumOfLowestWith(extra, worstOfMore)).toBeCloseTo(sum(more, worstOfMore), 12)
    const middle = values.length >> 1
    expect(medianOf(values.slice()) + 0).toBe(0 + (values.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2))
  }), RUNS)
})

test('the median gap and the weekends of bars are those counted bar by bar', () => {
  fc.assert(fc.property(timesArbitrary, (time) => {
    const gaps = Float64Array.from({ length: time.length - 1 }, (_, i) => (time[i + 1] ?? NaN) - (time[i] ?? NaN))
    expect(medianGap(time)).toBe(medianOf(gaps))
    const weekend = time.filter((at) => [0, 6].includes(new Date(at).getUTCDay())).length
    expect(weekendShare(time)).toBe(weekend / time.length)
  }), RUNS)
})

test('one return more in front: the sums are those of the longer column', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 1, maxLength: 50 }), fc.double({ min: -0.5, max: 0.5, noNaN: true }), (list, first) => {
    const added = withFirst(sumReturns(Float64Array.from(list)), first)
    const whole = sumReturns(Float64Array.from([first, ...list]))
    for (const key of ['length', 'count', 'sum', 'squares', 'below', 'wins', 'won', 'losses', 'lost', 'growth'] as const) expect(added[key]).toBeCloseTo(whole[key], 10)
  }), RUNS)
})

test('the example that empyrical tests itself with', () => {
  const returns = Float64Array.of(NaN, 0.01, 0.1, -0.04, 0.02, 0.03, 0.02, 0.01, -0.1)
  const sums = sumReturns(returns)
  const { annualReturn, volatility, sharpe, sortino } = ratiosOf(sums, 252, 0)
  const tails = new Tails(returns.map((value) => (Number.isNaN(value) ? 0 : value))) // its figure counts the missing return as 0
  const recorded: readonly [number, number][] = [
    [sums.maxDrawdown, -0.1], [annualReturn, 1.9135925373194231], [volatility, 0.9136465399704637], [annualReturn / -sums.maxDrawdown, 19.135925373194233],
    [sharpe, 1.7238613961706866], [sortino, 2.605531251673693],
  ]
  for (const [actual, expected] of recorded) expect(near(actual, expected, 1e-12)).toBe(true)
  expect(Math.abs(tails.quantile(0.95)) / Math.abs(tails.quantile(0.05))).toBeCloseTo(0.9473684210526313, 12)
})

test('the normal distribution, from tables', () => {
  for (const [x, p] of [[0, 0.5], [1, 0.8413447460685429], [-1.6448536269514722, 0.05], [2, 0.9772498680518208], [-3, 0.0013498980316300946], [4, 0.9999683287581669], [-8, 6.220960574271785e-16]] as const) {
    expect(near(normalCdf(x) / p, 1, 1e-12)).toBe(true)
  }
  expect(normalCdf(50)).toBe(1)
  expect(normalCdf(-50)).toBe(0)
})

test('the last bars of days, weeks, months and years are those that a calendar of dates gives', () => {
  const keys: Readonly<Record<CalendarPeriod, (date: Date) => string>> = {
    day: (date) => date.toISOString().slice(0, 10),
    // The Monday that it begins with.
    week: (date) => new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10),
    month: (date) => date.toISOString().slice(0, 7), year: (date) => date.toISOString().slice(0, 4),
  }
  const step = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 3_600_000, max: 90_000_000 }), fc.integer({ min: 86_400_000, max: 40_000_000_000 }))
  fc.assert(fc.property(fc.integer({ min: -2_000_000_000_000, max: 2_000_000_000_000 }), fc.array(step, { maxLength: 60 }), fc.constantFrom<CalendarPeriod>('day', 'week', 'month', 'year'), (start, steps, period) => {
    const time = Float64Array.from([0, ...steps]).map(((at) => (by) => (at += by))(start))
    const key = (ms: number): string => keys[period](new Date(ms))
    const expected = [...time.keys()].filter((i) => i === time.length - 1 || key(time[i]!) !== key(time[i + 1]!))
    expect(lastBars(time, period)).toEqual(expected)
  }), { numRuns: 2000 })
})
