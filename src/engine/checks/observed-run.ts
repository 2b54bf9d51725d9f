/**
 * One run of a strategy as a check sees it: what it decided on each bar, before sides and conflicts, and the columns
 * that `onBar` is shown. Each run gets its own copy of the bars and says what the strategy wrote into it.
 */
import type { Indicators } from '../indicators/indicators.js'
import { barLoop, guarded } from '../simulate/bar-loop.js'
import { LONG_ENTRY, LONG_EXIT, readMasks, SHORT_ENTRY, SHORT_EXIT } from '../simulate/decisions.js'
import { FullSimulation } from '../simulate/full-simulation.js'
import { columnsOf, masksOfAll, warmupOf } from '../simulate/run-strategy.js'
import { parseExecution } from '../specs/execution-spec.js'
import type { NamedColumns } from '../strategies/bar-context.js'
import type { BaseGrid } from '../strategies/higher-timeframe.js'
import { higherOf } from '../strategies/higher-timeframe.js'
import type { Masks, Params, Strategy } from '../strategies/strategy.js'
import type { Series } from './altered-bars.js'

/** Of one symbol; of several a mask's name begins with the symbol's. */
const MASK_NAMES = ['longEntry', 'longExit', 'shortEntry', 'shortExit'] as const
type MaskName = typeof MASK_NAMES[number]

const BITS: Readonly<Record<MaskName, number>> = { longEntry: LONG_ENTRY, longExit: LONG_EXIT, shortEntry: SHORT_ENTRY, shortExit: SHORT_EXIT }
const COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume', 'adjclose'] as const

export interface ObservedRun {
  readonly length: number
  /** 0 or 1 a bar; decisions within the warm-up are 0, they do not count. */
  readonly masks: Readonly<Record<string, Uint8Array>>
  readonly columns: NamedColumns
}

export interface RunInput {
  readonly strategy: Strategy
  readonly series: Series
  /** Of the series; one by itself has none. */
  readonly symbols: readonly string[]
  readonly params: Params
  readonly ta: Indicators
  /** Of the base bars, as the whole bars have it: too few bars would not tell. */
  readonly base: BaseGrid
}

/** Throws STRATEGY_FAILED for a strategy that throws or returns what cannot be used. */
export function observeRun({ strategy, series, symbols, params, ta, base }: RunInput): ObservedRun {
  const bars = series[0]!
  const { length } = bars
  const warmup = Math.min(length, warmupOf(strategy, params))
  if (strategy.signalsOfAll !== undefined) {
    const masks = masksOfAll(strategy, series, params, ta)
    return { length, columns: {}, masks: Object.assign({}, ...symbols.map((symbol, s) => counted(strategy, masks[s]!, length, warmup, `${symbol} `))) as ObservedRun['masks'] }
  }
  const higher = higherOf(bars, base)
  if (strategy.onBar === undefined) {
    const masks = guarded(strategy, params, -1, bars, () => strategy.signals!(bars, params, ta, higher))
    return { length, columns: {}, masks: counted(strategy, masks, length, warmup, '') }
  }
  const direction = strategy.sides === 'both' ? 'both' : 'long'
  const account = new FullSimulation(length, parseExecution({ direction }))
  const raw = new Uint8Array(length)
  const decisions = new Uint8Array(length)
  const columns = columnsOf(strategy, bars, params, ta, higher)
  account.run(bars, decisions, 0, length, barLoop({ strategy, bars, params, columns, account, direction, warmup, decisions, raw }))
  const masks = Object.fromEntries(MASK_NAMES.map((name) => [name, raw.map((bits) => ((bits & BITS[name]) === 0 ? 0 : 1))]))
  return { length, masks, columns }
}

/** Copies: whatever the strategy keeps of its masks is its own. */
function counted(strategy: Strategy, masks: Masks, length: number, warmup: number, prefix: string): ObservedRun['masks'] {
  const { hasShort, ...read } = readMasks(masks, length, strategy.name)
  return Object.fromEntries(MASK_NAMES.map((name) => {
    const mask = hasShort || name.startsWith('long') ? read[name].slice().fill(0, 0, warmup) : new Uint8Array(length)
    return [`${prefix}${name}`, mask]
  }))
}

export interface Difference {
  readonly mask: string
  readonly bar: number
  readonly from: number
  readonly to: number
}

/** The first bar of [from, to) whose decision differs; `shift` is where bar 0 of `other` stands in `run`. */
export function firstDifference(run: ObservedRun, other: ObservedRun, from: number, to: number, shift = 0): Difference | undefined {
  let found: Difference | undefined
  for (const [mask, a] of Object.entries(run.masks)) {
    const b = other.masks[mask]!
    const end = Math.min(to, found?.bar ?? to)
    for (let i = from; i < end; i++) {
      if (a[i] === b[i - shift]) continue
      found = { mask, bar: i, from: a[i]!, to: b[i - shift]! }
      break
    }
  }
  return found
}

export interface ColumnDifference {
  readonly column: string
  readonly bar: number
}

/** The same for the columns that `onBar` is shown. */
export function firstColumnDifference(run: ObservedRun, other: ObservedRun, to: number): ColumnDifference | undefined {
  let found: ColumnDifference | undefined
  for (const [column, a] of Object.entries(run.columns)) {
    const bar = firstUnequal(a, other.columns[column] ?? [], found?.bar ?? to)
    if (bar !== -1) found = { column, bar }
  }
  return found
}

/** The first bar below `to` at which two columns are not the same bits; -1 for none. */
export function firstUnequal(a: ArrayLike<number>, b: ArrayLike<number>, to: number): number {
  for (let i = 0; i < to; i++) if (!Object.is(a[i], b[i])) return i
  return -1
}

/** What a run wrote into its own copy of the series. */
export function writtenColumn(originals: Series, copies: Series): ColumnDifference | undefined {
  for (const [s, copy] of copies.entries()) {
    for (const column of COLUMNS) {
      const before = originals[s]?.[column]
      const after = copy[column]
      if (before === undefined || after === undefined) continue
      const bar = firstUnequal(before, after, copy.length)
      if (bar !== -1) return { column, bar }
    }
  }
  return undefined
}
