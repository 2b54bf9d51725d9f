/** Properties of the execution kernel: equal to the plain reference, reconciled at every bar, blind to the future. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BacktestSpec, ExecutionSpec } from '../../src/engine/index.js'
import { runBacktest } from '../../src/engine/index.js'
import { parseExecution } from '../../src/engine/specs/execution-spec.js'
import { refusal } from '../unit/engine/refusal.js'
import { caseArbitrary, fullCaseArbitrary, maskStrategy } from './engine-arbitraries.js'
import { referenceRun } from './execution-reference.js'

const RUNS = { numRuns: 2000 }

const specOf = (execution: ExecutionSpec): BacktestSpec => ({ bars: {}, strategy: { name: 'masks', params: {} }, execution, metrics: { riskFree: 0 } })

function near(actual: number, expected: number, scale: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.max(scale, Math.abs(expected))
}

/** Such an account has a rounding error left, and whether that is above zero, so that it can enter again, is nobody's rule. */
function lostEverything(equity: ArrayLike<number>, { initialCash }: ExecutionSpec): boolean {
  return Array.from(equity).some((value) => Math.abs(value) < 1e-9 * initialCash)
}

test('the kernels equal the bar-by-bar reference for every execution', () => {
  const seen = new Map<string, number>()
  fc.assert(fc.property(fullCaseArbitrary, ({ bars, masks, execution }) => {
    const fast = runBacktest(bars, maskStrategy(masks), specOf(execution))
    const slow = referenceRun(bars, masks, execution)
    if (lostEverything(slow.equity, execution)) return
    for (const what of slow.seen) seen.set(what, (seen.get(what) ?? 0) + 1)
    seen.set(execution.intrabarPath, (seen.get(execution.intrabarPath) ?? 0) + 1)
    expect(fast.trades.map((t) => [t.side, t.entryBar, t.exitBar, t.exitReason])).toEqual(slow.trades.map((t) => [t.side, t.entryBar, t.exitBar, t.exitReason]))
    expect(fast.summary.rejected_entries).toBe(slow.rejected)
    slow.trades.forEach((trade, k) => {
      const other = fast.trades[k]
      if (other === undefined) throw new Error('a trade is missing')
      for (const key of ['units', 'entryPrice', 'exitPrice', 'pnl', 'fees'] as const) {
        if (!near(other[key], trade[key], execution.initialCash)) throw new Error(`${key} of trade ${k}: ${other[key]}, reference ${trade[key]}`)
      }
    })
    slow.equity.forEach((value, bar) => {
      if (!near(fast.equity[bar] ?? NaN, value, execution.initialCash)) throw new Error(`equity at bar ${bar}: ${fast.equity[bar]}, reference ${value}`)
    })
  }), { numRuns: 6000 })
  const reached = [
    'exit end', 'exit liquidation', 'exit margin', 'exit signal', 'exit stop_loss', 'exit take_profit', 'exit trailing_stop', 'entry market', 'entry limit', 'order limit', 'order stop',
    'order removed', 'order expired', 'add', 'replace', 'no ATR yet', 'interest', 'funding', 'pessimistic', 'ohlc', 'olhc', 'adaptive',
  ]
  expect(reached.filter((what) => (seen.get(what) ?? 0) < 30)).toEqual([])
})

