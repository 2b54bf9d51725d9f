/** One backtest: what its summary says, what its CSV looks like, and the bars and masks that it refuses. */
import { describe, expect, test } from 'vitest'
import type { BacktestResult, Masks } from '../../../src/engine/index.js'
import {
  builtinStrategy, defineStrategy, equityCsv, formatIsoTime, METRIC_UNITS, parseBacktestSpec, parseIsoTime, prepareBars, runBacktest, SWEEP_METRICS, tradesCsv,
} from '../../../src/engine/index.js'
import type { BarColumns } from '../../../src/market/layout.js'
import { toBars } from '../../property/engine-arbitraries.js'
import { refusal } from './refusal.js'

const HOUR_MS = 3_600_000

function withMasks(masks: Masks | ((length: number) => unknown)) {
  return defineStrategy({ name: 'masks', params: {}, signals: ({ length }) => (typeof masks === 'function' ? masks(length) as Masks : masks) })
}

function run(bars: BarColumns, masks: Masks, execution: Record<string, unknown> = {}, more: Record<string, unknown> = {}): BacktestResult {
  return runBacktest(bars, withMasks(masks), parseBacktestSpec({ strategy: { name: 'masks' }, execution, ...more }, { barsGiven: true }))
}

/** Opens and closes; highs and lows are the larger and the smaller of both. */
const flatWicks = (...rows: [number, number][]): BarColumns => toBars(rows.map(([open, close]) => [open, 0, 0, close] as const))
const mask = (...bits: (0 | 1)[]): Uint8Array => Uint8Array.from(bits)

