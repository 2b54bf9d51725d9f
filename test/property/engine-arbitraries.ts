/** Random bars, masks and executions for the engine's properties: small, wild, with gaps, ties and flat stretches. */
import fc from 'fast-check'
import type { ExecutionSpec, Strategy } from '../../src/engine/index.js'
import { defineStrategy, parseBacktestSpec } from '../../src/engine/index.js'
import type { BarColumns } from '../../src/market/layout.js'

const DAY_MS = 86_400_000

export function toBars(rows: readonly (readonly [open: number, up: number, down: number, close: number])[]): BarColumns {
  const column = (pick: (row: readonly [number, number, number, number]) => number): Float64Array => Float64Array.from(rows, pick)
  return {
    length: rows.length,
    time: Float64Array.from(rows, (_, i) => (10_957 + i) * DAY_MS),
    open: column(([o]) => o), close: column(([, , , c]) => c),
    high: column(([o, up, , c]) => Math.max(o, c) * (1 + up)), low: column(([o, , down, c]) => Math.min(o, c) * (1 - down)),
    volume: new Float64Array(rows.length).fill(1000),
  }
}

/** Prices in steps of a half, so that equalities and touches happen. */
const price = fc.integer({ min: 40, max: 400 }).map((halves) => halves / 2)
const wick = fc.constantFrom(0, 0, 0.01, 0.05, 0.1, 0.3)
export const barsArbitrary = fc.array(fc.tuple(price, wick, wick, price), { minLength: 3, maxLength: 60, size: 'max' }).map(toBars)

export const maskArbitrary = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.array(fc.constantFrom(0, 0, 0, 0, 1), { minLength: length, maxLength: length }).map((bits) => Uint8Array.from(bits))

const maybe = (value: fc.Arbitrary<number>): fc.Arbitrary<number | null> => fc.option(value, { nil: null })

const sizing = fc.oneof(
  fc.record({ mode: fc.constant('all_in'), whole_units: fc.boolean() }),
  fc.record({ mode: fc.constant('all_in'), lot_size: fc.constantFrom(0.1, 0.25, 3) }),
  fc.record({ mode: fc.constant('fraction'), value: fc.constantFrom(0.1, 0.5, 1), whole_units: fc.boolean() }),
  fc.record({ mode: fc.constant('cash'), value: fc.constantFrom(500, 5000, 20_000), whole_units: fc.boolean() }),
  fc.record({ mode: fc.constant('units'), value: fc.constantFrom(0.3, 10, 500), whole_units: fc.boolean() }),
)

const unitFees = { fee_per_unit: fc.constantFrom(0, 0, 0.05, 1), fee_min: fc.constantFrom(0, 0, 7, 60) }
/** Without a minimum that would be refused. */
function feesOf(execution: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { fee_rate: rate, fee_per_unit: perUnit, fee_fixed: fixed, fee_min: least, market } = execution
  const isIdle = market === 'perpetual' || (rate === 0 && perUnit === 0) || Number(fixed) >= Number(least)
  return { ...execution, fee_min: isIdle ? 0 : least }
}

export const executionArbitrary: fc.Arbitrary<ExecutionSpec> = fc.record({
  initial_cash: fc.constantFrom(1000, 10_000),
  fill: fc.constantFrom('next_open', 'close'),
  direction: fc.constantFrom('long', 'short', 'both'),
  sizing,
  fee_rate: fc.constantFrom(0, 0.001, 0.02),
  fee_fixed: fc.constantFrom(0, 1, 50),
  ...unitFees,
  spread: fc.constantFrom(0, 0.002),
  slippage: fc.constantFrom(0, 0.001),
  stop_slippage: fc.constantFrom(0, 0.004),
  leverage: fc.constantFrom(0.5, 1, 1, 5),
  stop_loss: maybe(fc.constantFrom(0.02, 0.1, 0.5)),
  take_profit: maybe(fc.constantFrom(0.03, 0.2, 1.5)),
  trailing_stop: maybe(fc.constantFrom(0.03, 0.15)),
  stop_reference: fc.constantFrom('fill_price', 'signal_close'),
  stop_on_entry_bar: fc.boolean(),
  stop_priority: fc.constantFrom('signal_first', 'stop_first'),
  finalize: fc.constantFrom('mark_to_market', 'close_last_open', 'close_last_close'),
}).map((execution) => parseBacktestSpec({ strategy: { name: 'masks' }, execution: feesOf(execution) }, { barsGiven: true }).execution)

