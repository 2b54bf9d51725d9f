/**
 * F10 against exact arithmetic: prices are whole ticks, fractions whole thousandths, so every level is a fraction of whole
 * numbers. A price that reaches it fills, and one that is a tick short does not: in both kernels, on every path, on both sides.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSimulation } from '../../src/engine/simulate/create-simulation.js'
import { LONG_ENTRY, SHORT_ENTRY } from '../../src/engine/simulate/decisions.js'
import { isFast } from '../../src/engine/simulate/fast-simulation.js'
import { FullSimulation } from '../../src/engine/simulate/full-simulation.js'
import type { Simulation } from '../../src/engine/simulate/simulation.js'
import { parseExecution } from '../../src/engine/specs/execution-spec.js'
import { written } from '../../src/engine/simulate/written-price.js'
import type { BarColumns } from '../../src/market/layout.js'

type Row = readonly [open: bigint, high: bigint, low: bigint, close: bigint]
/** A price in ticks: numerator and denominator, both above 0. */
interface Fraction { readonly over: bigint; readonly under: bigint }

const fraction = (over: bigint, under: bigint): Fraction => ({ over, under })
const all = (price: bigint): Row => [price, price, price, price]
const numberOf = (ticks: bigint, decimals: number): number => Number(`${ticks}e-${decimals}`)