describe('fills by hand', () => {
  const bars = flatWicks([10, 10], [10, 11], [12, 12], [12, 9], [9, 9])

  test('a long round trip with every cost', () => {
    const { trades, equity, summary } = run(bars, { longEntry: mask(1, 0, 0, 0, 0), longExit: mask(0, 0, 1, 0, 0) },
      { initial_cash: 1000, fee_rate: 0.01, fee_fixed: 1, spread: 0.02, slippage: 0.01, sizing: { mode: 'units', value: 10 } })
    const entry = 10 * 1.02 * 1.01
    const exit = 12 * 0.99
    const fees = 10 * entry * 0.01 + 1 + 10 * exit * 0.01 + 1
    expect(trades).toHaveLength(1)
    expect(trades[0]).toMatchObject({ side: 'long', units: 10, entryBar: 1, exitBar: 3, exitReason: 'signal' })
    expect(trades[0]?.entryPrice).toBeCloseTo(entry, 12)
    expect(trades[0]?.pnl).toBeCloseTo(10 * (exit - entry) - fees, 10)
    expect(trades[0]?.return).toBeCloseTo((10 * (exit - entry) - fees) / (10 * entry), 12)
    expect(equity[1]).toBeCloseTo(1000 - 10 * entry * 1.01 - 1 + 110, 10)
    expect(equity[4]).toBeCloseTo(1000 + (trades[0]?.pnl ?? NaN), 10)
    expect(summary).toMatchObject({ total_trades: 1, win_rate: 1, open_position: null, exposure: 0.6 })
    expect(summary.profit_factor).toBeNull()
    expect(summary.null_reasons).toMatchObject({ profit_factor: 'no losing trade', sqn: 'fewer than two closed trades' })
  })

  test('a decision on the last bar is dropped, and the open position is described', () => {
    const { trades, summary } = run(bars, { longEntry: mask(1, 0, 0, 0, 0), longExit: mask(0, 0, 0, 0, 1) }, { initial_cash: 1000 })
    expect(trades).toEqual([])
    expect(summary.open_position).toEqual({
      side: 'long', units: 100, entry_bar: 1, entry_time: '2000-01-02T00:00:00Z', entry_price: 10, entry_fee: 0,
      last_price: 9, market_value: 900, unrealized_pnl: -100, unrealized_return: -0.1,
    })
  })

  test('a short that doubles is liquidated and nothing trades after it', () => {
    const rising = flatWicks([10, 10], [10, 10], [15, 21], [21, 5], [5, 5])
    const { trades, equity, summary } = run(rising, { shortEntry: mask(1, 0, 0, 1, 0) }, { direction: 'short', initial_cash: 1000 })
    expect(trades.map((trade) => [trade.exitReason, trade.exitBar, trade.exitPrice])).toEqual([['liquidation', 2, 21]])
    expect([...equity]).toEqual([1000, 1000, -100, -100, -100])
    expect(summary).toMatchObject({ liquidated: true, annual_return: null, final_equity: -100 })
    expect(summary.null_reasons).toMatchObject({ annual_return: 'equity fell to zero or below' })
    expect((summary.warnings as string[]).join(' ')).toContain('Equity fell to zero or below')
  })

  test('conflicting masks cancel: a side with its own exit first, then long against short', () => {
    const trades = (masks: Masks): unknown => {
      const { summary } = run(bars, masks, { direction: 'both' })
      return (summary.open_position as { side: string } | null)?.side ?? null
    }
    expect(trades({ longEntry: mask(1, 0, 0, 0, 0), longExit: mask(1, 0, 0, 0, 0) })).toBeNull()
    expect(trades({ longEntry: mask(1, 0, 0, 0, 0), shortEntry: mask(1, 0, 0, 0, 0) })).toBeNull()
    expect(trades({ longEntry: mask(1, 0, 0, 0, 0), longExit: mask(1, 0, 0, 0, 0), shortEntry: mask(1, 0, 0, 0, 0) })).toBe('short')
    expect(trades({ longEntry: mask(0, 0, 0, 0, 0), longExit: mask(1, 0, 0, 0, 0) })).toBe('short') // mirrored
  })

  test('lots of a tenth are counted without a rounding loss', () => {
    const { summary } = run(bars, { longEntry: mask(1, 0, 0, 0, 0) }, { sizing: { mode: 'units', value: 0.3, lot_size: 0.1 } })
    expect((summary.open_position as { units: number }).units).toBeCloseTo(0.3, 12)
  })

  test('a short without gain or loss leaves no negative zero, which the text of a sweep could not show', () => {
    const { summary } = run(flatWicks([10, 10], [10, 10], [10, 10]), { shortEntry: mask(1, 0, 0), shortExit: mask(0, 1, 0) }, { direction: 'both' })
    expect(summary).toMatchObject({ total_trades: 1, worst_trade: 0, best_trade: 0, expectancy: 0 })
    expect(SWEEP_METRICS.filter((name) => Object.is(summary[name], -0))).toEqual([])
  })

  test('an entry that can be paid once it is floored is taken', () => {
    const { summary } = run(bars, { longEntry: mask(1, 0, 0, 0, 0) }, { initial_cash: 104, sizing: { mode: 'units', value: 10.5, whole_units: true } })
    expect(summary).toMatchObject({ rejected_entries: 0, open_position: { units: 10 } })
  })

  test('an entry that cannot be paid is counted and warned of', () => {
    const { summary } = run(bars, { longEntry: mask(1, 1, 0, 0, 0) }, { initial_cash: 100, sizing: { mode: 'units', value: 50 } })
    expect(summary).toMatchObject({ rejected_entries: 2, open_position: null })
    expect((summary.warnings as string[]).join(' ')).toContain('2 entries were not taken')
  })
})