// Fractions that doubles hold exactly: where a level ties with a price it does so in any order of computing.
const exactShare = fc.constantFrom(0.03125, 0.0625, 0.125, 0.25)
const atrDistance = fc.record({ atr: fc.constantFrom(1, 2, 5), multiple: fc.constantFrom(0.5, 1, 2.5) })
const distance = fc.oneof(exactShare, atrDistance)
const perpetual = fc.record({
  market: fc.constant('perpetual'), leverage: fc.constantFrom(1, 2, 5, 16),
  funding: fc.option(fc.oneof(
    fc.record({ rate: fc.constantFrom(0.0001, -0.003, 0.01), interval_hours: fc.constantFrom(1, 8, 36) }),
    fc.constantFrom('00.000', '00.005', '59.999').map((second) => [
      { time: `2000-01-02T00:00:${second}Z`, rate: 0.01 }, { time: '2000-01-03T03:59:59.998Z', rate: -0.02 }, { time: '2000-01-03T04:00:00.003Z', rate: 0.015 }, { time: '2000-01-05T00:02:00Z', rate: 0.005 },
    ]),
  ), { nil: undefined }),
  maintenance_margin: fc.constantFrom(0.003, 0.007, [{ up_to: 5003, rate: 0.0043 }, { up_to: 20_011, rate: 0.0211 }, { rate: 0.0397 }]),
  liquidation_fee: fc.constantFrom(0, 0.01),
}, { requiredKeys: ['market', 'leverage'] })
const spot = fc.record({ leverage: fc.constantFrom(0.5, 1, 1, 5), borrow_rate: fc.constantFrom(0, 0.05, 2) })
const lots = fc.oneof(
  fc.record({ entry_when_in_position: fc.constantFrom('ignore', 'replace') }),
  fc.record({ entry_when_in_position: fc.constant('add'), max_entries: fc.constantFrom(null, 2, 4) }),
)
const fullSizing = fc.oneof(
  fc.record({ mode: fc.constant('all_in'), lot_size: fc.constantFrom(null, 0.25, 3), min_notional: fc.constantFrom(0, 300) }),
  fc.record({ mode: fc.constant('fraction'), value: fc.constantFrom(0.1, 0.5), whole_units: fc.boolean() }),
  fc.record({ mode: fc.constant('cash'), value: fc.constantFrom(500, 5000), min_notional: fc.constantFrom(0, 490) }),
  fc.record({ mode: fc.constant('units'), value: fc.constantFrom(0.5, 10, 100) }),
  fc.record({ mode: fc.constant('risk'), value: fc.constantFrom(0.01, 0.2), lot_size: fc.constantFrom(null, 0.5) }),
)

/** Everything that the full kernel can do, in all combinations that are allowed. */
export const fullExecutionArbitrary: fc.Arbitrary<ExecutionSpec> = fc.tuple(fc.record({
  initial_cash: fc.constantFrom(1000, 10_000),
  fill: fc.constantFrom('next_open', 'close'),
  direction: fc.constantFrom('long', 'short', 'both'),
  sizing: fullSizing,
  fee_rate: fc.constantFrom(0, 0.001, 0.02), fee_fixed: fc.constantFrom(0, 1, 20), maker_fee_rate: fc.constantFrom(0, 0.0005, 0.03), ...unitFees,
  spread: fc.constantFrom(0, 0.0078125), slippage: fc.constantFrom(0, 0.00390625), stop_slippage: fc.constantFrom(0, 0.015625),
  stop_loss: fc.option(distance, { nil: null }), take_profit: fc.option(distance, { nil: null }), trailing_stop: fc.option(distance, { nil: null }),
  stop_reference: fc.constantFrom('fill_price', 'signal_close'), stop_on_entry_bar: fc.boolean(), stop_priority: fc.constantFrom('signal_first', 'stop_first'),
  entry_order: fc.option(fc.record({ type: fc.constantFrom('limit', 'stop'), offset: fc.oneof(fc.constant(0), distance), bars: fc.constantFrom(1, 3, null) }), { nil: null }),
  intrabar_path: fc.constantFrom('pessimistic', 'ohlc', 'olhc', 'adaptive'),
  tick_size: fc.constantFrom(null, null, 0.125, 0.5, 1),
  finalize: fc.constantFrom('mark_to_market', 'close_last_open', 'close_last_close'),
}), fc.oneof(spot, perpetual), lots).map(([base, market, position]) => {
  const execution: Record<string, unknown> = { ...base, ...market, ...position }
  if (base.entry_order !== null || base.intrabar_path !== 'pessimistic') execution['stop_priority'] = 'signal_first'
  if (base.sizing.mode === 'risk' && base.stop_loss === null && base.trailing_stop === null) execution['stop_loss'] = 0.125
  return parseBacktestSpec({ strategy: { name: 'masks' }, execution: feesOf(execution) }, { barsGiven: true }).execution
})

export interface RandomMasks {
  readonly longEntry: Uint8Array
  readonly longExit: Uint8Array
  readonly shortEntry?: Uint8Array
  readonly shortExit?: Uint8Array
}

export const caseArbitrary: fc.Arbitrary<{ bars: BarColumns; masks: RandomMasks; execution: ExecutionSpec }> = barsArbitrary.chain((bars) => {
  const mask = maskArbitrary(bars.length)
  return fc.record({
    bars: fc.constant(bars),
    masks: fc.oneof(fc.record({ longEntry: mask, longExit: mask }), fc.record({ longEntry: mask, longExit: mask, shortEntry: mask, shortExit: mask })),
    execution: executionArbitrary,
  })
})

/** A strategy that returns these masks, cut to the bars it sees. */
export function maskStrategy(masks: RandomMasks): Strategy {
  return defineStrategy({
    name: 'masks',
    params: {},
    signals: ({ length }) => Object.fromEntries(Object.entries(masks).map(([name, mask]) => [name, (mask as Uint8Array).slice(0, length)])),
  })
}

/** Bars of a day or of four hours, longer, with any execution. */
export const fullCaseArbitrary: fc.Arbitrary<{ bars: BarColumns; masks: RandomMasks; execution: ExecutionSpec }> =
  fc.tuple(fc.array(fc.tuple(price, wick, wick, price), { minLength: 3, maxLength: 80, size: 'max' }), fc.constantFrom(DAY_MS, DAY_MS / 6)).map(([rows, stepMs]) => {
    const bars = toBars(rows)
    return { ...bars, time: bars.time.map((_, i) => 10_957 * DAY_MS + i * stepMs) }
  }).chain((bars) => {
    const mask = maskArbitrary(bars.length)
    return fc.record({
      bars: fc.constant(bars),
      masks: fc.oneof(fc.record({ longEntry: mask, longExit: mask }), fc.record({ longEntry: mask, longExit: mask, shortEntry: mask, shortExit: mask })),
      execution: fc.oneof(executionArbitrary, fullExecutionArbitrary, fullExecutionArbitrary),
    })
  })
