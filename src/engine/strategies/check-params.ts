/**
 * Checks parameters against a strategy's ranges and fills in the defaults. Steps are not enforced: a step says
 * how a sweep walks, a single backtest may stand between two steps. But a range whose min, max, default and step
 * are all whole numbers counts something, such as bars: between its values there is nothing, and 10.5 is refused
 * here, at the door, not by the first indicator that meets it. Throws PARAM_INVALID that names the parameter, its
 * value and its range, or the constraint that does not hold.
 */
import { SweepmillError } from '../../base/errors.js'
import { nearest } from '../specs/nearest.js'
import { requireDefined } from './strategy.js'
import type { ParamRange, Params, Strategy } from './strategy.js'

export function checkParams(strategy: Strategy, params: Readonly<Record<string, unknown>> = {}): Params {
  requireDefined(strategy)
  const known = Object.keys(strategy.params)
  for (const name of Object.keys(params)) requireParam(strategy, name, known)
  const checked: Record<string, number> = {}
  for (const name of known) {
    const value = Object.hasOwn(params, name) ? params[name] : strategy.params[name]?.default
    checked[name] = checkValue(strategy, name, value)
  }
  if (!satisfiesConstraint(strategy, checked)) {
    const shown = known.map((name) => `${name} ${checked[name]}`).join(', ')
    throw new SweepmillError('PARAM_INVALID',
      `${strategy.name} refuses ${shown}: its constraint ${constraintText(strategy)} does not hold.`,
      { details: { strategy: strategy.name, params: checked, constraint: constraintText(strategy) } })
  }
  return checked
}

/** Throws PARAM_INVALID unless the strategy has a parameter of this name. */
export function requireParam(strategy: Strategy, name: string, known: readonly string[] = Object.keys(strategy.params)): void {
  if (known.includes(name)) return
  const guess = nearest(name, known)
  const list = known.length === 0 ? 'it has no parameters' : `its parameters are ${known.join(', ')}`
  throw new SweepmillError('PARAM_INVALID',
    `${strategy.name} has no parameter "${name}"${guess === undefined ? '' : `, did you mean "${guess}"`}: ${list}.`,
    { details: { strategy: strategy.name, parameter: name, known } })
}

/** Throws PARAM_INVALID unless the value is a number within the parameter's range. */
export function checkValue(strategy: Strategy, name: string, value: unknown): number {
  const range = strategy.params[name]
  const details = { strategy: strategy.name, parameter: name, value, min: range?.min, max: range?.max }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new SweepmillError('PARAM_INVALID',
      `Parameter "${name}" of ${strategy.name} is ${JSON.stringify(value)}, but must be a number from ${range?.min} to ${range?.max}.`, { details })
  }
  if (range !== undefined && (value < range.min || value > range.max)) {
    throw new SweepmillError('PARAM_INVALID',
      `Parameter "${name}" of ${strategy.name} is ${value}, outside its range ${range.min} to ${range.max}.`, { details })
  }
  if (range !== undefined && isWhole(range) && !Number.isInteger(value)) {
    throw new SweepmillError('PARAM_INVALID',
      `Parameter "${name}" of ${strategy.name} is ${value}, but must be a whole number from ${range.min} to ${range.max}.`, { details })
  }
  return value
}

/** True for a range of whole numbers. One without a step is not: nothing says that it counts. */
export function isWhole({ min, max, step, default: preset }: ParamRange): boolean {
  return step !== undefined && [min, max, step, preset].every(Number.isInteger)
}

/** The strategy's own constraint; one that throws is the strategy's failure, not a false. */
export function satisfiesConstraint(strategy: Strategy, params: Params): boolean {
  if (strategy.constraint === undefined) return true
  let held: unknown
  try {
    held = strategy.constraint(params)
  } catch (thrown) {
    throw new SweepmillError('STRATEGY_FAILED',
      `The constraint of ${strategy.name} threw an error for ${JSON.stringify(params)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { details: { strategy: strategy.name, params }, cause: thrown })
  }
  // A missing return would exclude every trial, and a promise none.
  if (typeof held !== 'boolean' && typeof held !== 'number') {
    throw new SweepmillError('STRATEGY_FAILED',
      `The constraint of ${strategy.name} returned ${held === undefined ? 'nothing' : `a ${typeof held}`} for ${JSON.stringify(params)}, but must return true or false.`,
      { details: { strategy: strategy.name, params } })
  }
  return Boolean(held)
}

/** The constraint as its author wrote it: the arrow function's body, on one line. */
function constraintText(strategy: Strategy): string {
  const source = String((strategy as { constraint?: unknown }).constraint).replaceAll(/\s+/g, ' ')
  const arrow = source.indexOf('=>')
  return `"${(arrow === -1 ? source : source.slice(arrow + 2).trim()).slice(0, 200)}"`
}
