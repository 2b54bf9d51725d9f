/** Several symbols on one cash: F31 and F32. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BacktestSpec, Strategy } from '../../src/engine/index.js'
import { builtinStrategy, defineStrategy, parseBacktestSpec, runBacktest, runPortfolio } from '../../src/engine/index.js'
import { isFast } from '../../src/engine/simulate/fast-simulation.js'
import type { BarColumns } from '../../src/market/layout.js'
import { caseArbitrary, executionArbitrary, barsArbitrary, maskStrategy, toBars } from './engine-arbitraries.js'

const specOf = (execution: Record<string, unknown>): BacktestSpec => parseBacktestSpec({ strategy: { name: 'x' }, execution }, { barsGiven: true })

/** Buys and sells by its own volume column, so that each symbol gets decisions of its own: 1 enters, 2 leaves. */
const byVolume: Strategy = defineStrategy({
  name: 'by-volume', params: {},
  signals: ({ volume }) => ({ longEntry: Uint8Array.from(volume, (v) => (v === 1 ? 1 : 0)), longExit: Uint8Array.from(volume, (v) => (v === 2 ? 1 : 0)) }),
})

const withVolume = (bars: BarColumns, volume: readonly number[], time?: readonly number[]): BarColumns =>
  ({ ...bars, volume: Float64Array.from(volume), ...(time === undefined ? {} : { time: Float64Array.from(time) }) })

/** Bars whose open, high, low and close are one price. */
const flat = (...prices: number[]): BarColumns => toBars(prices.map((price) => [price, 0, 0, price] as const))

test('F31: a portfolio of one symbol is its backtest, to the bit', () => {
  fc.assert(fc.property(caseArbitrary, ({ bars, masks, execution }) => {
    if (execution.borrowRate > 0) return
    const spec = { ...specOf({}), execution }
    const alone = runBacktest(bars, maskStrategy(masks), spec)
    const { trades, equity, summary } = runPortfolio([{ symbol: 'A', bars }], maskStrategy(masks), spec)
    expect(equity).toEqual(alone.equity)
    expect(trades.map(({ symbol, ...trade }) => ({ symbol, side: trade.side, units: trade.units, entryBar: trade.entryBar, exitBar: trade.exitBar, pnl: trade.pnl })))
      .toEqual(alone.trades.map((trade) => ({ symbol: 'A', side: trade.side, units: trade.units, entryBar: trade.entryBar, exitBar: trade.exitBar, pnl: trade.pnl })))
    for (const name of ['final_equity', 'exposure', 'fees_paid', 'sharpe_ratio', 'total_trades', 'liquidated', 'rejected_entries']) expect([name, summary[name]]).toEqual([name, alone.summary[name]])
  }), { numRuns: 1500 })
})

test('F31: the equity is the initial cash and what every symbol made, at the end and with gaps anywhere', () => {
  let held = 0
  fc.assert(fc.property(fc.array(barsArbitrary, { minLength: 2, maxLength: 4 }), executionArbitrary, fc.infiniteStream(fc.constantFrom(0, 0, 1, 2)), fc.infiniteStream(fc.integer({ min: 1, max: 3 })), (series, execution, marks, steps) => {
    if (execution.borrowRate > 0 || !isFast(execution)) return
    const parts = series.map((bars, s) => {
      let day = 10_957
      const time = Array.from({ length: bars.length }, () => (day += steps.next().value ?? 1) * 86_400_000)
      return { symbol: `S${s}`, bars: withVolume(bars, Array.from({ length: bars.length }, () => marks.next().value ?? 0), time) }
    })
    const { summary, equity, trades } = runPortfolio(parts, byVolume, { ...specOf({}), execution })
    const open = summary['open_positions'] as { unrealized_pnl: number }[]
    held += open.length
    const made = trades.reduce((sum, { pnl }) => sum + pnl, 0) + open.reduce((sum, { unrealized_pnl: pnl }) => sum + pnl, 0)
    const scale = execution.initialCash * execution.leverage
    expect(Math.abs((equity.at(-1) ?? NaN) - execution.initialCash - made)).toBeLessThan(1e-8 * scale + 1e-9 * Math.abs(made))
    expect(trades.map(({ exitTime }) => exitTime)).toEqual(trades.map(({ exitTime }) => exitTime).sort((a, b) => a - b))
    const symbols = summary['symbols'] as { realized_pnl: number; unrealized_pnl: number; total_trades: number }[]
    expect(symbols.reduce((sum, one) => sum + one.total_trades, 0)).toBe(trades.length)
    expect(Math.abs(symbols.reduce((sum, one) => sum + one.realized_pnl + one.unrealized_pnl, 0) - made)).toBeLessThan(1e-8 * scale + 1e-9 * Math.abs(made))
  }), { numRuns: 1500 })
  expect(held).toBeGreaterThan(40)
})