describe('the summary', () => {
  const bars = flatWicks([10, 10], [10, 11], [12, 12], [12, 9], [9, 9])

  test('is plain JSON without numbers that JSON cannot hold, and explains every null', () => {
    const { summary } = run(bars, { longEntry: mask(0, 0, 0, 0, 0) })
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary)
    for (const name of Object.keys(METRIC_UNITS)) {
      expect([name, summary[name] === null]).toEqual([name, Object.hasOwn(summary.null_reasons as object, name)])
    }
    expect(summary).toMatchObject({ total_return: 0, volatility: 0, sharpe_ratio: null, max_drawdown: 0, exposure: 0, bars: 5 })
    expect(summary.null_reasons).toMatchObject({ sharpe_ratio: 'the returns do not vary', calmar_ratio: 'no drawdown', win_rate: 'no closed trade' })
    expect(JSON.stringify(summary).length).toBeLessThan(16_384)
  })

  test('names data, spec, engine and seed when they are known', () => {
    const spec = parseBacktestSpec({ strategy: { name: 'buy-and-hold' } }, { barsGiven: true })
    const { summary } = runBacktest(bars, builtinStrategy('buy-and-hold'), spec, { dataHash: 'd', specHash: 's', engineVersion: 'v', seed: 7 })
    expect(summary).toMatchObject({ data_hash: 'd', spec_hash: 's', engine_version: 'v', seed: 7, strategy: { name: 'buy-and-hold', params: {} } })
  })

  test('a steady gain has no variance, so no Sharpe ratio', () => {
    let price = 100
    const steady = toBars(Array.from({ length: 50 }, () => [price, 0, 0, price *= 1.01] as const))
    const { summary } = runBacktest(steady, builtinStrategy('buy-and-hold'), parseBacktestSpec({ strategy: { name: 'buy-and-hold' }, execution: { fill: 'close' } }, { barsGiven: true }))
    expect(summary.sharpe_ratio).toBeNull()
    expect(summary.total_return).toBeGreaterThan(60)
  })

  test.each<[string, number, number, number, string]>([
    ['daily with weekends', 24 * HOUR_MS, 100, 365, '365 days × 1 bars a day'],
    ['hourly', HOUR_MS, 500, 365 * 24, '365 days × 24 bars a day'],
    ['weekly', 7 * 24 * HOUR_MS, 100, 52, 'weekly bars'],
    ['monthly', 30 * 24 * HOUR_MS, 50, 12, 'monthly bars'],
  ])('periods a year of %s bars', (_name, gapMs, count, expected, reason) => {
    const long = { ...toBars(Array.from({ length: count }, () => [10, 0, 0, 10] as const)), time: Float64Array.from({ length: count }, (_, i) => i * gapMs) }
    const conventions = run(long, { longEntry: new Uint8Array(count) }).summary.conventions as Record<string, unknown>
    expect(conventions.periods_per_year).toBe(expected)
    expect(conventions.periods_per_year_reason).toContain(reason)
    const given = run(long, { longEntry: new Uint8Array(count) }, {}, { metrics: { periods_per_year: 100 } }).summary.conventions as Record<string, unknown>
    expect([given.periods_per_year, given.periods_per_year_reason]).toEqual([100, 'given by the spec'])
  })
})

test('CSV of trades and equity', () => {
  const bars = flatWicks([10, 10], [10, 11], [12, 12], [12, 9])
  const result = run(bars, { longEntry: mask(1, 0, 0, 0), longExit: mask(0, 1, 0, 0) }, { initial_cash: 1000 })
  expect(tradesCsv(result)).toBe('side,units,entry_bar,entry_time,entry_price,exit_bar,exit_time,exit_price,pnl,return,fees,exit_reason\n'
    + 'long,100,1,2000-01-02T00:00:00Z,10,2,2000-01-03T00:00:00Z,12,200,0.2,0,signal\n')
  expect(equityCsv(result)).toBe('bar,time,equity\n0,2000-01-01T00:00:00Z,1000\n1,2000-01-02T00:00:00Z,1100\n2,2000-01-03T00:00:00Z,1200\n3,2000-01-04T00:00:00Z,1200\n')
})

