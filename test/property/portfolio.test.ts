/** Several symbols on one cash: F31 and F32. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BacktestSpec, ExecutionSpec, Strategy } from '../../src/engine/index.js'
import { builtinStrategy, defineStrategy, parseBacktestSpec, runBacktest, runPortfolio } from '../../src/engine/index.js'
import { isFast } from '../../src/engine/simulate/fast-simulation.js'
import type { BarColumns } from '../../src/market/layout.js'
import { caseArbitrary, executionArbitrary, fullExecutionArbitrary, barsArbitrary, maskStrategy, toBars } from './engine-arbitraries.js'

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

test('F18: trades and equity reconcile at every time, whenever symbols begin, pause and end', () => {
  const seen = { endedEarlier: 0, ruined: 0, open: 0, margin: 0 }
  const execution = fc.oneof(executionArbitrary, fullExecutionArbitrary).map((e): ExecutionSpec => ({
    ...e, borrowRate: 0, perpetual: e.perpetual === null ? null : { ...e.perpetual, funding: [], liquidationFee: 0 },
    // An open position of several lots is reported as one.
    finalize: e.entryWhenInPosition === 'add' && e.finalize === 'mark_to_market' ? 'close_last_close' : e.finalize,
  }))
  fc.assert(fc.property(fc.array(barsArbitrary, { minLength: 1, maxLength: 4 }), execution, fc.infiniteStream(fc.constantFrom(0, 0, 1, 2)), fc.infiniteStream(fc.constantFrom(1, 1, 1, 2, 5)), fc.infiniteStream(fc.integer({ min: 0, max: 20 })), (series, e, marks, steps, starts) => {
    const parts = series.map((bars, s) => {
      let day = 10_957 + (starts.next().value ?? 0)
      const time = Array.from({ length: bars.length }, () => (day += steps.next().value ?? 1) * 86_400_000)
      return { symbol: `S${s}`, bars: withVolume(bars, Array.from({ length: bars.length }, () => marks.next().value ?? 0), time) }
    })
    const { summary, equity, trades, time } = runPortfolio(parts, byVolume, { ...specOf({}), execution: e })
    const end = time.at(-1) ?? NaN
    const held = trades.map((t) => {
      const rate = t.exitReason === 'take_profit' ? e.makerFeeRate : e.feeRate
      const exitFee = Math.max(t.units * t.exitPrice * rate + t.units * e.feePerUnit + e.feeFixed, e.feeMin)
      const signed = t.side === 'long' ? t.units : -t.units
      return { symbol: t.symbol, units: signed, from: t.entryTime, to: t.exitTime, bought: signed * t.entryPrice + (t.fees - exitFee), sold: signed * t.exitPrice - exitFee }
    })
    for (const open of summary['open_positions'] as { symbol: string; side: string; units: number; entry_time: string; entry_price: number; entry_fee: number }[]) {
      const signed = open.side === 'long' ? open.units : -open.units
      held.push({ symbol: open.symbol, units: signed, from: Date.parse(open.entry_time), to: Infinity, bought: signed * open.entry_price + open.entry_fee, sold: 0 })
      seen.open++
    }
    if (trades.some((t) => t.exitReason === 'end' && t.exitTime < end)) seen.endedEarlier++
    if (trades.some((t) => t.exitReason === 'liquidation')) seen[e.perpetual === null ? 'ruined' : 'margin']++
    const priceAt = new Map(parts.map(({ symbol }) => [symbol, NaN]))
    const next = parts.map(() => 0)
    time.forEach((now, t) => {
      parts.forEach(({ symbol, bars }, s) => {
        if (bars.time[next[s] ?? 0] !== now) return
        priceAt.set(symbol, bars.close[next[s] ?? 0] ?? NaN)
        next[s] = (next[s] ?? 0) + 1
      })
      let value = e.initialCash
      let moved = e.initialCash * e.leverage
      for (const one of held) {
        if (one.from > now) continue
        value += (one.to <= now ? one.sold : one.units * (priceAt.get(one.symbol ?? '') ?? NaN)) - one.bought
        moved += Math.abs(one.bought)
      }
      if (!(Math.abs((equity[t] ?? NaN) - value) <= 1e-9 * moved)) throw new Error(`time ${t}: equity ${equity[t]}, the trades give ${value}`)
    })
  }), { numRuns: 800 })
  for (const [what, count] of Object.entries(seen)) expect([what, count > 8]).toEqual([what, true])
})

describe('by hand', () => {
  test('F32: a symbol that ends earlier is closed at its own last close, and its cash is there for the others', () => {
    const a = withVolume(flat(10, 10, 10, 10, 20, 20), [0, 0, 0, 1, 0, 0])
    const b = withVolume(flat(10, 10, 10), [1, 0, 0])
    const parts = [{ symbol: 'A', bars: a }, { symbol: 'B', bars: b }]
    const rounded = (column: Float64Array): number[] => [...column].map((value) => Math.round(value * 100) / 100)
    const { equity, trades, summary } = runPortfolio(parts, byVolume, specOf({ fill: 'close', fee_rate: 0.01, finalize: 'close_last_close' }))
    // B costs a hundredth at its entry and one at its exit on the third day; A takes all that is left and doubles.
    expect(rounded(equity)).toEqual([9900.99, 9900.99, 9801.98, 9704.93, 19_409.86, 19_215.76])
    expect(trades.map((t) => [t.symbol, t.entryBar, t.exitBar, t.exitReason])).toEqual([['B', 0, 2, 'end'], ['A', 3, 5, 'end']])
    expect(summary['rejected_entries']).toBe(0)
    // A buys at the very close at which B ends: sales before purchases, whichever is named first.
    const same = withVolume(a, [0, 0, 1, 0, 0, 0])
    for (const named of [[{ symbol: 'A', bars: same }, parts[1]!], [parts[1]!, { symbol: 'A', bars: same }]]) {
      expect(rounded(runPortfolio(named, byVolume, specOf({ fill: 'close', fee_rate: 0.01, finalize: 'close_last_close' })).equity)).toEqual([9900.99, 9900.99, 9704.93, 9704.93, 19_409.86, 19_215.76])
    }
    // The same at the open of B's last bar, and without any closing A finds no cash.
    const opens = [{ symbol: 'A', bars: withVolume(a, [0, 1, 0, 0, 0, 0]) }, parts[1]!]
    expect(runPortfolio(opens, byVolume, specOf({ fee_rate: 0.01, finalize: 'close_last_open' })).trades.map((t) => [t.symbol, t.entryBar, t.exitBar])).toEqual([['B', 1, 2], ['A', 2, 5]])
    expect(runPortfolio(opens, byVolume, specOf({ fee_rate: 0.01 })).summary).toMatchObject({ rejected_entries: 1, open_positions: [{ symbol: 'B' }] })
  })

  test('F16: what is closed when the equity is gone leaves at that time, with a bar or without', () => {
    // A doubles against its short on the fourth day, when B has had no bar for two.
    const days = (...of: number[]): number[] => of.map((day) => (10_957 + day) * 86_400_000)
    const a = withVolume(flat(10, 10, 10, 20, 20), [2, 0, 0, 0, 0], days(0, 1, 2, 3, 4))
    const b = withVolume(flat(10, 10, 10), [2, 0, 0], days(0, 1, 4))
    const { trades, equity, time } = runPortfolio([{ symbol: 'A', bars: a }, { symbol: 'B', bars: b }], byVolume,
      specOf({ direction: 'short', initial_cash: 1000, fee_fixed: 1, leverage: 3, sizing: { mode: 'cash', value: 1001 } }))
    expect(trades.map((t) => [t.symbol, t.exitReason, t.exitBar, t.exitTime])).toEqual([['A', 'liquidation', 3, time[3]], ['B', 'liquidation', 3, time[3]]])
    expect([...equity]).toEqual([1000, 998, 998, -4, -4])
  })

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
