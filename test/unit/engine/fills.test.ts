/**
 * Every condition of docs/fills.md by hand: a few bars, and numbers that can be worked out on paper. Fractions are such that
 * doubles hold them exactly, so everything is compared as it stands.
 */
import { describe, expect, test } from 'vitest'
import type { BacktestResult } from '../../../src/engine/index.js'
import { defineStrategy, parseBacktestSpec, runBacktest } from '../../../src/engine/index.js'
import type { BarColumns } from '../../../src/market/layout.js'

type Row = readonly [open: number, high: number, low: number, close: number]
const HOUR = 3_600_000
const all = (price: number): Row => [price, price, price, price]

function barsOf(rows: readonly Row[], stepHours = 24, offHours = 0): BarColumns {
  const column = (k: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(rows, (row) => row[k])
  return {
    length: rows.length, time: Float64Array.from(rows, (_, i) => Date.UTC(2024, 0, 1) + (i * stepHours + offHours) * HOUR),
    open: column(0), high: column(1), low: column(2), close: column(3), volume: new Float64Array(rows.length),
  }
}

interface Case {
  readonly rows: readonly Row[]
  /** A word a bar: L enters long, l leaves it, S and s the same short; several letters may stand together. */
  readonly says: string
  readonly execution?: Record<string, unknown>
  readonly stepHours?: number
  /** From midnight to the first bar. */
  readonly offHours?: number
}

function run({ rows, says, execution = {}, stepHours, offHours }: Case): BacktestResult {
  const words = says.trim().split(/\s+/)
  const mask = (letter: string): Uint8Array => Uint8Array.from(rows, (_, i) => (words[i]?.includes(letter) === true ? 1 : 0))
  const usesShort = /[Ss]/.test(says)
  const strategy = defineStrategy({
    name: 'says', params: {},
    signals: ({ length }) => {
      const cut = (letter: string): Uint8Array => mask(letter).slice(0, length)
      return { longEntry: cut('L'), longExit: cut('l'), ...(usesShort ? { shortEntry: cut('S'), shortExit: cut('s') } : {}) }
    },
  })
  const json = { strategy: { name: 'says' }, execution: { initial_cash: 1000, sizing: { mode: 'units', value: 4 }, ...execution } }
  return runBacktest(barsOf(rows, stepHours, offHours), strategy, parseBacktestSpec(json as unknown, { barsGiven: true }))
}

/** reason, entry bar and price, exit bar and price of every trade. */
const tradesOf = (one: Case): unknown => run(one).trades.map((t) => [t.exitReason, t.entryBar, t.entryPrice, t.exitBar, t.exitPrice])
const equityOf = (one: Case): number[] => [...run(one).equity]

describe('decisions', () => {
  test('F1 a mask is a decision at its bar\'s close', () => {
    expect(tradesOf({ rows: [all(8), all(16), all(32), all(64)], says: 'L l . .' })).toEqual([['signal', 1, 16, 2, 32]])
  })
  test('F2 long masks are mirrored for shorts, and the direction drops a side', () => {
    const rows = [all(16), all(8), all(16), all(32)]
    expect(run({ rows, says: 'l . L .', execution: { direction: 'short' } }).trades.map((t) => [t.side, t.entryBar, t.exitBar])).toEqual([['short', 1, 3]])
    expect(run({ rows, says: 'l . L .', execution: { direction: 'long' } }).trades).toEqual([])
  })
  test('F3 conflicts cancel', () => {
    expect(tradesOf({ rows: [all(8), all(8), all(8)], says: 'Ll . .' })).toEqual([])
    expect(run({ rows: [all(8), all(8), all(8)], says: 'LS . .', execution: { direction: 'both' } }).summary['open_position']).toBeNull()
  })
})

describe('market fills', () => {
  test('F4 at the next open, or at the deciding close; a last decision is dropped', () => {
    const rows: Row[] = [[8, 16, 8, 16], [32, 32, 32, 32], [64, 64, 64, 64]]
    expect(tradesOf({ rows, says: 'L l l' })).toEqual([['signal', 1, 32, 2, 64]])
    expect(tradesOf({ rows, says: 'L l .', execution: { fill: 'close' } })).toEqual([['signal', 0, 16, 1, 32]])
  })
  test('F5 an opposite entry is two fills from one raw price', () => {
    const { trades, summary } = run({ rows: [all(8), all(8), all(16), all(16)], says: 'L S . .', execution: { direction: 'both', slippage: 0.5 } })
    expect(trades.map((t) => [t.side, t.entryPrice, t.exitPrice])).toEqual([['long', 12, 8]])
    expect(summary['open_position']).toMatchObject({ side: 'short', entry_price: 8 })
  })
  test('F6 spread on the entry, slippage on both', () => {
    expect(tradesOf({ rows: [all(8), all(8), all(16), all(16)], says: 'L l . .', execution: { spread: 0.5, slippage: 0.25 } })).toEqual([['signal', 1, 15, 2, 12]])
  })
  test('F7 a rate of the notional and a fixed fee on every fill; limits pay the maker\'s', () => {
    const execution = { fee_rate: 0.25, fee_fixed: 2, maker_fee_rate: 0.125 }
    expect(run({ rows: [all(8), all(8), all(16), all(16)], says: 'L l . .', execution }).trades[0]?.fees).toBe(4 * 8 * 0.25 + 2 + 4 * 16 * 0.25 + 2)
    expect(run({ rows: [all(8), all(8), all(16), all(16)], says: 'L . . .', execution: { ...execution, take_profit: 0.5 } }).trades[0]?.fees).toBe(4 * 8 * 0.25 + 2 + 4 * 16 * 0.125 + 2)
  })
  test('F7 by the unit, and the least of a fill; F8 buys to the unit what both leave', () => {
    const fees = (execution: Record<string, unknown>, rows: readonly Row[] = [all(8), all(8), all(16), all(16)]): unknown =>
      run({ rows, says: 'L l . .', execution }).trades.map((t) => [t.units, t.fees])
    // Four units: 0.5 a unit are 2 a fill, and 3 are more than that.
    expect(fees({ fee_per_unit: 0.5 })).toEqual([[4, 4]])
    expect(fees({ fee_per_unit: 0.5, fee_min: 3 })).toEqual([[4, 6]])
    // 0.25 × 32 + 2 + 1 = 11 and 0.25 × 64 + 2 + 1 = 19: the least of 12 is met by the second alone.
    expect(fees({ fee_per_unit: 0.5, fee_rate: 0.25, fee_fixed: 1, fee_min: 12 })).toEqual([[4, 12 + 19]])
    // 200 shares of 4.97 and 0.005 each are 995, and with the least of 5 a fill 1000 buy not one fewer …
    const shares = (execution: Record<string, unknown>): unknown => fees({ sizing: { mode: 'all_in', whole_units: true }, fee_per_unit: 0.005, ...execution }, [all(4.97), all(4.97), all(4.97), all(4.97)])
    expect(shares({ initial_cash: 999, fee_min: 5 })).toEqual([[200, 10]])
    expect(shares({ initial_cash: 998.99, fee_min: 5 })).toEqual([[199, 10]])
    // … and where a fee by the unit is more than the least: 200 × 4.975 = 995.
    expect(shares({ initial_cash: 995, fee_min: 0.5 })).toEqual([[200, 2]])
    expect(shares({ initial_cash: 994.99, fee_min: 0.5 })).toEqual([[199, 1.99]])
    for (const direction of ['long', 'short']) for (const intrabar of ['pessimistic', 'ohlc']) {
      const short = { direction, intrabar_path: intrabar, fee_per_unit: 0.5, fee_min: 100, sizing: { mode: 'fraction', value: 0.5 } }
      expect(run({ rows: [all(10), all(10), all(10), all(10)], says: direction === 'long' ? 'L l . .' : 'S s . .', execution: short }).trades.map((t) => [t.units, t.fees])).toEqual([[40, 200]])
    }
    // An amount that does not pay the least fee buys nothing.
    expect(run({ rows: [all(10), all(10)], says: 'L .', execution: { fee_per_unit: 0.005, fee_min: 50, sizing: { mode: 'cash', value: 40 } } }).summary).toMatchObject({ rejected_entries: 1, open_position: null })
  })
  test.each([
    ['all_in', { mode: 'all_in' }, 80], ['fraction', { mode: 'fraction', value: 0.5 }, 40], ['cash', { mode: 'cash', value: 200 }, 16], ['units', { mode: 'units', value: 3 }, 3],
    ['risk', { mode: 'risk', value: 0.0625 }, 12.5], ['floored', { mode: 'cash', value: 210, whole_units: true }, 16], ['by lots', { mode: 'cash', value: 200, lot_size: 5 }, 15],
  ])('F8 size by %s', (_name, sizing, units) => {
    // A unit costs 10 × 1.25 = 12.5; the stop lies 5 below.
    const { summary } = run({ rows: [all(10), all(10)], says: 'L .', execution: { fee_rate: 0.25, stop_loss: 0.5, sizing } })
    expect((summary['open_position'] as { units: number }).units).toBe(units)
  })
  test('F8 what cannot be paid, or is too small, is no entry', () => {
    for (const sizing of [{ mode: 'units', value: 101 }, { mode: 'cash', value: 5, whole_units: true }, { mode: 'cash', value: 100, min_notional: 128 }]) {
      expect(run({ rows: [all(10), all(10)], says: 'L .', execution: { sizing } }).summary).toMatchObject({ rejected_entries: 1, open_position: null })
    }
  })
  test('F9 borrowing is free: with leverage cash is negative, and nothing is owed', () => {
    const one = { rows: [all(10), all(10), all(10)], says: 'L . .', execution: { leverage: 4, sizing: { mode: 'all_in' } } }
    expect(equityOf(one)).toEqual([1000, 1000, 1000])
    expect(run(one).summary).toMatchObject({ interest_paid: 0, open_position: { units: 400 } })
  })
})

describe('stops and targets', () => {
  const entry = [all(8), all(8)]
  test('F10 fractions of the fill or of the deciding close; a touch fills', () => {
    expect(tradesOf({ rows: [...entry, [8, 8, 6, 8]], says: 'L . .', execution: { stop_loss: 0.25 } })).toEqual([['stop_loss', 1, 8, 2, 6]])
    expect(tradesOf({ rows: [all(16), [8, 8, 8, 8], [8, 12, 8, 8]], says: 'L . .', execution: { stop_loss: 0.75, take_profit: 0.0625, stop_reference: 'signal_close' } })).toEqual([])
    expect(tradesOf({ rows: [all(16), [8, 17, 8, 8]], says: 'L .', execution: { take_profit: 0.0625, stop_reference: 'signal_close' } })).toEqual([['take_profit', 1, 8, 1, 17]])
  })
  test('F10 an exact touch fills, whatever doubles make of its level', () => {
    const touched = (price: number, extreme: number, execution: Record<string, unknown>, says = 'L . .') =>
      tradesOf({ rows: [all(price), all(price), [price, Math.max(price, extreme), Math.min(price, extreme), price]], says, execution: { direction: 'both', ...execution } })
    // 110 × 1.1 is 121.00000000000001 to doubles.
    expect(touched(110, 121, { take_profit: 0.1 })).toEqual([['take_profit', 1, 110, 2, 121]])
    expect(touched(110, 120.99, { take_profit: 0.1 })).toEqual([])
    expect(touched(0.7, 0.77, { take_profit: 0.1, intrabar_path: 'ohlc' })).toEqual([['take_profit', 1, 0.7, 2, 0.77]])
    expect(touched(19, 17.1, { take_profit: 0.1 }, 'S . .')).toEqual([['take_profit', 1, 19, 2, 17.1]])
    expect(touched(7, 7.35, { stop_loss: 0.05 }, 'S . .')).toEqual([['stop_loss', 1, 7, 2, 7.35]])
    expect(touched(17, 16.15, { stop_loss: 0.05 })).toEqual([['stop_loss', 1, 17, 2, 16.15]])
    expect(touched(17, 16.16, { stop_loss: 0.05 })).toEqual([])
    // At the open as well, where slippage made the price of the entry: 100.1 × 1.1 = 110.11.
    expect(tradesOf({ rows: [all(100), all(100), all(110.11)], says: 'L . .', execution: { slippage: 0.001, take_profit: 0.1 } })).toMatchObject([['take_profit', 1, expect.closeTo(100.1, 9), 2, 110.11]])
    // A stop of 99.9 % lies at 0.1: what is left of a difference has the digits of what it was taken from.
    expect(touched(100, 0.1, { stop_loss: 0.999 })).toEqual([['stop_loss', 1, 100, 2, 0.1]])
    // Bars that a program made itself may have such prices too.
    expect(touched(110, 110 * 1.1, { take_profit: 0.1 })).toEqual([['take_profit', 1, 110, 2, 121]])
    expect(touched(100, 120.99999999999999, { take_profit: 0.21 })).toEqual([['take_profit', 1, 100, 2, 121]])
  })
  test('F10 two levels at one price are a tie, for the stop-loss, and equity of nothing is none', () => {
    expect(tradesOf({ rows: [all(110), all(110), [110, 110, 104.5, 110]], says: 'L . .', execution: { trailing_stop: 0.05, stop_loss: 0.05 } })).toMatchObject([['stop_loss', 1, 110, 2, 104.5]])
    expect(run({ rows: [all(110), all(110), all(55), all(60)], says: 'L . . .', execution: { leverage: 2, sizing: { mode: 'all_in' } } }).trades.map((t) => [t.exitReason, t.exitBar])).toEqual([['liquidation', 2]])
    expect(run({ rows: [all(7), all(7), all(14), all(7)], says: 'S . . .', execution: { direction: 'short', leverage: 1, sizing: { mode: 'all_in' } } }).trades.map((t) => [t.exitReason, t.exitBar])).toEqual([['liquidation', 2]])
    // To doubles 0.3 is nearer to 0.2 than 0.1 is; by decimals they are as near, and the low comes first.
    const near = { stop_loss: 0.5, take_profit: 0.5, intrabar_path: 'adaptive' }
    expect(tradesOf({ rows: [all(0.2), all(0.2), [0.2, 0.3, 0.1, 0.2]], says: 'L . .', execution: near })).toEqual([['stop_loss', 1, 0.2, 2, 0.1]])
    // A hundred million ticks are not one more for a rounding.
    expect(tradesOf({ rows: [all(100_000), all(100_000), [100_000, 110_000, 100_000, 100_000]], says: 'L . .', execution: { tick_size: 0.001, take_profit: 0.1, leverage: 900 } })).toMatchObject([['take_profit', 1, 100_000, 2, 110_000]])
    // A notional of 57 is not below 57.
    expect(run({ rows: [all(100), all(100)], says: 'L .', execution: { sizing: { mode: 'units', value: 0.57, min_notional: 57 } } }).summary).toMatchObject({ rejected_entries: 0 })
  })
  test('F11 in the order of time: the open beyond a level, then the stop, then the target', () => {
    const execution = { stop_loss: 0.25, take_profit: 0.5 }
    expect(tradesOf({ rows: [...entry, [5, 20, 4, 8]], says: 'L . .', execution })).toEqual([['stop_loss', 1, 8, 2, 5]])
    expect(tradesOf({ rows: [...entry, [13, 20, 4, 8]], says: 'L . .', execution })).toEqual([['take_profit', 1, 8, 2, 13]])
    expect(tradesOf({ rows: [...entry, [8, 20, 4, 8]], says: 'L . .', execution })).toEqual([['stop_loss', 1, 8, 2, 6]])
    expect(tradesOf({ rows: [...entry, [8, 12, 7, 8]], says: 'L . .', execution })).toEqual([['take_profit', 1, 8, 2, 12]])
  })
  test('F12 the entry bar counts from its open, or not at all; an entry at the close does not see its bar', () => {
    const rows: Row[] = [all(8), [8, 8, 4, 8], [8, 8, 5, 8]]
    expect(tradesOf({ rows, says: 'L . .', execution: { stop_loss: 0.25 } })).toEqual([['stop_loss', 1, 8, 1, 6]])
    expect(tradesOf({ rows, says: 'L . .', execution: { stop_loss: 0.25, stop_on_entry_bar: false } })).toEqual([['stop_loss', 1, 8, 2, 6]])
    expect(tradesOf({ rows, says: '. L .', execution: { stop_loss: 0.25, fill: 'close' } })).toEqual([['stop_loss', 1, 8, 2, 6]])
  })
  test('F13 a trailing stop hangs below the peak of the bars before; the tighter of two holds', () => {
    const rows: Row[] = [...entry, [8, 16, 8, 16], [16, 16, 11, 12]]
    expect(tradesOf({ rows, says: 'L . . .', execution: { trailing_stop: 0.25 } })).toEqual([['trailing_stop', 1, 8, 3, 12]])
    // The bar that makes the peak falls to 7, below 12: it is tested with the old one.
    expect(tradesOf({ rows: [...entry, [8, 16, 7, 16]], says: 'L . .', execution: { trailing_stop: 0.25 } })).toEqual([])
    expect(tradesOf({ rows: [...entry, [8, 8, 5, 8]], says: 'L . .', execution: { trailing_stop: 0.25, stop_loss: 0.25 } })).toEqual([['stop_loss', 1, 8, 2, 6]])
  })
  test('F14 a signal at the open goes first, or a stop of that bar does and voids it', () => {
    const rows: Row[] = [...entry, [8, 8, 4, 4], all(4)]
    expect(tradesOf({ rows, says: 'L l . .', execution: { stop_loss: 0.25 } })).toEqual([['signal', 1, 8, 2, 8]])
    expect(tradesOf({ rows, says: 'L l . .', execution: { stop_loss: 0.25, stop_priority: 'stop_first' } })).toEqual([['stop_loss', 1, 8, 2, 6]])
  })
  test('F15 stops slip, targets do not', () => {
    expect(tradesOf({ rows: [...entry, [8, 8, 6, 8]], says: 'L . .', execution: { stop_loss: 0.25, stop_slippage: 0.5 } })).toEqual([['stop_loss', 1, 8, 2, 3]])
    expect(tradesOf({ rows: [...entry, [8, 12, 8, 8]], says: 'L . .', execution: { take_profit: 0.5, stop_slippage: 0.5 } })).toEqual([['take_profit', 1, 8, 2, 12]])
  })
})

describe('the end', () => {
  test('F16 equity of zero or less closes everything, for good', () => {
    const { trades, equity } = run({ rows: [all(10), all(10), all(5), all(20), all(20)], says: 'L . . L .', execution: { leverage: 2, sizing: { mode: 'all_in' } } })
    expect(trades.map((t) => [t.exitReason, t.exitBar])).toEqual([['liquidation', 2]])
    expect([...equity]).toEqual([1000, 1000, 0, 0, 0])
  })
  test('F17 valued, or closed at the last open or close', () => {
    const rows: Row[] = [all(8), all(8), [16, 32, 16, 32]]
    expect(run({ rows, says: 'L . .' }).summary).toMatchObject({ final_equity: 1096, open_position: { units: 4 } })
    expect(tradesOf({ rows, says: 'L . .', execution: { finalize: 'close_last_open' } })).toEqual([['end', 1, 8, 2, 16]])
    expect(tradesOf({ rows, says: 'L . .', execution: { finalize: 'close_last_close' } })).toEqual([['end', 1, 8, 2, 32]])
    expect(equityOf({ rows, says: 'L . .', execution: { finalize: 'close_last_open' } }).at(-1)).toBe(1032)
  })
  test('F18 equity is cash and units at the close', () => {
    expect(equityOf({ rows: [all(8), [8, 16, 8, 16], all(4), all(4)], says: 'L . l .' })).toEqual([1000, 1032, 984, 984])
  })
  test('F19 a window begins flat; earlier decisions do not count', () => {
    const bars = barsOf([all(8), all(8), all(16), all(16)])
    const strategy = defineStrategy({ name: 'x', params: {}, signals: ({ length }) => ({ longEntry: new Uint8Array(length).fill(1, 0, 2) }) })
    const spec = parseBacktestSpec({ strategy: { name: 'x' }, execution: { initial_cash: 1000 } }, { barsGiven: true })
    expect(runBacktest(bars, strategy, spec, {}, { from: 1, to: 4 }).summary['open_position']).toMatchObject({ entry_bar: 2 })
    expect(runBacktest(bars, strategy, spec, {}, { from: 2, to: 4 }).summary['open_position']).toBeNull()
  })
})

describe('orders and lots', () => {
  const three = [all(8), all(8), all(16), all(32)]
  test('F20 an entry in a position is ignored, adds a lot, or replaces', () => {
    expect(run({ rows: three, says: 'L L . .' }).summary['open_position']).toMatchObject({ units: 4, entry_price: 8 })
    const added = run({ rows: [...three, all(32)], says: 'L L L l .', execution: { entry_when_in_position: 'add', max_entries: 2 } })
    expect(added.trades.map((t) => [t.units, t.entryBar, t.entryPrice, t.exitBar])).toEqual([[4, 1, 8, 4], [4, 2, 16, 4]])
    expect(tradesOf({ rows: three, says: 'L L . .', execution: { entry_when_in_position: 'replace' } })).toEqual([['signal', 1, 8, 2, 16]])
    // Each lot has a stop of its own: 16 × 0.75 = 12 is hit, 8 × 0.75 = 6 is not.
    expect(tradesOf({ rows: [...three.slice(0, 3), [16, 16, 11, 16]], says: 'L L . .', execution: { entry_when_in_position: 'add', stop_loss: 0.25 } })).toEqual([['stop_loss', 2, 16, 3, 12]])
  })
  test('F21 a stop two ATR below; without an ATR there is no entry', () => {
    // The true range of bar 1 is 4, so ATR(1) is 4 when bar 1 decides: the stop is 32 − 8.
    const rows: Row[] = [all(32), [32, 34, 30, 32], all(32), [32, 32, 20, 32]]
    const execution = { stop_loss: { atr: 1, multiple: 2 } }
    expect(tradesOf({ rows, says: '. L . .', execution })).toEqual([['stop_loss', 2, 32, 3, 24]])
    expect(run({ rows, says: 'L . . .', execution }).summary).toMatchObject({ rejected_entries: 1, open_position: null })
  })
  test('F22 a limit rests below and fills at its price or at a better open', () => {
    const order = { type: 'limit', offset: 0.25, bars: 2 }
    expect(run({ rows: [all(8), [8, 8, 7, 8], [8, 8, 5, 8]], says: 'L . .', execution: { entry_order: order } }).summary['open_position']).toMatchObject({ entry_bar: 2, entry_price: 6 })
    expect(run({ rows: [all(8), [5, 8, 5, 8]], says: 'L .', execution: { entry_order: order } }).summary['open_position']).toMatchObject({ entry_price: 5 })
    // Two bars and no longer; and an exit decision removes it before bar 2 opens.
    expect(run({ rows: [all(8), all(8), all(8), all(5)], says: 'L . . .', execution: { entry_order: order } }).summary['open_position']).toBeNull()
    expect(run({ rows: [all(8), all(8), all(5)], says: 'L l .', execution: { entry_order: order } }).summary['open_position']).toBeNull()
  })
  test('F22 a stop rests above and fills as a market order from its level or the open beyond', () => {
    const execution = { entry_order: { type: 'stop', offset: 0.5, bars: null }, slippage: 0.5 }
    expect(run({ rows: [all(8), all(8), [8, 13, 8, 13]], says: 'L . .', execution }).summary['open_position']).toMatchObject({ entry_bar: 2, entry_price: 18 })
    expect(run({ rows: [all(8), [16, 16, 16, 16]], says: 'L .', execution }).summary['open_position']).toMatchObject({ entry_price: 24 })
  })
  test('F22 the spread must leave a limit its price', () => {
    // At a spread of a half, a limit of 6 needs a raw price of 4.
    const execution = { entry_order: { type: 'limit', offset: 0.25 }, spread: 0.5 }
    expect(run({ rows: [all(8), [8, 8, 4.5, 8]], says: 'L .', execution }).summary['open_position']).toBeNull()
    expect(run({ rows: [all(8), [8, 8, 4, 8]], says: 'L .', execution }).summary['open_position']).toMatchObject({ entry_price: 6 })
  })
  test('F23 inside a pessimistic bar a limit may be stopped at once, but not reach its target', () => {
    const limit = { entry_order: { type: 'limit', offset: 0.25 }, stop_loss: 0.5, take_profit: 0.5 }
    expect(tradesOf({ rows: [all(8), [8, 8, 3, 8]], says: 'L .', execution: limit })).toEqual([['stop_loss', 1, 6, 1, 3]])
    expect(tradesOf({ rows: [all(8), [8, 20, 5, 8]], says: 'L .', execution: limit })).toEqual([])
    const stop = { entry_order: { type: 'stop', offset: 0.5 }, stop_loss: 0.5, take_profit: 0.5 }
    expect(tradesOf({ rows: [all(8), [8, 20, 7, 8]], says: 'L .', execution: stop })).toEqual([['take_profit', 1, 12, 1, 18]])
    expect(tradesOf({ rows: [all(8), [8, 20, 6, 8]], says: 'L .', execution: stop })).toEqual([['stop_loss', 1, 12, 1, 6]])
  })
  test.each([
    ['ohlc', [['take_profit', 1, 8, 2, 12]]], ['olhc', [['stop_loss', 1, 8, 2, 6]]],
    // The open lies 4 below the high and 3 above the low: the low comes first.
    ['adaptive', [['stop_loss', 1, 8, 2, 6]]],
  ])('F24 along %s', (path, trades) => {
    expect(tradesOf({ rows: [all(8), all(8), [8, 12, 5, 8]], says: 'L . .', execution: { stop_loss: 0.25, take_profit: 0.5, intrabar_path: path } })).toEqual(trades)
  })
  test('F24 a trailing stop is raised by a bar and hit in it; an order fills on the way and is watched from there', () => {
    expect(tradesOf({ rows: [all(8), all(8), [8, 16, 8, 10]], says: 'L . .', execution: { trailing_stop: 0.25, intrabar_path: 'ohlc' } })).toEqual([['trailing_stop', 1, 8, 2, 12]])
    const execution = { entry_order: { type: 'limit', offset: 0.25 }, take_profit: 0.5, intrabar_path: 'olhc' }
    expect(tradesOf({ rows: [all(8), [8, 10, 5, 8]], says: 'L .', execution })).toEqual([['take_profit', 1, 6, 1, 9]])
  })
  test('F25 levels and fills lie on ticks, against the trader', () => {
    // Bought at 8.1 → 8.5; the stop at 6.375 → 6; sold there less a tenth, 5.4 → 5.
    const execution = { tick_size: 0.5, stop_loss: 0.25, spread: 0.0125, stop_slippage: 0.1 }
    expect(tradesOf({ rows: [all(8), all(8), [8, 8, 6, 8]], says: 'L . .', execution })).toEqual([['stop_loss', 1, 8.5, 2, 5]])
    expect(tradesOf({ rows: [all(8), all(8), [8, 11, 8, 8]], says: 'L . .', execution: { tick_size: 0.5, take_profit: 0.34375 } })).toEqual([['take_profit', 1, 8, 2, 11]])
  })
  test('F26 what is refused at the entry never holds up an exit', () => {
    const execution = { sizing: { mode: 'units', value: 4, min_notional: 30 } }
    expect(tradesOf({ rows: [all(8), all(8), all(1), all(1)], says: 'L l . .', execution })).toEqual([['signal', 1, 8, 2, 1]])
  })
})

describe('holding and perpetuals', () => {
  test('F27 what is owed is cash, and no trade\'s', () => {
    const { trades, summary } = run({ rows: [all(8), all(8), all(8), all(8)], says: 'S . s .', execution: { direction: 'short', borrow_rate: 3.65 } })
    expect(trades[0]?.pnl).toBeCloseTo(0, 12)
    expect(summary).toMatchObject({ interest_paid: expect.closeTo(2 * 32 * 0.01, 12) as number, final_equity: expect.closeTo(1000 - 0.64, 12) as number })
  })
  test('F28 interest on negative cash, or on what is short, from bar to bar', () => {
    // 400 units at 10 are 4000 of which 3000 are borrowed: 1 % a day.
    const { equity } = run({ rows: [all(10), all(10), all(10)], says: 'L . .', execution: { borrow_rate: 3.65, leverage: 4, sizing: { mode: 'all_in' } } })
    expect(equity[1]).toBe(1000)
    expect(equity[2]).toBeCloseTo(970, 10)
  })
  test('F29 funding at its times, from longs to shorts, on what was held over', () => {
    const perpetual = { market: 'perpetual', funding: { rate: 0.25, interval_hours: 8 } }
    const rows = [all(8), all(8), all(8)]
    // Bars of a day: three fundings of 8 each between the open of bar 1, where the entry fills, and the open of bar 2.
    expect(equityOf({ rows, says: 'L . .', execution: perpetual })).toEqual([1000, 1000, 976])
    expect(equityOf({ rows, says: 'S . .', execution: { ...perpetual, direction: 'short' } })).toEqual([1000, 1000, 1024])
    // Bars of four hours: the one at 8:00 finds only what was held before it.
    expect(equityOf({ rows: [...rows, all(8)], says: 'L . . .', execution: perpetual, stepHours: 4 })).toEqual([1000, 1000, 992, 992])
    expect(equityOf({ rows: [...rows, all(8)], says: '. L . .', execution: perpetual, stepHours: 4 })).toEqual([1000, 1000, 1000, 1000])
    // Bought at the close of the day before: only the one at midnight.
    expect(equityOf({ rows, says: '. L .', execution: { ...perpetual, fill: 'close' } })).toEqual([1000, 1000, 992])
    // Stamped some milliseconds off, or a minute: it is the one at 8:00 all the same, for who leaves there, who comes there and who came just before.
    for (const time of ['2024-01-01T08:00:00Z', '2024-01-01T08:00:00.005Z', '2024-01-01T07:59:59.998Z', '2024-01-01T08:00:59Z']) {
      const stamped = { market: 'perpetual', funding: [{ time, rate: 0.25 }] }
      const hours = { rows: Array.from({ length: 10 }, () => all(8)), execution: stamped, stepHours: 1 }
      expect([time, run({ ...hours, says: 'L . . . . . . l . .' }).summary['funding_paid']]).toEqual([time, 8])
      expect([time, run({ ...hours, says: '. . . . . . . L . .' }).summary['funding_paid']]).toEqual([time, 0])
      expect([time, run({ ...hours, says: '. . . . . . . L . .', execution: { ...stamped, fill: 'close' } }).summary['funding_paid']]).toEqual([time, 8])
      // Of quarters of a minute only a quarter of that is on time.
      const seconds = { rows: Array.from({ length: 4 * 482 }, () => all(8)), says: `${'. '.repeat(4 * 480 - 1)}L`, execution: stamped, stepHours: 1 / 240 }
      expect([time, run(seconds).summary['funding_paid']]).toEqual([time, time.includes('59Z') ? 8 : 0])
    }
    // Two minutes late is late.
    expect(run({ rows: Array.from({ length: 10 }, () => all(8)), says: '. . . . . . . L . .', execution: { market: 'perpetual', funding: [{ time: '2024-01-01T08:02:00Z', rate: 0.25 }] }, stepHours: 1 }).summary['funding_paid']).toBe(8)
    // Bars that are stamped late themselves, with a rate of every eight hours.
    const late = (says: string, offHours: number) => run({ rows: Array.from({ length: 10 }, () => all(8)), says, execution: perpetual, stepHours: 1, offHours }).summary['funding_paid']
    for (const off of [0, 0.002 / 3600, -0.002 / 3600]) expect([off, late('L . . . . . . l . .', off), late('. . . . . . . L . .', off)]).toEqual([off, 8, 0])
    // An interval of 36 seconds, and bars 18 past every hour: 100 a bar, none of them early.
    const often = { market: 'perpetual', funding: { rate: 2 ** -10, interval_hours: 0.01 } }
    expect(run({ rows: [all(8), all(8), all(8)], says: 'L . .', execution: often, stepHours: 1, offHours: 18 / 3600 }).summary['funding_paid']).toBe((4 * 8 * 100) / 1024)
    expect(run({ rows: [all(8), all(8), all(8)], says: '. L .', execution: { ...often, fill: 'close' }, stepHours: 1, offHours: 18 / 3600 }).summary['funding_paid']).toBe(0)
    const listed = { market: 'perpetual', funding: [{ time: '2024-01-02T12:00:00Z', rate: 0.5 }, { time: '2024-01-05', rate: 1 - 2 ** -10 }] }
    expect(equityOf({ rows, says: 'L . .', execution: listed })).toEqual([1000, 1000, 984])
  })
  test('F30 the margin is lost where the maintenance begins, and never more than it', () => {
    // 16 units at 8 with leverage 2: margin 64. At a maintenance of 1/16 the price is (128 − 64) ÷ (16 × 15/16) = 4.2667.
    const execution = { market: 'perpetual', leverage: 2, maintenance_margin: 0.0625, sizing: { mode: 'units', value: 16 } }
    const price = 64 / 15
    expect(tradesOf({ rows: [all(8), all(8), [8, 8, 4.5, 8]], says: 'L . .', execution })).toEqual([])
    const hit = run({ rows: [all(8), all(8), [8, 8, 4.25, 8], all(8), all(8)], says: 'L . . L .', execution })
    expect(hit.trades.map((t) => [t.exitReason, t.exitBar])).toEqual([['liquidation', 2]])
    expect(hit.trades[0]?.exitPrice).toBeCloseTo(price, 12)
    // Trading goes on.
    expect(hit.summary).toMatchObject({ liquidated: true, open_position: { entry_bar: 4 } })
    // Nobody is told that it stopped.
    expect(hit.summary.warnings).toEqual(['1 of 1 trades ended by liquidation, because the isolated margin was used up (leverage 2); trading went on with what was left.'])
    // A gap to 1 would cost 112; the margin is 64, gone at 4.
    expect(run({ rows: [all(8), all(8), all(1)], says: 'L . .', execution }).trades).toMatchObject([{ exitReason: 'liquidation', exitPrice: 4, pnl: -64 }])
    expect(run({ rows: [all(8), all(8), [8, 8, 4.25, 8]], says: 'L . .', execution: { ...execution, liquidation_fee: 0.015625 } }).trades[0]?.pnl).toBeCloseTo(-16 * (8 - price) - 16 * price * 0.015625, 10)
  })
  test('F30 tiers: each rate for its part of the notional; a nearer stop goes first', () => {
    // Up to 64 nothing, above it a half. 16 long units from 8, leverage 2: 16 P − 64 = (16 P − 64) ÷ 2 at P = 4.
    const tiers = { market: 'perpetual', leverage: 2, maintenance_margin: [{ up_to: 64, rate: 0 }, { rate: 0.5 }], sizing: { mode: 'units', value: 16 } }
    expect(tradesOf({ rows: [all(8), all(8), [8, 8, 4, 8]], says: 'L . .', execution: tiers })).toEqual([['liquidation', 1, 8, 2, 4]])
    // Short: 64 + 16 (8 − P) = (16 P − 64) ÷ 2 at P = 9.3333.
    const short = run({ rows: [all(8), all(8), [8, 10, 8, 8]], says: 'S . .', execution: { ...tiers, direction: 'short' } })
    expect(short.trades[0]?.exitPrice).toBeCloseTo(28 / 3, 12)
    expect(tradesOf({ rows: [all(8), all(8), [8, 8, 4, 8]], says: 'L . .', execution: { ...tiers, stop_loss: 0.25 } })).toEqual([['stop_loss', 1, 8, 2, 6]])
  })
})
