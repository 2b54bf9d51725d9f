/**
 * What a strategy is: a name, the ranges of its parameters, perhaps a constraint between them and a warm-up, and
 * either `signals`, a pure function from whole columns to masks, or `onBar`, which is called once a bar at its close.
 * `defineStrategy` checks the shape once, where the strategy is loaded, so that nothing after it has to. A strategy
 * must not keep state between runs nor write into the columns it is given: a sweep hands the same columns to every
 * trial.
 */
import type { BarColumns } from '../../market/layout.js'
import { SweepmillError } from '../../base/errors.js'
import type { Indicators } from '../indicators/indicators.js'
import { nearest } from '../specs/nearest.js'
import type { BarContext, NamedColumns } from './bar-context.js'
import type { Higher } from './higher-timeframe.js'

/** Inclusive bounds of one parameter; `step` is what a sweep uses when it names none. */
export interface ParamRange {
  readonly min: number
  readonly max: number
  readonly step?: number
  readonly default: number
}

export type Params = Readonly<Record<string, number>>

/** One value a bar, 1 or true for yes, 0 or false for no: the decision at that bar's close. A Uint8Array is the fastest; another typed array or a list will do. */
export type Mask = Uint8Array | ArrayLike<number | boolean>

export interface Masks {
  readonly longEntry?: Mask
  readonly longExit?: Mask
  readonly shortEntry?: Mask
  readonly shortExit?: Mask
}

/** Values of the parameters whose ranges these are. */
export type ParamValues<Ranges> = { readonly [Name in keyof Ranges]: number }

/** As the engine runs it: `signals`, or `onBar` with what belongs to it. */
export interface Strategy {
  readonly name: string
  readonly params: Readonly<Record<string, ParamRange>>
  constraint?(params: Params): boolean
  /** Bars at the start whose decisions do not count. */
  readonly warmup?: number | ((params: Params) => number)
  signals?(bars: BarColumns, params: Params, ta: Indicators, higher: Higher): Masks
  readonly sides?: 'long' | 'both'
  indicators?(bars: BarColumns, params: Params, ta: Indicators, higher: Higher): NamedColumns
  init?(params: Params): unknown
  onBar?(ctx: BarContext): void
  /** How many symbols `signalsOfAll` takes; any number where it is left out. */
  readonly symbols?: number
  signalsOfAll?(series: readonly BarColumns[], params: Params, ta: Indicators): readonly Masks[]
}

/** No key beside those of a range: a type that is inferred would take any. */
type Ranged<Ranges> = Ranges & { readonly [Name in keyof Ranges]: Readonly<Record<Exclude<keyof Ranges[Name], keyof ParamRange>, never>> }

/** What the two kinds share, with the parameters' names known, so that `({ fast, slow }) => …` type-checks in a strategy file. */
interface CommonDefinition<Ranges extends Readonly<Record<string, ParamRange>>> {
  readonly name: string
  readonly params: Ranged<Ranges>
  constraint?(params: ParamValues<Ranges>): boolean
  /** Decisions of the first `warmup` bars do not count: a whole number of bars, or a function of the parameters. */
  readonly warmup?: number | ((params: ParamValues<Ranges>) => number)
}

/** A strategy over whole columns. Bar i of a mask may depend on bars 0..i alone. */
export interface StrategyDefinition<Ranges extends Readonly<Record<string, ParamRange>>> extends CommonDefinition<Ranges> {
  signals(bars: BarColumns, params: ParamValues<Ranges>, ta: Indicators, higher: Higher): Masks
}

/** A strategy that decides bar by bar, from its position and its own state too. Write the keys in this order: types are inferred downwards. */
export interface BarStrategyDefinition<Ranges extends Readonly<Record<string, ParamRange>>, Columns extends NamedColumns, State> extends CommonDefinition<Ranges> {
  /** `long` (default): decides on longs, and is mirrored for direction short as masks without short ones are. `both`: decides on shorts too. */
  readonly sides?: 'long' | 'both'
  /** Columns over all bars, made once a run; `onBar` sees them up to its bar. */
  indicators?(bars: BarColumns, params: ParamValues<Ranges>, ta: Indicators, higher: Higher): Columns
  /** Makes `ctx.state`, anew for each run. */
  init?(params: ParamValues<Ranges>): State
  onBar(ctx: BarContext<ParamValues<Ranges>, Columns, State>): void
}

/** A strategy over several symbols together, such as a pair: their bars at the times that all of them have, in the order of the spec. */
export interface PortfolioStrategyDefinition<Ranges extends Readonly<Record<string, ParamRange>>> extends CommonDefinition<Ranges> {
  readonly symbols?: number
  /** Masks for each symbol, in the same order. */
  signalsOfAll(series: readonly BarColumns[], params: ParamValues<Ranges>, ta: Indicators): readonly Masks[]
}

export interface StrategyDescription {
  readonly name: string
  readonly params: Readonly<Record<string, ParamRange>>
}

const OF_SIGNALS = ['name', 'params', 'constraint', 'warmup', 'signals']
const OF_ALL = ['name', 'params', 'constraint', 'warmup', 'symbols', 'signalsOfAll']
const OF_RANGE = ['min', 'max', 'step', 'default']
const OF_ON_BAR = ['name', 'params', 'constraint', 'warmup', 'sides', 'indicators', 'init', 'onBar']

/** Checks the shape and returns the strategy; throws STRATEGY_INVALID with a sentence that says what to change. */
export function defineStrategy<Ranges extends Readonly<Record<string, ParamRange>>>(strategy: StrategyDefinition<Ranges>): Strategy
export function defineStrategy<Ranges extends Readonly<Record<string, ParamRange>>, Columns extends NamedColumns = NamedColumns, State = Record<string, unknown>>(
  strategy: BarStrategyDefinition<Ranges, Columns, State>): Strategy