test('cash, units and fills reconcile at every bar', () => {
  fc.assert(fc.property(caseArbitrary, ({ bars, masks, execution }) => {
    const result = runBacktest(bars, maskStrategy(masks), specOf(execution))
    const open = result.summary.open_position as { side: string; units: number; entry_bar: number; entry_price: number; entry_fee: number } | null
    const fills: { bar: number; cash: number; units: number }[] = []
    for (const t of result.trades) {
      const side = t.side === 'long' ? 1 : -1
      const exitFee = Math.max(t.units * t.exitPrice * execution.feeRate + t.units * execution.feePerUnit + execution.feeFixed, execution.feeMin)
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

test('an all-in entry by whole units pays its fee, and one unit more would not', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 100, max: 10_000_000 }), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 9 }), (cents, cash, perUnit, least, rate, fixed) => {
    const at = cents / 100
    const bars = { length: 2, time: Float64Array.of(0, 1), open: Float64Array.of(at, at), high: Float64Array.of(at, at), low: Float64Array.of(at, at), close: Float64Array.of(at, at), volume: new Float64Array(2) }
    if ((perUnit === 0 && rate === 0) || fixed * 100 >= least) return
    const execution = parseExecution({ initial_cash: cash / 100, sizing: { mode: 'all_in', whole_units: true }, fee_per_unit: perUnit / 10_000, fee_min: least / 100, fee_rate: rate / 10_000, fee_fixed: fixed })
    const { summary } = runBacktest(bars, maskStrategy({ longEntry: Uint8Array.of(1, 0), longExit: new Uint8Array(2) }), specOf(execution))
    const units = BigInt((summary.open_position as { units: number } | null)?.units ?? 0)
    // In ten-thousandths of a cent.
    const cost = (n: bigint): bigint => {
      const fee = n * BigInt(cents) * BigInt(rate) + n * BigInt(perUnit) * 100n + BigInt(fixed) * 1_000_000n
      return n * BigInt(cents) * 10_000n + (fee > BigInt(least) * 10_000n ? fee : BigInt(least) * 10_000n)
    }
    const has = BigInt(cash) * 10_000n
    expect([units === 0n || cost(units) <= has, cost(units + 1n) > has]).toEqual([true, true])
  }), { numRuns: 2000 })
})

test('what was earned, paid and is still open makes the final equity, with lots, interest and funding', () => {
  let paid = 0
  fc.assert(fc.property(fullCaseArbitrary, ({ bars, masks, execution }) => {
    const { trades, summary, equity } = runBacktest(bars, maskStrategy(masks), specOf(execution))
    const open = summary.open_position as { unrealized_pnl: number } | null
    const costs = (summary.interest_paid as number) + (summary.funding_paid as number)
    if (costs !== 0) paid += 1
    const made = trades.reduce((sum, { pnl }) => sum + pnl, open?.unrealized_pnl ?? 0)
    const scale = execution.initialCash * execution.leverage + trades.reduce((sum, { pnl }) => sum + Math.abs(pnl), 0) + Math.abs(costs)
    expect(Math.abs((equity.at(-1) ?? NaN) - (execution.initialCash + made - costs)) / scale).toBeLessThan(1e-9)
  }), RUNS)
  expect(paid).toBeGreaterThan(50)
})

test('all prices and all money times four: the same units, four times the equity', () => {
  const four = (column: Float64Array): Float64Array => column.map((value) => value * 4)
  fc.assert(fc.property(fullCaseArbitrary, ({ bars, masks, execution: e }) => {
    const scaled: ExecutionSpec = {
      ...e, initialCash: e.initialCash * 4, feeFixed: e.feeFixed * 4, feePerUnit: e.feePerUnit * 4, feeMin: e.feeMin * 4, tickSize: e.tickSize === null ? null : e.tickSize * 4,
      sizing: { ...e.sizing, minNotional: e.sizing.minNotional * 4, value: e.sizing.mode === 'cash' ? (e.sizing.value ?? 0) * 4 : e.sizing.value },
      perpetual: e.perpetual === null ? null : { ...e.perpetual, maintenance: e.perpetual.maintenance.map(({ upTo, rate }) => ({ upTo: upTo * 4, rate })) },
    }
    const larger = { ...bars, open: four(bars.open), high: four(bars.high), low: four(bars.low), close: four(bars.close) }
    const [one, other] = [runBacktest(bars, maskStrategy(masks), specOf(e)), runBacktest(larger, maskStrategy(masks), specOf(scaled))]
    if (lostEverything(one.equity, e)) return
    // Levels are written in decimals, so that a factor of two moves their last digit; without them nothing moves.
    const hasLevels = e.stopLoss !== null || e.takeProfit !== null || e.trailingStop !== null || e.entryOrder !== null || e.perpetual !== null
    if (!hasLevels) expect(other.equity).toEqual(four(one.equity))
    one.equity.forEach((value, bar) => { expect(near(other.equity[bar] ?? NaN, value * 4, scaled.initialCash * e.leverage)).toBe(true) })
    expect(other.trades.map((t) => [t.entryBar, t.exitBar, t.exitReason])).toEqual(one.trades.map((t) => [t.entryBar, t.exitBar, t.exitReason]))
    other.trades.forEach((t, k) => {
      const { units = NaN, entryPrice = NaN, exitPrice = NaN } = one.trades[k] ?? {}
      expect([near(t.units, units, 0), near(t.entryPrice, entryPrice * 4, 0), near(t.exitPrice, exitPrice * 4, 0)]).toEqual([true, true, true])
    })
  }), RUNS)
})

