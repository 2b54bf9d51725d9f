/**
 * Calls a strategy and turns what it says into decisions: masks at once, or bar by bar while the kernel runs.
 * A strategy is somebody else's code: whatever it throws becomes STRATEGY_FAILED with its name, its parameters and its
 * message (our own errors pass unchanged).
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import type { Indicators } from '../indicators/indicators.js'
import type { Direction } from '../specs/execution-spec.js'
import type { NamedColumns } from '../strategies/bar-context.js'
import { higherOf } from '../strategies/higher-timeframe.js'
import type { Higher } from '../strategies/higher-timeframe.js'
import type { Masks, Params, Strategy } from '../strategies/strategy.js'
import { barLoop, guarded } from './bar-loop.js'
import type { Account } from './bar-loop.js'
import { decide } from './decisions.js'

/**
 * Fills `decisions` and returns undefined, or, for a strategy with `onBar`, clears them and returns what the kernel
 * must call at each bar's close (`onClose` of `Simulation.run`); `account` is that kernel. Once per run.
 */
export function runStrategy(strategy: Strategy, bars: BarColumns, params: Params, ta: Indicators, direction: Direction, decisions: Uint8Array, account: Account): ((bar: number) => void) | undefined {
  if (strategy.signalsOfAll !== undefined) {
    throw new SweepmillError('SPEC_INVALID', `The strategy "${strategy.name}" trades ${strategy.symbols ?? 'several'} symbols together; name them with --data or --symbol for each, or with "symbols" in the spec.`, { details: { path: 'symbols', strategy: strategy.name } })
  }
  const warmup = warmupOf(strategy, params)
  const higher = higherOf(bars)
  if (strategy.onBar === undefined) {
    const masks = guarded(strategy, params, -1, bars, () => strategy.signals!(bars, params, ta, higher))
    decide(masks, bars.length, direction, strategy.name, decisions)
    decisions.fill(0, 0, Math.min(warmup, bars.length))
    return undefined
  }
  decisions.fill(0)
  return barLoop({ strategy, bars, params, columns: columnsOf(strategy, bars, params, ta, higher), account, direction, warmup, decisions })
}

/** Bars whose decisions do not count; 0 where the strategy names none. */
export function warmupOf(strategy: Strategy, params: Params): number {
  const { warmup } = strategy
  if (warmup === undefined) return 0
  const bars: unknown = typeof warmup === 'number' ? warmup : guarded(strategy, params, -1, NO_BARS, () => warmup(params))
  if (typeof bars === 'number' && Number.isInteger(bars) && bars >= 0) return bars
  throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" cannot be run: warmup gave ${String(bars)} for ${JSON.stringify(params)}, but must give a whole number of bars.`, { details: { strategy: strategy.name, params } })
}

/** The columns of `indicators`, each of the bars' length. */
export function columnsOf(strategy: Strategy, bars: BarColumns, params: Params, ta: Indicators, higher: Higher): NamedColumns {
  if (strategy.indicators === undefined) return {}
  const columns: unknown = guarded(strategy, params, -1, bars, () => strategy.indicators!(bars, params, ta, higher))
  const unusable = (message: string): SweepmillError => new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" cannot be run: ${message}.`, { details: { strategy: strategy.name } })
  if (typeof columns !== 'object' || columns === null) throw unusable('indicators returned no object of columns')
  for (const [name, column] of Object.entries(columns) as [string, unknown][]) {
    if (!(column instanceof Float64Array) && !(column instanceof Uint8Array)) {
      throw unusable(`indicators returned no column as "${name}"; give each column its own name, such as { upper: bands.upper, lower: bands.lower }`)
    }
    if (column.length !== bars.length) throw unusable(`"${name}" of indicators has ${column.length} values for ${bars.length} bars; a column of a higher timeframe needs align`)
  }
  return columns as NamedColumns
}

const EMPTY = new Float64Array(0)
const NO_BARS: BarColumns = { length: 0, time: EMPTY, open: EMPTY, high: EMPTY, low: EMPTY, close: EMPTY, volume: EMPTY }

/** The decisions of a strategy over columns, where several accounts share one wallet and none can be asked at a close. Throws NOT_SUPPORTED for `onBar`. */
export function decisionsOf(strategy: Strategy, bars: BarColumns, params: Params, ta: Indicators, direction: Direction): Uint8Array {
  if (strategy.onBar !== undefined) {
    throw new SweepmillError('NOT_SUPPORTED', `The strategy "${strategy.name}" decides bar by bar (onBar), which a portfolio of several symbols does not do; write it with signals, or test each symbol by itself.`, { details: { strategy: strategy.name } })
  }
  const decisions = new Uint8Array(bars.length)
  runStrategy(strategy, bars, params, ta, direction, decisions, NO_ACCOUNT)
  return decisions
}

/** What a strategy that looks at all symbols together says of each; their bars stand at the same times. */
export function masksOfAll(strategy: Strategy, series: readonly BarColumns[], params: Params, ta: Indicators): readonly Masks[] {
  if (strategy.symbols !== undefined && strategy.symbols !== series.length) {
    throw new SweepmillError('SPEC_INVALID', `The strategy "${strategy.name}" trades ${strategy.symbols} symbols, and the spec names ${series.length}.`, { details: { path: 'symbols', symbols: strategy.symbols } })
  }
  const masks: unknown = guarded(strategy, params, -1, series[0] ?? NO_BARS, () => strategy.signalsOfAll!(series, params, ta))
  if (Array.isArray(masks) && masks.length === series.length) return masks as readonly Masks[]
  throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" cannot be run: signalsOfAll must return a list of masks, one entry for each of the ${series.length} symbols.`, { details: { strategy: strategy.name } })
}

/** The decisions of such a strategy for each symbol. */
export function decisionsOfAll(strategy: Strategy, series: readonly BarColumns[], params: Params, ta: Indicators, direction: Direction): Uint8Array[] {
  const warmup = warmupOf(strategy, params)
  const masks = masksOfAll(strategy, series, params, ta)
  return series.map((bars, s) => {
    const decisions = new Uint8Array(bars.length)
    decide(masks[s]!, bars.length, direction, strategy.name, decisions)
    decisions.fill(0, 0, Math.min(warmup, bars.length))
    return decisions
  })
}

const NO_ACCOUNT: Account = { cash: 0, units: 0, entryBar: 0, entryPrice: 0 }