export function defineStrategy<Ranges extends Readonly<Record<string, ParamRange>>>(strategy: PortfolioStrategyDefinition<Ranges>): Strategy
export function defineStrategy(candidate: unknown): Strategy {
  if (typeof candidate !== 'object' || candidate === null) {
    throw invalid('a strategy is an object with name, params and signals or onBar; give one to defineStrategy.')
  }
  const { name, params, constraint, signals, onBar, signalsOfAll, symbols, warmup, sides, indicators, init } = candidate as Record<string, unknown>
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$/.test(name)) {
    throw invalid('name must be a text of 1 to 100 letters, digits, dots, dashes, spaces or underscores.')
  }
  const ways = Object.entries({ signals, onBar, signalsOfAll }).flatMap(([key, value]) => (value === undefined ? [] : [key]))
  if (ways.length > 1) throw invalid(`the strategy "${name}" has both ${ways.join(' and ')}; keep one of them.`)
  const known = signalsOfAll !== undefined ? OF_ALL : onBar === undefined ? OF_SIGNALS : OF_ON_BAR
  for (const key of Object.keys(candidate)) {
    if (known.includes(key)) continue
    const belongs = OF_ON_BAR.includes(key) ? ', which only a strategy with onBar has'
      : OF_ALL.includes(key) ? ', which only a strategy with signalsOfAll has' : didYouMean(key, known)
    throw invalid(`the strategy "${name}" has an unknown key "${key}"${belongs}; it may have ${known.slice(0, -1).join(', ')} and ${known.at(-1)}.`)
  }
  if (onBar === undefined && signalsOfAll === undefined && typeof signals !== 'function') {
    throw invalid(`the strategy "${name}" needs signals(bars, params, ta), a function that returns masks, or onBar(ctx), one that is called for each bar.`)
  }
  for (const [key, value] of Object.entries({ onBar, signalsOfAll, indicators, init })) {
    if (value !== undefined && typeof value !== 'function') throw invalid(`in "${name}", ${key} must be a function.`)
  }
  if (sides !== undefined && sides !== 'long' && sides !== 'both') throw invalid(`in "${name}", sides must be 'long' or 'both'.`)
  if (symbols !== undefined && !(Number.isInteger(symbols) && (symbols as number) >= 1)) throw invalid(`in "${name}", symbols must be a whole number of at least 1.`)
  if (warmup !== undefined && typeof warmup !== 'function' && !(Number.isInteger(warmup) && (warmup as number) >= 0)) {
    throw invalid(`in "${name}", warmup must be a whole number of bars, or a function of the parameters that returns one.`)
  }
  if (constraint !== undefined && typeof constraint !== 'function') {
    throw invalid(`constraint of "${name}" must be a function of the parameters that returns true or false.`)
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) {
    throw invalid(`params of "${name}" must be an object of ranges, {} when there are none.`)
  }
  for (const [key, range] of Object.entries(params as Record<string, unknown>)) checkRange(name, key, range)
  DEFINED.add(candidate)
  return candidate as Strategy
}

/** What `defineStrategy` has looked at. */
const DEFINED = new WeakSet<object>()

/** For a strategy that a program wrote as a plain object: the same checks, once. Throws STRATEGY_INVALID. */
export function requireDefined(strategy: Strategy): void {
  if (!DEFINED.has(strategy)) defineStrategy(strategy as StrategyDefinition<Record<string, ParamRange>>)
}

function didYouMean(key: string, known: readonly string[]): string {
  const guess = nearest(key, known)
  return guess === undefined ? '' : `, did you mean "${guess}"`
}

function checkRange(strategy: string, name: string, range: unknown): void {
  const where = `parameter "${name}" of "${strategy}"`
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(`${where}: a parameter's name is a letter followed by letters, digits and underscores.`)
  if (['and', 'or', 'not', '__proto__'].includes(name)) throw invalid(`${where}: this word is taken by the constraint language; choose another name.`)
  if (typeof range !== 'object' || range === null) throw invalid(`${where} must be a range such as { min: 2, max: 200, step: 1, default: 10 }.`)
  for (const key of Object.keys(range)) {
    if (!OF_RANGE.includes(key)) throw invalid(`${where} has an unknown key "${key}"${didYouMean(key, OF_RANGE)}; a range has min, max, step and default.`)
  }
  const { min, max, step, default: preset } = range as Record<string, unknown>
  for (const [key, value] of Object.entries({ min, max, default: preset })) {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(`${where} needs a finite number for ${key}.`)
  }
  if (step !== undefined && !(typeof step === 'number' && Number.isFinite(step) && step > 0)) throw invalid(`${where}: step must be a number above 0.`)
  const [low, high, start] = [min as number, max as number, preset as number]
  if (low > high) throw invalid(`${where}: min ${low} is above max ${high}.`)
  if (start < low || start > high) throw invalid(`${where}: default ${start} is outside ${low}..${high}.`)
}

function invalid(message: string): SweepmillError {
  return new SweepmillError('STRATEGY_INVALID', message[0]!.toUpperCase() + message.slice(1))
}

/** Name and ranges as plain JSON: what a list of strategies or the database shows. */
export function describeStrategy(strategy: Strategy): StrategyDescription {
  const params: Record<string, ParamRange> = {}
  for (const [name, { min, max, step, default: preset }] of Object.entries(strategy.params)) {
    params[name] = { min, max, step: step ?? 1, default: preset }
  }
  return { name: strategy.name, params }
}
