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

export const executionArbitrary: fc.Arbitrary<ExecutionSpec> = fc.record({
  initial_cash: fc.constantFrom(1000, 10_000),
  fill: fc.constantFrom('next_open', 'close'),
  direction: fc.constantFrom('long', 'short', 'both'),
  sizing,
  fee_rate: fc.constantFrom(0, 0.001, 0.02),
  fee_fixed: fc.constantFrom(0, 1, 50),
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
}).map((execution) => parseBacktestSpec({ strategy: { name: 'masks' }, execution }, { barsGiven: true }).execution)

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