describe('by hand', () => {
  test('F32: what is sold at a time pays for what is bought then, whichever symbol is named first', () => {
    // B is bought with everything at bar 1 for 10 and sold at bar 3 for 20, when A is to be bought with everything for 5.
    const a = withVolume(flat(5, 5, 5, 5, 6), [0, 0, 1, 0, 0])
    const b = withVolume(flat(10, 10, 10, 20, 20), [1, 0, 2, 0, 0])
    for (const parts of [[{ symbol: 'A', bars: a }, { symbol: 'B', bars: b }], [{ symbol: 'B', bars: b }, { symbol: 'A', bars: a }]]) {
      const { equity, trades, summary } = runPortfolio(parts, byVolume, specOf({ initial_cash: 1000 }))
      expect(trades.map(({ symbol, units, pnl }) => [symbol, units, pnl])).toEqual([['B', 100, 1000]])
      expect([...equity]).toEqual([1000, 1000, 1000, 2000, 2400])
      expect(summary['open_positions']).toMatchObject([{ symbol: 'A', units: 400, unrealized_pnl: 400 }])
    }
  })

  test('F31: sizes are of the equity of all, and of two that want all the first named gets it', () => {
    const a = withVolume(flat(10, 10, 20, 20), [1, 0, 0, 0])
    const b = withVolume(flat(10, 10, 10, 10), [0, 1, 0, 0])
    const half = runPortfolio([{ symbol: 'A', bars: a }, { symbol: 'B', bars: b }], byVolume, specOf({ initial_cash: 1000, sizing: { mode: 'fraction', value: 0.25 } }))
    // A: 250 at 10; it is worth 500 when B is bought, so that the equity is 1250 and a quarter of it 312.5.
    expect(half.summary['open_positions']).toMatchObject([{ symbol: 'A', units: 25 }, { symbol: 'B', units: 31.25 }])
    const both = [{ symbol: 'A', bars: withVolume(a, [1, 0, 0, 0]) }, { symbol: 'B', bars: withVolume(b, [1, 0, 0, 0]) }]
    expect(runPortfolio(both, byVolume, specOf({ initial_cash: 1000 })).summary).toMatchObject({ rejected_entries: 1, open_positions: [{ symbol: 'A', units: 100 }] })
  })

  test('F31: a symbol without a bar is valued at its last close and does not trade', () => {
    const a = withVolume(flat(10, 10, 12, 15), [1, 0, 0, 0])
    const b = withVolume(flat(7, 8), [1, 0], [10_957, 10_960].map((day) => day * 86_400_000))
    const { equity, summary } = runPortfolio([{ symbol: 'A', bars: a }, { symbol: 'B', bars: b }], byVolume, specOf({ initial_cash: 1000, sizing: { mode: 'cash', value: 400 } }))
    // B decides on day 0 and is filled at its next bar, three days later, at 8.
    expect([...equity]).toEqual([1000, 1000, 1080, 1200])
    expect(summary['open_positions']).toMatchObject([{ symbol: 'A', units: 40 }, { symbol: 'B', units: 50, entry_price: 8 }])
  })

  test('changing later bars of one symbol changes nothing before them', () => {
    fc.assert(fc.property(barsArbitrary, barsArbitrary, fc.infiniteStream(fc.constantFrom(0, 1, 2)), executionArbitrary, fc.nat(), (first, second, marks, execution, at) => {
      if (execution.borrowRate > 0) return
      const spec = { ...specOf({}), execution: { ...execution, finalize: 'mark_to_market' as const } }
      const a = withVolume(first, Array.from({ length: first.length }, () => marks.next().value ?? 0))
      const b = withVolume(second, Array.from({ length: second.length }, () => marks.next().value ?? 0))
      const cut = 1 + (at % (b.length - 1))
      const change = (column: Float64Array): Float64Array => column.map((value, i) => (i < cut ? value : value * 2))
      const changed = { ...b, open: change(b.open), high: change(b.high), low: change(b.low), close: change(b.close) }
      const [before, after] = [b, changed].map((bars) => runPortfolio([{ symbol: 'A', bars: a }, { symbol: 'B', bars }], byVolume, spec).equity)
      expect(after?.slice(0, cut)).toEqual(before?.slice(0, cut))
    }), { numRuns: 1000 })
  })
})

