/**
 * One run of a strategy as a check sees it: what it decided on each bar, before sides and conflicts, and the columns
 * that `onBar` is shown. Each run gets its own copy of the bars and says what the strategy wrote into it.
 */
import type { BarColumns } from '../../market/layout.js'
import type { Indicators } from '../indicators/indicators.js'
import { barLoop, guarded } from '../simulate/bar-loop.js'
import { LONG_ENTRY, LONG_EXIT, readMasks, SHORT_ENTRY, SHORT_EXIT } from '../simulate/decisions.js'
import { FullSimulation } from '../simulate/full-simulation.js'
import { columnsOf, warmupOf } from '../simulate/run-strategy.js'
import { parseExecution } from '../specs/execution-spec.js'
import type { NamedColumns } from '../strategies/bar-context.js'
import { higherOf } from '../strategies/higher-timeframe.js'
import type { Params, Strategy } from '../strategies/strategy.js'

export const MASK_NAMES = ['longEntry', 'longExit', 'shortEntry', 'shortExit'] as const
export type MaskName = typeof MASK_NAMES[number]

const BITS: Readonly<Record<MaskName, number>> = { longEntry: LONG_ENTRY, longExit: LONG_EXIT, shortEntry: SHORT_ENTRY, shortExit: SHORT_EXIT }
const COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume', 'adjclose'] as const

export interface ObservedRun {
  readonly length: number
  /** 0 or 1 a bar; decisions within the warm-up are 0, they do not count. */
  readonly masks: Readonly<Record<MaskName, Uint8Array>>
  readonly columns: NamedColumns
}

export interface RunInput {
  readonly strategy: Strategy
  readonly bars: BarColumns
  readonly params: Params
  readonly ta: Indicators
  /** Length of a base bar, as the whole bars have it: too few bars would not tell. */
  readonly stepMs: number
}

/** Throws STRATEGY_FAILED for a strategy that throws or returns what cannot be used. */
export function observeRun({ strategy, bars, params, ta, stepMs }: RunInput): ObservedRun {
  const { length } = bars
  const warmup = Math.min(length, warmupOf(strategy, params))
  const higher = higherOf(bars, stepMs)
  if (strategy.onBar === undefined) {
    const { hasShort, ...read } = readMasks(guarded(strategy, params, -1, bars, () => strategy.signals!(bars, params, ta, higher)), length, strategy.name)
    const none = new Uint8Array(length)
    // A copy: whatever the strategy keeps of its masks is its own.
    const counted = (mask: Uint8Array): Uint8Array => mask.slice().fill(0, 0, warmup)
    return {
      length, columns: {},
      masks: { longEntry: counted(read.longEntry), longExit: counted(read.longExit), shortEntry: hasShort ? counted(read.shortEntry) : none, shortExit: hasShort ? counted(read.shortExit) : none },
    }
  }
  const direction = strategy.sides === 'both' ? 'both' : 'long'
  const account = new FullSimulation(length, parseExecution({ direction }))
  const raw = new Uint8Array(length)
  const decisions = new Uint8Array(length)
  const columns = columnsOf(strategy, bars, params, ta, higher)
  account.run(bars, decisions, 0, length, barLoop({ strategy, bars, params, columns, account, direction, warmup, decisions, raw }))
  const masks = Object.fromEntries(MASK_NAMES.map((name) => [name, raw.map((bits) => ((bits & BITS[name]) === 0 ? 0 : 1))])) as Record<MaskName, Uint8Array>
  return { length, masks, columns }
}

export interface Difference {
  readonly mask: MaskName
  readonly bar: number
  readonly from: number
  readonly to: number
}

/** The first bar of [from, to) whose decision differs; `shift` is where bar 0 of `other` stands in `run`. */
export function firstDifference(run: ObservedRun, other: ObservedRun, from: number, to: number, shift = 0): Difference | undefined {
  let found: Difference | undefined
  for (const mask of MASK_NAMES) {
    const a = run.masks[mask]
    const b = other.masks[mask]
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

/** What a run wrote into its own copy of the bars. */
export function writtenColumn(original: BarColumns, copy: BarColumns): ColumnDifference | undefined {
  for (const column of COLUMNS) {
    const before = original[column]
    const after = copy[column]
    if (before === undefined || after === undefined) continue
    const bar = firstUnequal(before, after, copy.length)
    if (bar !== -1) return { column, bar }
  }
  return undefined
}
