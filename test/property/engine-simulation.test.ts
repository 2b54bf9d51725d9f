/** Properties of the execution kernel: equal to the plain reference, reconciled at every bar, blind to the future. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BacktestSpec, ExecutionSpec } from '../../src/engine/index.js'
import { runBacktest } from '../../src/engine/index.js'
import { caseArbitrary, maskStrategy } from './engine-arbitraries.js'
import { referenceRun } from './engine-reference.js'

const RUNS = { numRuns: 2000 }

const specOf = (execution: ExecutionSpec): BacktestSpec => ({ bars: {}, strategy: { name: 'masks', params: {} }, execution, metrics: { riskFree: 0 } })

function near(actual: number, expected: number, scale: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.max(scale, Math.abs(expected))
}

test('the kernel equals the bar-by-bar reference for every execution', () => {
  const reasons = new Set<string>()
  fc.assert(fc.property(caseArbitrary, ({ bars, masks, execution }) => {
    const fast = runBacktest(bars, maskStrategy(masks), specOf(execution))
    const slow = referenceRun(bars, masks, execution)
    expect(fast.trades.map((t) => [t.side, t.entryBar, t.exitBar, t.exitReason])).toEqual(slow.trades.map((t) => [t.side, t.entryBar, t.exitBar, t.exitReason]))
    expect(fast.summary.rejected_entries).toBe(slow.rejected)
    slow.trades.forEach((trade, k) => {
      reasons.add(trade.exitReason)
      const other = fast.trades[k]
      if (other === undefined) throw new Error('a trade is missing')
      for (const key of ['units', 'entryPrice', 'exitPrice', 'pnl', 'fees'] as const) {
        if (!near(other[key], trade[key], execution.initialCash)) throw new Error(`${key} of trade ${k}: ${other[key]}, reference ${trade[key]}`)
      }
    })
    slow.equity.forEach((value, bar) => {
      if (!near(fast.equity[bar] ?? NaN, value, execution.initialCash)) throw new Error(`equity at bar ${bar}: ${fast.equity[bar]}, reference ${value}`)
    })
  }), RUNS)
  expect([...reasons].sort()).toEqual(['end', 'liquidation', 'signal', 'stop_loss', 'take_profit', 'trailing_stop'])
})

test('cash, units and fills reconcile at every bar', () => {
  fc.assert(fc.property(caseArbitrary, ({ bars, masks, execution }) => {
    const result = runBacktest(bars, maskStrategy(masks), specOf(execution))
    const open = result.summary.open_position as { side: string; units: number; entry_bar: number; entry_price: number; entry_fee: number } | null
    const fills: { bar: number; cash: number; units: number }[] = []
    for (const t of result.trades) {
      const side = t.side === 'long' ? 1 : -1
      const exitFee = t.units * t.exitPrice * execution.feeRate + execution.feeFixed
      fills.push({ bar: t.entryBar, units: side * t.units, cash: -side * t.units * t.entryPrice - (t.fees - exitFee) })
      fills.push({ bar: t.exitBar, units: -side * t.units, cash: side * t.units * t.exitPrice - exitFee })
    }
    if (open !== null) {
      const side = open.side === 'long' ? 1 : -1
      fills.push({ bar: open.entry_bar, units: side * open.units, cash: -side * open.units * open.entry_price - open.entry_fee })
    }
    for (let bar = 0; bar < bars.length; bar++) {
      const past = fills.filter((fill) => fill.bar <= bar)
      const cash = past.reduce((sum, fill) => sum + fill.cash, execution.initialCash)
      const units = past.reduce((sum, fill) => sum + fill.units, 0)
      const expected = cash + units * (bars.close[bar] ?? NaN)
      const scale = execution.initialCash * execution.leverage + Math.abs(cash)
      if (Math.abs((result.equity[bar] ?? NaN) - expected) > 1e-9 * scale) throw new Error(`bar ${bar}: equity ${result.equity[bar]}, cash and units give ${expected}`)
    }
  }), RUNS)
})

test('changing later bars changes nothing before them', () => {
  fc.assert(fc.property(caseArbitrary, fc.nat(), fc.double({ min: 0.2, max: 5, noNaN: true }), ({ bars, masks, execution }, at, factor) => {
    // Closing at the end belongs to the last bar, wherever that is; here the past of both runs is compared.
    const spec = specOf({ ...execution, finalize: 'mark_to_market' })
    const first = 1 + (at % (bars.length - 1))
    const change = (column: Float64Array): Float64Array => column.map((value, i) => (i < first ? value : value * factor))
    const changed = { ...bars, open: change(bars.open), high: change(bars.high), low: change(bars.low), close: change(bars.close) }
    const [before, after] = [bars, changed].map((each) => runBacktest(each, maskStrategy(masks), spec))
    expect(after?.equity.slice(0, first)).toEqual(before?.equity.slice(0, first))
    const past = (trades = before?.trades) => trades?.filter((trade) => trade.exitBar < first)
    expect(past(after?.trades)).toEqual(past())
    // Nor does leaving them out.
    const short = runBacktest(bars, maskStrategy(masks), spec, {}, { from: 0, to: first })
    expect(short.equity).toEqual(before?.equity.slice(0, first))
  }), RUNS)
})