describe('prepared bars', () => {
  const plain = flatWicks([10, 10], [10, 20], [20, 30], [30, 40])
  const bars: BarColumns = { ...plain, adjclose: Float64Array.of(5, 10, 15, 40) }

  test('are cut to the dates, a day as an end taking all of it', () => {
    const { bars: cut } = prepareBars(plain, { startDate: '2000-01-02', endDate: '2000-01-03' })
    expect([...cut.close]).toEqual([20, 30])
    expect(cut.close.buffer).toBe(plain.close.buffer)
    expect(prepareBars(plain, { endDate: '2000-01-03T00:00:00Z' }).bars.length).toBe(3)
    const error = refusal(() => prepareBars(plain, { startDate: '2001-01-01' }))
    expect(error).toMatchObject({ code: 'DATA_EMPTY', message: expect.stringContaining('they run from 2000-01-01T00:00:00Z to 2000-01-04T00:00:00Z') as unknown })
  })

  test('are adjusted when asked, once, and warned of when not asked', () => {
    const once = prepareBars(bars, { adjust: true })
    expect([...once.bars.open]).toEqual([5, 5, 10, 30])
    expect([...once.bars.close]).toEqual([5, 10, 15, 40])
    expect(once.warnings).toEqual([])
    expect([...prepareBars(once.bars, { adjust: true }).bars.close]).toEqual([5, 10, 15, 40])
    expect(prepareBars(bars, {}).warnings[0]).toContain('adjclose / close changes')
    expect(prepareBars(bars, { adjust: false }).warnings).toEqual([])
    expect(prepareBars(plain, {}).warnings).toEqual([])
    expect(refusal(() => prepareBars(plain, { adjust: true })).code).toBe('DATA_FORMAT')
  })
})

describe('masks that cannot be used', () => {
  const bars = flatWicks([10, 10], [10, 20], [20, 30])
  test.each<[string, unknown, string]>([
    ['nothing', null, 'no object of masks'],
    ['no mask', {}, 'none of the masks'],
    ['a misspelt mask', { longEntrys: mask(0, 0, 0) }, 'unknown mask "longEntrys"'],
    ['a wrong length', { longEntry: mask(0, 0) }, 'longEntry has 2 values for 3 bars'],
    ['a two', { longEntry: Uint8Array.of(0, 0, 2) }, 'longEntry is 2 on bar 2'],
    ['a NaN', { longEntry: Float64Array.of(0, NaN, 0) }, 'longEntry is NaN on bar 1'],
    ['a text', { longEntry: '000' }, 'longEntry is not an array'],
  ])('%s', (_name, masks, part) => {
    const spec = parseBacktestSpec({ strategy: { name: 'masks' } }, { barsGiven: true })
    const error = refusal(() => runBacktest(bars, withMasks(() => masks), spec))
    expect([error.code, error.message]).toEqual(['STRATEGY_FAILED', expect.stringContaining(part)])
  })

  test('booleans, and bytes that begin off a word\'s boundary, are fine', () => {
    const spec = parseBacktestSpec({ strategy: { name: 'masks' } }, { barsGiven: true })
    const entryBar = (longEntry: unknown): unknown => (runBacktest(bars, withMasks(() => ({ longEntry })), spec).summary.open_position as { entry_bar: number }).entry_bar
    expect(entryBar([false, true, false])).toBe(2)
    expect(entryBar(Uint8Array.of(1, 0, 1, 0).subarray(1))).toBe(2)
  })
})

test('times as text and back', () => {
  for (const text of ['1970-01-01T00:00:00Z', '2000-02-29T23:59:59Z', '1900-03-01T00:00:00Z', '2013-03-01T12:30:00.250Z']) {
    expect(formatIsoTime(parseIsoTime(text) ?? NaN)).toBe(text)
    expect(parseIsoTime(text)).toBe(Date.parse(text))
  }
  expect(parseIsoTime('2020-01-01 10:00+02:00')).toBe(Date.parse('2020-01-01T08:00:00Z'))
  expect(['2021-02-29', '2020-13-01', '01/02/2020', '2020-01-01T25:00'].map(parseIsoTime)).toEqual([undefined, undefined, undefined, undefined])
})
