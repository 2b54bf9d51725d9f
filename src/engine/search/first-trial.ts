/**
 * Looking for the first point of a grid that is not excluded, from any point on and for as long as the pulse allows: a search that
 * was stopped says where it goes on.
 */
import { SweepmillError } from '../../base/errors.js'
import type { SweepSpec } from '../specs/sweep-spec.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { SKIPS_PER_BEAT } from './pulse.js'
import type { Pulse } from './pulse.js'

/** How many excluded points in a row are looked at before the sweep's word is taken: a few seconds. */
const MAX_SEARCH = 2 ** 23
/** A constraint longer than this costs in proportion, and fewer points are looked at. */
const SHORT_CONSTRAINT = 64

interface Grid {
  readonly fullSize: number
  paramsAt(index: number): Params | null
}

export type FirstTrial =
  | { readonly kind: 'found'; readonly index: number }
  /** None among the points that are looked at; the sweep will tell. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'stopped'; readonly next: number }

/** How many points are looked at, at most. */
export function searchedPoints(plan: Pick<Grid, 'fullSize'>, { constraint = '' }: Pick<SweepSpec, 'constraint'>): number {
  return Math.min(plan.fullSize, Math.floor(MAX_SEARCH / Math.max(1, constraint.length / SHORT_CONSTRAINT)))
}

/** Throws SPACE_EMPTY once all points are seen to be excluded. At least one point is looked at. */
export function firstTrial(plan: Grid, spec: SweepSpec, strategy: Strategy, from: number, pulse: Pulse): FirstTrial {
  const end = searchedPoints(plan, spec)
  for (let index = from; index < end; index++) {
    if (plan.paramsAt(index) !== null) return { kind: 'found', index }
    if ((index - from) % SKIPS_PER_BEAT === SKIPS_PER_BEAT - 1 && pulse.beat(index + 1, plan.fullSize) && index + 1 < end) return { kind: 'stopped', next: index + 1 }
  }
  if (end === plan.fullSize) throw emptySpace(plan, spec, strategy)
  return { kind: 'unknown' }
}

export function emptySpace({ fullSize }: Pick<Grid, 'fullSize'>, { constraint }: SweepSpec, strategy: Strategy): SweepmillError {
  const which = [
    ...(constraint === undefined ? [] : [`the constraint "${constraint}"`]),
    // That of a user's strategy is not seen everywhere.
    ...(strategy.constraint === undefined && constraint !== undefined ? [] : [`the constraint of ${strategy.name}`]),
  ]
  return new SweepmillError('SPACE_EMPTY',
    `None of the ${fullSize} points of the space is left: all are excluded by ${which.join(' and ')}. Widen the space or loosen the constraint.`,
    { details: { points: fullSize, constraint: constraint ?? null } })
}
