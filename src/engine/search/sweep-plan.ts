/**
 * The plan of a grid sweep: which parameters stand behind which index, in mixed radix with the last-named
 * parameter fastest. Nothing is enumerated; a trial's parameters follow from its index, so that a chunk of work
 * travels as a range. Indices that the spec's or the strategy's constraint excludes have no trial.
 */
import { SweepmillError } from '../../base/errors.js'
import { requireSpec } from '../specs/spec-json.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import { checkValue, requireParam, satisfiesConstraint } from '../strategies/check-params.js'
import { requireDefined } from '../strategies/strategy.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { compileConstraint } from './constraint.js'
import { firstTrial } from './first-trial.js'
import type { Pulse } from './pulse.js'
import type { SpaceAxis } from './space-axis.js'
import { buildAxis } from './space-axis.js'

const MAX_SIZE = 2 ** 32
export interface SweepPlan {
  /** Parameters of the space, in order; the last runs fastest. */
  readonly names: readonly string[]
  readonly axes: readonly SpaceAxis[]
  /** Points of the full grid, excluded ones counted. */
  readonly fullSize: number
  /** All parameters of the strategy at this index, fixed and default ones too; null when excluded. */
  paramsAt(index: number): Params | null
}

/**
 * `layoutSweep`, and SPACE_EMPTY where it is seen that no point is left. It may look at millions of points for that: `pulse` is
 * asked all the while, and ends it with TASK_CANCELLED.
 */
export function planSweep(spec: SweepSpec, strategy: Strategy, pulse: Pulse = UNDISTURBED): SweepPlan {
  const plan = layoutSweep(spec, strategy)
  const found = firstTrial(plan, spec, strategy, 0, pulse)
  if (found.kind === 'stopped') throw new SweepmillError('TASK_CANCELLED', `The sweep was stopped after ${found.next} of ${plan.fullSize} points.`)
  return plan
}

const UNDISTURBED: Pulse = { beat: () => false }

/** Costs no more than the spec is long, however large the grid. Throws PARAM_INVALID, CONSTRAINT_INVALID and SPEC_INVALID (too large). */
export function layoutSweep(spec: SweepSpec, strategy: Strategy): SweepPlan {
  requireDefined(strategy)
  requireSpec(spec)
  const fixed = fixedParams(spec, strategy)
  const axes = spec.space.map((axis) => buildAxis(axis, strategy))
  const names = axes.map((axis) => axis.name)
  const fullSize = axes.reduce((size, axis) => size * axis.count, 1)
  if (fullSize > MAX_SIZE) {
    throw new SweepmillError('SPEC_INVALID',
      `The grid has ${fullSize} points (${axes.map((axis) => `${axis.name} ${axis.count}`).join(' × ')}), more than 2^32; use larger steps or fewer parameters.`,
      { details: { path: 'space', points: fullSize } })
  }
  const constraint = spec.constraint === undefined ? undefined : compileConstraint(spec.constraint, Object.keys(strategy.params))
  const paramsAt = (index: number): Params | null => {
    const params: Record<string, number> = { ...fixed }
    let rest = index
    for (let k = axes.length - 1; k >= 0; k--) {
      const axis = axes[k]!
      const above = Math.floor(rest / axis.count)
      params[axis.name] = axis.valueAt(rest - above * axis.count)
      rest = above
    }
    if (constraint !== undefined && !constraint(params)) return null
    return satisfiesConstraint(strategy, params) ? params : null
  }
  return { names, axes, fullSize, paramsAt }
}

/** What the space does not name: the spec's fixed values, else the strategy's defaults. */
function fixedParams(spec: SweepSpec, strategy: Strategy): Record<string, number> {
  const given = 'params' in spec.strategy ? spec.strategy.params : {}
  const space = new Set(spec.space.map((axis) => axis.name))
  for (const name of Object.keys(given)) {
    requireParam(strategy, name)
    if (!space.has(name)) continue
    throw new SweepmillError('PARAM_INVALID', `Parameter "${name}" is both fixed by strategy.params and in the space; keep one.`, { details: { parameter: name } })
  }
  const fixed: Record<string, number> = {}
  for (const [name, range] of Object.entries(strategy.params)) {
    fixed[name] = checkValue(strategy, name, given[name] ?? range.default)
  }
  return fixed
}