test('changing later bars changes nothing before them', () => {
  fc.assert(fc.property(fullCaseArbitrary, fc.nat(), fc.double({ min: 0.2, max: 5, noNaN: true }), ({ bars, masks, execution }, at, factor) => {
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

test('bars, masks and specs with NaN or infinities are errors, never numbers', () => {
  const odd = fc.constantFrom(NaN, Infinity, -Infinity)
  const column = fc.constantFrom('time', 'open', 'high', 'low', 'close', 'volume')
  fc.assert(fc.property(caseArbitrary, column, fc.nat(), odd, ({ bars, masks, execution }, name, at, value) => {
    const bad = { ...bars, [name]: bars[name as 'close'].slice() }
    bad[name as 'close'][at % bars.length] = value
    const error = refusal(() => runBacktest(bad, maskStrategy(masks), specOf(execution)))
    expect([error.code, error.details]).toEqual(['DATA_INVALID', { column: name, bar: at % bars.length }])
  }), { numRuns: 500 })
  fc.assert(fc.property(caseArbitrary, odd, fc.nat(), ({ bars, masks, execution }, value, at) => {
    const bad = { ...masks, longEntry: Array.from(masks.longEntry, (bit, i) => (i === at % bars.length ? value : bit)) as never }
    expect(refusal(() => runBacktest(bars, maskStrategy(bad), specOf(execution))).code).toBe('STRATEGY_FAILED')
  }), { numRuns: 500 })
  const numbers = [
    'initial_cash', 'fee_rate', 'fee_fixed', 'fee_per_unit', 'fee_min', 'maker_fee_rate', 'spread', 'slippage', 'stop_slippage', 'leverage', 'stop_loss', 'take_profit', 'trailing_stop', 'tick_size', 'borrow_rate', 'max_entries',
  ]
  for (const value of [NaN, Infinity, -Infinity]) {
    const parse = (execution: Record<string, unknown>) => (): unknown => parseExecution(execution)
    for (const key of numbers) expect([key, refusal(parse({ [key]: value })).code]).toEqual([key, 'SPEC_INVALID'])
    for (const mode of ['fraction', 'cash', 'units', 'risk']) expect(refusal(parse({ stop_loss: 0.1, sizing: { mode, value } })).code).toBe('SPEC_INVALID')
    for (const distance of [{ atr: value, multiple: 1 }, { atr: 14, multiple: value }]) expect(refusal(parse({ stop_loss: distance })).code).toBe('SPEC_INVALID')
    expect(refusal(parse({ market: 'perpetual', maintenance_margin: value })).code).toBe('SPEC_INVALID')
    expect(refusal(parse({ market: 'perpetual', funding: { rate: value } })).code).toBe('SPEC_INVALID')
  }
})