function barsOf(rows: readonly Row[], decimals: number): BarColumns {
  const column = (k: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(rows, (row) => numberOf(row[k], decimals))
  return {
    length: rows.length, time: Float64Array.from(rows, (_, i) => i * 86_400_000), volume: new Float64Array(rows.length),
    open: column(0), high: column(1), low: column(2), close: column(3),
  }
}

/** From `price` to `extreme` and back inside a bar, or all of it there. */
const visit = (price: bigint, extreme: bigint, atOpen: boolean): Row =>
  atOpen ? all(extreme) : [price, extreme > price ? extreme : price, extreme < price ? extreme : price, price]

const base = fc.record({
  // Of every second one many levels are whole ticks.
  ticks: fc.oneof(fc.bigInt({ min: 1n, max: 10_000_000n }), fc.bigInt({ min: 1n, max: 100_000n }).map((n) => n * 1000n)), decimals: fc.integer({ min: 0, max: 9 }), thousandths: fc.bigInt({ min: 1n, max: 999n }), isLong: fc.boolean(),
  atOpen: fc.boolean(), slips: fc.constantFrom(0n, 0n, 1n, 2n, 5n), spreads: fc.constantFrom(0n, 0n, 1n, 3n), onTicks: fc.boolean(),
  path: fc.constantFrom('pessimistic', 'pessimistic', 'ohlc', 'olhc', 'adaptive'), reference: fc.constantFrom('fill_price', 'signal_close'), fill: fc.constantFrom('next_open', 'close'),
  range: fc.bigInt({ min: 1n, max: 1000n }), tenths: fc.bigInt({ min: 1n, max: 50n }), leverage: fc.constantFrom(2n, 4n, 5n, 10n, 20n, 50n), maintenance: fc.constantFrom(0n, 1n, 4n, 10n),
  kind: fc.constantFrom('stop_loss', 'take_profit', 'trailing_stop', 'atr_stop', 'atr_target', 'limit', 'stop', 'atr_limit', 'liquidation'),
})
type Case = typeof base extends fc.Arbitrary<infer T> ? T : never

interface Level {
  readonly level: Fraction
  /** How prices come to it: 1 from below, -1 from above. */
  readonly way: 1n | -1n
  readonly execution: Record<string, unknown>
  /** Before the bar that comes to it, and the price it comes from. */
  readonly rows: readonly Row[]
  readonly isEntry?: boolean
}

/** What the page says, in whole numbers. */
function levelOf({ ticks: p, thousandths: m, isLong, slips, spreads, onTicks, range, tenths, leverage, maintenance, kind, reference }: Case): Level | undefined {
  const side = isLong ? 1n : -1n
  // The fill price of the entry.
  const slip = onTicks ? 0n : slips, spread = onTicks ? 0n : spreads
  const fill = fraction(p * (1000n + side * spread) * (1000n + side * slip), 1_000_000n)
  const from = reference === 'signal_close' ? fraction(p, 1n) : fill
  const costs = { slippage: Number(slip) / 1000, spread: Number(spread) / 1000, stop_slippage: 0, stop_reference: reference }
  const rows = [all(p), all(p), all(p), all(p)]
  const away = (direction: bigint): Fraction => fraction(from.over * (1000n + direction * m), from.under * 1000n)
  const atr = { atr: 2, multiple: Number(tenths) / 10 }
  const ranges: Row[] = [[p, p + range, p, p], [p, p + range, p, p], [p, p + range, p, p], all(p)]
  const awayByAtr = (direction: bigint): Fraction => fraction(from.over * 10n + direction * range * tenths * from.under, from.under * 10n)
  switch (kind) {
    case 'stop_loss': return { level: away(-side), way: -side as 1n | -1n, rows, execution: { ...costs, stop_loss: Number(m) / 1000 } }
    case 'take_profit': return { level: away(side), way: side, rows, execution: { ...costs, take_profit: Number(m) / 1000 } }
    case 'trailing_stop': {
      const peak = isLong ? p * 2n + range : p / 2n
      const level = fraction(peak * (1000n - side * m), 1000n)
      return { level, way: -side as 1n | -1n, execution: { ...costs, slippage: 0, spread: 0, trailing_stop: Number(m) / 1000 }, rows: [...rows, all(peak)] }
    }
    case 'atr_stop': return { level: awayByAtr(-side), way: -side as 1n | -1n, rows: ranges, execution: { ...costs, stop_loss: atr } }
    case 'atr_target': return { level: awayByAtr(side), way: side, rows: ranges, execution: { ...costs, take_profit: atr } }
    // A limit is reached when the spread still leaves it its price.
    case 'limit': return {
      level: fraction(p * (1000n - side * m), 1000n + side * spread), way: -side as 1n | -1n, rows: rows.slice(0, 3), isEntry: true,
      execution: { ...costs, entry_order: { type: 'limit', offset: Number(m) / 1000 } },
    }
    case 'stop': return {
      level: fraction(p * (1000n + side * m), 1000n), way: side, rows: rows.slice(0, 3), isEntry: true,
      execution: { ...costs, slippage: 0, spread: 0, entry_order: { type: 'stop', offset: Number(m) / 1000 } },
    }
    case 'atr_limit': return {
      level: fraction(p * 10n - side * range * tenths, 10n), way: -side as 1n | -1n, rows: ranges.slice(0, 3), isEntry: true,
      execution: { ...costs, spread: 0, entry_order: { type: 'limit', offset: atr } },
    }
    case 'liquidation': return {
      level: fraction(fill.over * (leverage - side) * 1000n, fill.under * leverage * (1000n - side * maintenance)), way: -side as 1n | -1n, rows,
      execution: { ...costs, market: 'perpetual', leverage: Number(leverage), maintenance_margin: Number(maintenance) / 1000 },
    }
    default: return undefined
  }
}

function runs(rows: readonly Row[], { decimals, isLong, path, onTicks, fill }: Case, { execution, isEntry }: Level): Simulation[] {
  const bars = barsOf(rows, decimals)
  const spec = parseExecution({
    initial_cash: 1e9, sizing: { mode: 'cash', value: 1000 }, direction: isLong ? 'long' : 'short', intrabar_path: path, fill,
    ...(onTicks ? { tick_size: Number(`1e-${decimals}`) } : {}), ...execution,
  })
  const decisions = new Uint8Array(bars.length)
  decisions[2] = isLong ? LONG_ENTRY : SHORT_ENTRY
  const all = [createSimulation(bars.length, spec), ...(isFast(spec) && isEntry !== true ? [new FullSimulation(bars.length, spec)] : [])]
  for (const one of all) one.run(bars, decisions, 0, bars.length)
  return all
}

const filled = (simulation: Simulation, { isEntry }: Level): number | undefined =>
  isEntry === true ? (simulation.units === 0 ? undefined : simulation.entryPrice) : simulation.trades.toTrades(new Float64Array(9))[0]?.exitPrice

test('a level of decimals is reached by the price that it is, and by none a tick short of it', () => {
  const seen = new Map<string, number>()
  fc.assert(fc.property(base, (one) => {
    const made = levelOf(one)
    if (made === undefined) return
    const { level: { over, under }, way, rows, isEntry } = made
    const before = rows.at(-1)![3]
    const isExact = over % under === 0n
    const reached = way > 0n ? (over + under - 1n) / under : over / under
    const short = reached - way
    // On the right side of where it comes from, and above 0.
    if (over <= 0n || reached <= 0n || short <= 0n || (before - reached) * way >= 0n || (before - short) * way > 0n) return
    const price = numberOf(reached, one.decimals)
    for (const simulation of runs([...rows, visit(before, reached, one.atOpen), all(before)], one, made)) {
      const at = filled(simulation, made)
      if (at === undefined) throw new Error(`${one.kind} is not reached by ${price}`)
      // Nor is the fill of an order its level, with spread and slippage, or that of a liquidation, with its margins' bound.
      if (isEntry === true || (one.kind === 'liquidation' && !isExact)) continue
      if (isExact || one.atOpen || one.onTicks) expect(at).toBe(price)
      else expect(Math.abs(at / (Number(over) / Number(under)) / Number(`1e-${one.decimals}`) - 1)).toBeLessThan(1e-11)
    }
    if (isExact) seen.set(one.kind, (seen.get(one.kind) ?? 0) + 1)
    // Where doubles can tell the two apart.
    const gap = way > 0n ? over - short * under : short * under - over
    if (gap * 10n ** 14n < over) return
    for (const simulation of runs([...rows, visit(before, short, one.atOpen), all(before)], one, made)) {
      const at = filled(simulation, made)
      if (at !== undefined) throw new Error(`${one.kind} is reached by ${numberOf(short, one.decimals)}, a tick short of ${price}, at ${at}`)
    }
  }), { numRuns: 3000 })
  for (const kind of ['stop_loss', 'take_profit', 'trailing_stop', 'atr_stop', 'atr_target', 'limit', 'stop', 'atr_limit', 'liquidation']) expect([kind, (seen.get(kind) ?? 0) > 5]).toEqual([kind, true])
})

test('every entry price from 1 to 1000 fills its target of 10 % and its stop of 5 %, long and short', () => {
  for (const isLong of [true, false]) for (const thousandths of [100n, 50n]) {
    const missed: number[] = []
    for (let price = 1n; price <= 1000n; price++) {
      const one: Case = {
        ticks: price * 100n, decimals: 2, thousandths, isLong, atOpen: false, slips: 0n, spreads: 0n, onTicks: false, path: 'pessimistic', reference: 'fill_price', fill: 'next_open',
        range: 1n, tenths: 1n, leverage: 2n, maintenance: 0n, kind: thousandths === 100n ? 'take_profit' : 'stop_loss',
      }
      const made = levelOf(one)!
      const at = made.level.over / made.level.under
      for (const simulation of runs([...made.rows, visit(one.ticks, at, false), all(one.ticks)], one, made)) {
        if (filled(simulation, made) !== numberOf(at, 2)) missed.push(Number(price))
      }
    }
    expect(missed).toEqual([])
  }
})

test('a written level is the decimal of 15 digits nearest to it, for every size of price', () => {
  fc.assert(fc.property(fc.bigInt({ min: 10n ** 14n, max: 10n ** 15n - 1n }), fc.integer({ min: -60, max: 40 }), fc.integer({ min: -1, max: 1 }), (digits, exponent, ulps) => {
    const price = Number(`${digits}e${exponent - 14}`)
    const moved = new Float64Array([price])
    new BigInt64Array(moved.buffer)[0]! += BigInt(ulps)
    expect(written(moved[0]!, price)).toBe(price)
  }), { numRuns: 5000 })
  for (const value of [Infinity, -Infinity, NaN, 0]) expect(written(value, 1)).toBe(value)
  // Near zero a level keeps the roundings of what it was made from.
  expect(written(100 * (1 - 0.999), 100)).toBe(0.1)
})
