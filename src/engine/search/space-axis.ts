/**
 * One parameter of a sweep's space as a list of values, without the list: value k of a range is min + k × step in
 * exact decimals. A range includes its max when a step meets it.
 */
import { SweepmillError } from '../../base/errors.js'
import type { SpaceAxisSpec } from '../specs/sweep-spec.js'
import { checkValue, requireParam } from '../strategies/check-params.js'
import type { Strategy } from '../strategies/strategy.js'
import { decimalRange } from './decimal-range.js'

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
  const { count, valueAt } = decimalRange(min, max, step)
  const path = `space.${name}`
  if (count > 2 ** 32) {
    throw new SweepmillError('SPEC_INVALID', `${path} has ${count} values, more than 2^32; use a larger step.`, { details: { path, count } })
  }
  if (count > 1 && step < spacing(Math.max(Math.abs(min), Math.abs(max)))) {
    throw new SweepmillError('SPEC_INVALID',
      `${path}.step is ${step}, too small for values as large as ${max}: several would be one number. Use a larger step.`, { details: { path: `${path}.step` } })
  }
  checkValue(strategy, name, min)
  checkValue(strategy, name, valueAt(count - 1))
  // The ends of 5 to 6 by 0.5 are whole, what lies between is not.
  if (count > 1) checkValue(strategy, name, valueAt(1))
  return { name, count, valueAt }
}

/** From one double to the next at this size. */
function spacing(value: number): number {
  return 2 ** (Math.floor(Math.log2(value)) - 52)
}
