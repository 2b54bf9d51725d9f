/**
 * What a strategy is: a name, the ranges of its parameters, perhaps a constraint between them, and a pure
 * function from bars to masks. `defineStrategy` checks the shape once, where the strategy is loaded, so that
 * nothing after it has to. A strategy must not keep state between calls nor write into the columns it is
 * given: a sweep hands the same columns to every trial.
 */
import type { BarColumns } from '../../market/layout.js'
import { SweepmillError } from '../../base/errors.js'
import type { Indicators } from '../indicators/indicators.js'

/** Inclusive bounds of one parameter; `step` is what a sweep uses when it names none. */
export interface ParamRange {
  readonly min: number
  readonly max: number
  readonly step?: number
  readonly default: number
}

export type Params = Readonly<Record<string, number>>

/** One value a bar, 1 or true for yes: the decision at that bar's close. */
export type Mask = Uint8Array | readonly (0 | 1 | boolean)[]

export interface Masks {
  readonly longEntry?: Mask
  readonly longExit?: Mask
  readonly shortEntry?: Mask
  readonly shortExit?: Mask
}

export interface Strategy {
  readonly name: string
  readonly params: Readonly<Record<string, ParamRange>>
  constraint?(params: Params): boolean
  signals(bars: BarColumns, params: Params, ta: Indicators): Masks
}

/** The same with the parameters' names known, so that `({ fast, slow }) => …` type-checks in a strategy file. */
export interface StrategyDefinition<Ranges extends Readonly<Record<string, ParamRange>>> {
  readonly name: string
  readonly params: Ranges
  constraint?(params: { readonly [Name in keyof Ranges]: number }): boolean
  signals(bars: BarColumns, params: { readonly [Name in keyof Ranges]: number }, ta: Indicators): Masks
}

export interface StrategyDescription {
  readonly name: string
  readonly params: Readonly<Record<string, ParamRange>>
}

const KNOWN_KEYS = new Set(['name', 'params', 'constraint', 'signals'])

/** Checks the shape and returns the strategy; throws STRATEGY_INVALID with a sentence that says what to change. */
export function defineStrategy<Ranges extends Readonly<Record<string, ParamRange>>>(strategy: StrategyDefinition<Ranges>): Strategy {
  const candidate: unknown = strategy
  if (typeof candidate !== 'object' || candidate === null) {
    throw invalid('a strategy is an object with name, params and signals; give one to defineStrategy.')
  }
  const { name, params, constraint, signals } = candidate as Record<string, unknown>
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$/.test(name)) {
    throw invalid('name must be a text of 1 to 100 letters, digits, dots, dashes, spaces or underscores.')
  }
  for (const key of Object.keys(candidate)) {
    if (!KNOWN_KEYS.has(key)) throw invalid(`the strategy "${name}" has an unknown key "${key}"; it may have name, params, constraint and signals.`)
  }
  if (typeof signals !== 'function') throw invalid(`the strategy "${name}" needs signals(bars, params, ta), a function that returns masks.`)
  if (constraint !== undefined && typeof constraint !== 'function') {
    throw invalid(`constraint of "${name}" must be a function of the parameters that returns true or false.`)
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) {
    throw invalid(`params of "${name}" must be an object of ranges, {} when there are none.`)
  }
  for (const [key, range] of Object.entries(params as Record<string, unknown>)) checkRange(name, key, range)
  return strategy as unknown as Strategy
}

function checkRange(strategy: string, name: string, range: unknown): void {
  const where = `parameter "${name}" of "${strategy}"`
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(`${where}: a parameter's name is a letter followed by letters, digits and underscores.`)
  if (['and', 'or', 'not', '__proto__'].includes(name)) throw invalid(`${where}: this word is taken by the constraint language; choose another name.`)
  if (typeof range !== 'object' || range === null) throw invalid(`${where} must be a range such as { min: 2, max: 200, step: 1, default: 10 }.`)
  for (const key of Object.keys(range)) {
    if (!['min', 'max', 'step', 'default'].includes(key)) throw invalid(`${where} has an unknown key "${key}"; a range has min, max, step and default.`)
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