describe('a pair', () => {
  const days = (length: number): number[] => Array.from({ length }, (_, i) => (10_957 + i) * 86_400_000)
  const first = flat(...Array.from({ length: 200 }, (_, i) => 100 + 10 * Math.sin(i / 9)))
  const second = flat(...Array.from({ length: 200 }, (_, i) => 50 + 4 * Math.sin(i / 13)))
  const spec = (params: Record<string, number>): BacktestSpec =>
    parseBacktestSpec({ strategy: { name: 'z-score-pair', params }, execution: { direction: 'both', sizing: { mode: 'fraction', value: 0.5 } } }, { barsGiven: true })

  /** The definition itself, window by window. */
  function zAt(i: number, period: number): number {
    if (i < period - 1) return NaN
    const window = Array.from({ length: period }, (_, k) => Math.log(first.close[i - k]! / second.close[i - k]!))
    const mean = window.reduce((sum, one) => sum + one, 0) / period
    return (window[0]! - mean) / Math.sqrt(window.reduce((sum, one) => sum + (one - mean) ** 2, 0) / period)
  }

  test('buys the cheap leg and sells the dear one on the bar after the deviation, and leaves both near the mean', () => {
    const { trades } = runPortfolio([{ symbol: 'A', bars: first }, { symbol: 'B', bars: second }], builtinStrategy('z-score-pair'), spec({ period: 20, entry: 1.5, exit: 0.5 }))
    expect(trades.length).toBeGreaterThan(6)
    for (const { symbol, side, entryBar, exitBar } of trades) {
      const isFirst = symbol === 'A'
      const z = zAt(entryBar - 1, 20)
      expect(Math.abs(z)).toBeGreaterThan(1.5)
      expect(side).toBe((z < 0) === isFirst ? 'long' : 'short')
      const out = zAt(exitBar - 1, 20)
      expect(z < 0 ? out > -0.5 : out < 0.5).toBe(true)
      // Both legs enter and leave together.
      expect(trades.filter((other) => other.entryBar === entryBar && other.exitBar === exitBar).length).toBe(2)
    }
  })

  test('sees only the times that both have, and says what is left out', () => {
    const gappy = { ...second, ...Object.fromEntries((['time', 'open', 'high', 'low', 'close', 'volume'] as const).map((name) => [name, second[name].filter((_, i) => i % 10 !== 3)])), length: 180 }
    const result = runPortfolio([{ symbol: 'A', bars: first }, { symbol: 'B', bars: gappy }], builtinStrategy('z-score-pair'), spec({ period: 20, entry: 1.5, exit: 0.5 }))
    expect(result.time.length).toBe(180)
    expect(result.summary['warnings']).toContainEqual('A: 20 of 200 bars are left out, because another symbol has none at their times.')
    const apart = { ...second, time: Float64Array.from(days(200)).map((time) => time + 1000) }
    expect(() => runPortfolio([{ symbol: 'A', bars: first }, { symbol: 'B', bars: apart }], builtinStrategy('z-score-pair'), spec({}))).toThrow('no time at which all of A, B')
  })

  test('needs two symbols', () => {
    expect(() => runPortfolio([{ symbol: 'A', bars: first }], builtinStrategy('z-score-pair'), spec({}))).toThrow('trades 2 symbols, and the spec names 1')
    expect(() => runBacktest(first, builtinStrategy('z-score-pair'), spec({}))).toThrow('trades 2 symbols together')
  })

  test('of its own kind: the number of masks must be that of the symbols', () => {
    const odd = defineStrategy({ name: 'odd', params: {}, signalsOfAll: ([one]) => [{ longEntry: new Uint8Array(one?.length ?? 0) }] })
    expect(() => runPortfolio([{ symbol: 'A', bars: first }, { symbol: 'B', bars: second }], odd, specOf({}))).toThrow('one entry for each of the 2 symbols')
    expect(() => defineStrategy({ name: 'both', params: {}, signals: () => ({}), signalsOfAll: () => [] } as never)).toThrow('both signals and signalsOfAll')
  })
})
