/** What the tests of all indicators share: bars with or without holes, arguments by the table of facts, batch and stream alike. */
import fc from 'fast-check'
import { streamOf, ta } from '../../src/engine/index.js'
import type { InputName } from '../../src/engine/indicators/indicator-facts.js'
import { INDICATOR_FACTS } from '../../src/engine/indicators/indicator-facts.js'
import type { ColumnIndicator } from '../../src/engine/indicators/indicators.js'

export type Inputs = Readonly<Record<InputName, Float64Array>>

export const columnIndicators = Object.keys(INDICATOR_FACTS) as ColumnIndicator[]

/** Bars as their columns; `close` again as x, and a y beside it. */
export function inputsOf(rows: readonly { open: number; high: number; low: number; close: number; volume: number; y: number }[]): Inputs {
  const column = (name: 'open' | 'high' | 'low' | 'close' | 'volume' | 'y'): Float64Array => Float64Array.from(rows, (row) => row[name])
  return {
    open: column('open'), high: column('high'), low: column('low'), close: column('close'), volume: column('volume'), y: column('y'),
    x: column('close'), time: Float64Array.from(rows, (_, i) => i * 7 * 3_600_000),
  }
}

/** Bars with a range and a volume each; a hole puts `holes` in the place of one or of all values of a bar. */
export const bars = (holes: readonly number[], minLength: number, maxLength = 120): fc.Arbitrary<Inputs> => fc.array(
  fc.tuple(
    fc.integer({ min: 20, max: 60 }), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: -4, max: 4 }),
    fc.integer({ min: 1, max: 900 }), fc.integer({ min: -3, max: 12 * Math.min(1, holes.length) }), fc.nat(),
  ), { minLength, maxLength, size: 'max' },
).map((rows) => inputsOf(rows.map(([close, up, down, body, volume, hole, pick]) => {
  const row = {
    open: (close + body) / 2, high: (close + Math.max(body, 0) + up) / 2, low: (close + Math.min(body, 0) - down) / 2,
    close: close / 2, volume, y: (close + 3 * body + up) / 4,
  }
  const bad = holes[pick % Math.max(1, holes.length)] ?? NaN
  if (hole === 12) return { open: bad, high: bad, low: bad, close: bad, volume: bad, y: bad }
  if (hole === 11) return { ...row, [['open', 'high', 'low', 'close', 'volume', 'y'][pick % 6]!]: bad }
  return row
})))

/** Arguments: periods from `draws`, factors as usual. */
export function argumentsOf(name: ColumnIndicator, draws: readonly number[]): number[] {
  return INDICATOR_FACTS[name].parameters.map(({ kind, usual, least }, k) => (kind === 'whole' ? least + draws[k % draws.length]! : usual))
}

export const draws: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 5, maxLength: 5 })

export type Outputs = Readonly<Record<string, Float64Array>>

/** The function over whole columns; a result that is a column itself has the name `value`. */
export function whole(name: ColumnIndicator, inputs: Inputs, args: readonly number[]): Outputs {
  const call = ta[name] as unknown as (...all: unknown[]) => Float64Array | Outputs
  const made = call(...INDICATOR_FACTS[name].inputs.map((input) => inputs[input]), ...args)
  return made instanceof Float64Array ? { value: made } : made
}

/** The same, one bar after the other. */
export function barByBar(name: ColumnIndicator, inputs: Inputs, args: readonly number[]): Outputs {
  const { inputs: names, outputs } = INDICATOR_FACTS[name]
  const make = streamOf as unknown as (...all: unknown[]) => { next(...values: number[]): number | Record<string, number> }
  const stream = make(name, ...args)
  const columns = Object.fromEntries((outputs.length === 0 ? ['value'] : outputs).map((output) => [output, new Float64Array(inputs.close.length)]))
  inputs.close.forEach((_, bar) => {
    const values = stream.next(...names.map((input) => inputs[input][bar]!))
    for (const [output, column] of Object.entries(columns)) column[bar] = typeof values === 'number' ? values : values[output]!
  })
  return columns
}

export const mapInputs = (inputs: Inputs, change: (column: Float64Array) => Float64Array): Inputs =>
  Object.fromEntries(Object.entries(inputs).map(([name, column]) => [name, change(column)])) as unknown as Inputs
