/**
 * One parameter of a sweep's space as a list of values, without the list: value k is min + k × step, rounded to
 * the digits that min and step are written with, so that 0.1 to 0.3 by 0.1 gives 0.1, 0.2, 0.3 and never
 * 0.30000000000000004. A range includes its max when a step meets it.
 */
import { SweepmillError } from '../../base/errors.js'
import type { SpaceAxisSpec } from '../specs/sweep-spec.js'
import { checkValue, requireParam } from '../strategies/check-params.js'
import type { Strategy } from '../strategies/strategy.js'

export interface SpaceAxis {
  readonly name: string
  readonly count: number
  valueAt(position: number): number
}

export function buildAxis(spec: SpaceAxisSpec, strategy: Strategy): SpaceAxis {
  const { name } = spec
  requireParam(strategy, name)
  if ('choices' in spec) {
    for (const choice of spec.choices) checkValue(strategy, name, choice)
    return { name, count: spec.choices.length, valueAt: (k) => spec.choices[k] ?? NaN }
  }
  const { min, max } = spec
  const step = spec.step ?? strategy.params[name]?.step ?? 1
  const count = Math.floor((max - min) / step + 1e-9) + 1
  if (count > 2 ** 32) {
    throw new SweepmillError('SPEC_INVALID', `space.${name} has ${count} values, more than 2^32; use a larger step.`, { details: { path: `space.${name}`, count } })
  }
  const valueAt = stepper(min, step)
  checkValue(strategy, name, min)
  checkValue(strategy, name, valueAt(count - 1))
  // The ends of 5 to 6 by 0.5 are whole, what lies between is not.
  if (count > 1) checkValue(strategy, name, valueAt(1))
  return { name, count, valueAt }
}

function stepper(min: number, step: number): (k: number) => number {
  if (Number.isInteger(min) && Number.isInteger(step)) return (k) => min + k * step
  const digits = Math.max(fractionDigits(min), fractionDigits(step))
  if (digits > 20) return (k) => min + k * step
  return (k) => Number((min + k * step).toFixed(digits))
}

/** Digits after the decimal point of the shortest form of a number. */
function fractionDigits(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent))
}
