/** Trade by trade and bar by bar against backtesting.py and vectorbt (golden README), to 1e-9. */
import { describe, expect, test } from 'vitest'
import type { BacktestResult, Trade } from '../../src/engine/index.js'
import { expectClose, goldenDir, goldenRows, googBars, runSmaCross, skipReason } from './golden-data.js'

const WHOLE = { sizing: { mode: 'all_in', whole_units: true } }
const STOPS = { ...WHOLE, stop_loss: 0.05, take_profit: 0.1 }

function expectBacktestingPy(file: string, trades: readonly Trade[]): void {
  const rows = goldenRows(file)
  expect(trades.length).toBe(rows.length)
  rows.forEach((row, k) => {
    const trade = trades[k]
    if (trade === undefined) throw new Error(`trade ${k} is missing`)
    const size = Number(row.Size)
    expect([k, trade.side, trade.units, trade.entryBar, trade.exitBar]).toEqual([k, size > 0 ? 'long' : 'short', Math.abs(size), Number(row.EntryBar), Number(row.ExitBar)])
    expect(new Date(trade.entryTime).toISOString().slice(0, 10)).toBe(row.EntryTime)
    expect(new Date(trade.exitTime).toISOString().slice(0, 10)).toBe(row.ExitTime)
    expectClose(trade.entryPrice, Number(row.EntryPrice), `entry price of trade ${k}`)
    expectClose(trade.exitPrice, Number(row.ExitPrice), `exit price of trade ${k}`)
    expectClose(trade.fees, Number(row.Commission), `fees of trade ${k}`)
    expectClose(trade.pnl, Number(row.PnL), `pnl of trade ${k}`)
    expectClose(trade.return, Number(row.ReturnPct), `return of trade ${k}`)
  })
}

/** vectorbt lists a position still open as a last row; it has no exit of its own. */
function expectVectorbt(file: string, result: BacktestResult): void {
  const all = goldenRows(file)
  const rows = all.filter((row) => row.Status === 'Closed')
  expect(result.trades.length).toBe(rows.length)
  rows.forEach((row, k) => {
    const trade = result.trades[k]
    if (trade === undefined) throw new Error(`trade ${k} is missing`)
    expect([k, trade.side]).toEqual([k, row.Direction?.toLowerCase()])
    expect(new Date(trade.entryTime).toISOString().slice(0, 10)).toBe(row['Entry Timestamp'])
    expect(new Date(trade.exitTime).toISOString().slice(0, 10)).toBe(row['Exit Timestamp'])
    expectClose(trade.units, Number(row.Size), `units of trade ${k}`)
    expectClose(trade.entryPrice, Number(row['Avg Entry Price']), `entry price of trade ${k}`)
    expectClose(trade.exitPrice, Number(row['Avg Exit Price']), `exit price of trade ${k}`)
    expectClose(trade.fees, Number(row['Entry Fees']) + Number(row['Exit Fees']), `fees of trade ${k}`)
    expectClose(trade.pnl, Number(row.PnL), `pnl of trade ${k}`)
    expectClose(trade.return, Number(row.Return), `return of trade ${k}`)
  })
  const open = all.find((row) => row.Status === 'Open')
  const position = result.summary.open_position as { side: string; units: number; entry_price: number; unrealized_pnl: number } | null
  expect(position === null).toBe(open === undefined)
  if (position === null || open === undefined) return
  expect(position.side).toBe(open.Direction?.toLowerCase())
  expectClose(position.units, Number(open.Size), 'units of the open position')
  expectClose(position.entry_price, Number(open['Avg Entry Price']), 'entry price of the open position')
  expectClose(position.unrealized_pnl, Number(open.PnL), 'pnl of the open position')
}

describe.skipIf(goldenDir === undefined)(`recorded trades${goldenDir === undefined ? ` (${skipReason})` : ''}`, () => {
  test('backtesting.py: next open, both directions', () => {
    const result = runSmaCross(googBars(), { ...WHOLE, direction: 'both' })
    expectBacktestingPy('btpy_goog_flip_c002_trades.csv', result.trades)
    expect(result.trades.length).toBe(93)
    expectClose(result.summary.final_equity as number, 56263.51934, 'final equity')
    const equity = goldenRows('btpy_goog_flip_c002_equity.csv')
    expect(result.equity.length).toBe(equity.length)
    equity.forEach((row, bar) => expectClose(result.equity[bar] ?? NaN, Number(row.Equity), `equity at bar ${bar}`))
  })

  test('backtesting.py: the signal bar\'s close, both directions', () => {
    const result = runSmaCross(googBars(), { ...WHOLE, direction: 'both', fill: 'close' })
    expectBacktestingPy('btpy_goog_flip_close_trades.csv', result.trades)
    expect((result.summary.warnings as string[]).some((warning) => warning.includes('fill "close"'))).toBe(true)
  })

  test('backtesting.py: next open, long only', () => {
    const result = runSmaCross(googBars(), WHOLE)
    expectBacktestingPy('btpy_goog_long_c002_trades.csv', result.trades)
    expectClose(result.summary.final_equity as number, 63341.19136, 'final equity')
  })

  test('backtesting.py: stop and target of the signal close, closed at the last open', () => {
    const result = runSmaCross(googBars(), { ...STOPS, stop_reference: 'signal_close', finalize: 'close_last_open' })
    expectBacktestingPy('btpy_goog_long_sl5_tp10_trades.csv', result.trades)
    expectClose(result.summary.final_equity as number, 32063.596604, 'final equity')
    const reasons = new Set(result.trades.map((trade) => trade.exitReason))
    expect([...reasons].sort()).toEqual(['signal', 'stop_loss', 'take_profit'])
  })

  test('vectorbt B: next open, long only, fractional', () => {
    const result = runSmaCross(googBars(), {})
    expectVectorbt('vbt_trades_B_nextopen_longonly.csv', result)
    expectClose(result.summary.final_equity as number, 64161.29767, 'final equity', 1e-5 / 64161)
  })

  test('vectorbt D: next open, both directions, fractional', () => {
    const result = runSmaCross(googBars(), { direction: 'both' })
    expectVectorbt('vbt_trades_D_nextopen_longshort_frac.csv', result)
    expectClose(result.summary.final_equity as number, 57809.68193, 'final equity', 1e-5 / 57809)
  })

  test('vectorbt: stop and target of the fill price, none on the entry bar, stop before signal', () => {
    const result = runSmaCross(googBars(), { ...STOPS, stop_on_entry_bar: false, stop_priority: 'stop_first' })
    expectVectorbt('vbt_goog_long_nextopen_sl5_tp10_fillprice.csv', result)
    expect((result.summary.warnings as string[]).some((warning) => warning.includes('stop_first'))).toBe(true)
  })
})
