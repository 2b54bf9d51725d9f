/**
 * What `onBar` is given: this bar and the past, the position, and the four decisions. One object is reused from bar
 * to bar; whatever lies beyond the present cannot be reached through it. Values are read at each call, so
 * `const { close, position } = ctx` inside `onBar` is fine.
 */

/** Columns that `indicators` returned, by name: one value a bar. */
export type NamedColumns = Readonly<Record<string, Float64Array | Uint8Array>>

/** A column seen from the present: 0 (default) is this bar, 1 the bar before; NaN before bar 0 and beyond the present. */
export type PastValue = (barsBack?: number) => number

export interface BarContext<Values extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
  Columns extends NamedColumns = NamedColumns, State = Record<string, unknown>> {
  /** Number of this bar, from 0. */
  readonly bar: number
  readonly open: PastValue
  readonly high: PastValue
  readonly low: PastValue
  readonly close: PastValue
  readonly volume: PastValue
  /** Start of the bar in milliseconds since 1970, UTC. */
  readonly time: PastValue
  /** The columns of `indicators`: `ctx.ind.fast()` now, `ctx.ind.fast(1)` one bar ago. */
  readonly ind: { readonly [Name in keyof Columns]: PastValue }
  /** The same by name: `ctx.value('fast', 1)`. */
  value(name: keyof Columns & string, barsBack?: number): number
  readonly params: Values
  /** What `init` returned for this run; yours to change. Without `init` an empty object. */
  readonly state: State
  /** 1 long, -1 short, 0 flat; at this bar's close. */
  readonly position: -1 | 0 | 1
  /** Signed: negative for a short. */
  readonly units: number
  /** Fill price of the open position, NaN when flat. */
  readonly entryPrice: number
  /** Bar of its fill, -1 when flat. */
  readonly entryBar: number
  /** Bars since that one, 0 when flat. */
  readonly barsHeld: number
  /** Cash and units at this bar's close, in the currency of the prices. */
  readonly equity: number
  readonly cash: number
  /** Decisions at this bar's close; `fill` says when they are acted on. The short ones need `sides: 'both'`. */
  readonly enterLong: () => void
  readonly exitLong: () => void
  readonly enterShort: () => void
  readonly exitShort: () => void
}
