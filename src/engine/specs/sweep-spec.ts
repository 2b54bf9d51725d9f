/**
 * The spec of a sweep: what a backtest's has, and the space, the constraint, the objective and what to keep.
 *
 * The order of the space matters (the last-named parameter runs fastest), and a jsonb column does not keep the
 * order of keys. So the canonical form carries `space_order` beside `space`; a spec written by hand may leave
 * it out, and then the order of its keys counts. Methods, pruners and walk-forward are known words that this
 * version refuses with NOT_SUPPORTED.
 */
import { z } from 'zod'
import { SweepmillError } from '../../base/errors.js'
import { SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import type { BacktestSpec, ParseOptions } from './backtest-spec.js'
import { COMMON_KEYS, parseCommon } from './backtest-spec.js'
import { nearest } from './nearest.js'
import { parseOrRefuse, refuseNotSupported, refuseUnknownKeys, requireObject, show, specInvalid } from './refuse.js'
import type { SweepSpecInput, Untyped } from './spec-input.js'

export type SpaceAxisSpec =
  | { readonly name: string; readonly min: number; readonly max: number; readonly step?: number }
  | { readonly name: string; readonly choices: readonly number[] }

export interface SweepSpec extends BacktestSpec {
  /** In order: the last runs fastest. */
  readonly space: readonly SpaceAxisSpec[]
  readonly constraint?: string
  readonly method: 'grid'
  readonly objective: string
  readonly direction: 'maximize' | 'minimize'
  readonly holdout?: number
  readonly seed: number
  readonly top: number
}

/** Of a later version: known so that they are refused as such, and in no list of what there is. */
const LATER_METHODS = ['auto', 'random', 'sobol', 'latin_hypercube', 'tpe', 'cma_es', 'differential_evolution', 'nsga2']

const sweepSchema = z.object({
  constraint: z.string('must be an expression such as "fast < slow"').max(2000, 'must be at most 2000 characters').optional(),
  direction: z.enum(['maximize', 'minimize'], 'must be maximize or minimize').default('maximize'),
  holdout: z.number('must be a number above 0 and below 1').gt(0, 'must be above 0 (leave it out for none)').lt(1, 'must be below 1 (0.3 keeps the last 30 % of the bars)').optional(),
  seed: z.int('must be a whole number').min(0, 'must be at least 0').max(4_294_967_295, 'must be at most 4294967295').default(0),
  top: z.int('must be a whole number').min(1, 'must be at least 1').max(1000, 'must be at most 1000').default(10),
})

const SWEEP_KEYS = [...COMMON_KEYS, 'space', 'space_order', ...Object.keys(sweepSchema.shape), 'objective', 'method']
const LATER_KEYS = ['trials', 'pruner', 'walk_forward']

/** Throws what `parseBacktestSpec` does, and SPACE_EMPTY. */
export function parseSweepSpec<Json>(json: Json & Untyped<Json>, options?: ParseOptions): SweepSpec
export function parseSweepSpec(json: SweepSpecInput, options?: ParseOptions): SweepSpec
export function parseSweepSpec(json: unknown, options: ParseOptions = {}): SweepSpec {
  const raw = requireObject(json, '')
  refuseUnknownKeys(raw, SWEEP_KEYS, '', LATER_KEYS)
  const sweep = parseOrRefuse(sweepSchema, raw, '')
  refuseLater(raw)
  const space = parseSpace(raw.space, raw.space_order)
  return {
    ...parseCommon(raw, options),
    space,
    ...(sweep.constraint === undefined ? {} : { constraint: sweep.constraint }),
    method: 'grid',
    objective: parseObjective(raw.objective),
    direction: sweep.direction,
    ...(sweep.holdout === undefined ? {} : { holdout: sweep.holdout }),
    seed: sweep.seed,
    top: sweep.top,
  }
}

/** What a later version will do: named, and refused. */
function refuseLater(raw: Record<string, unknown>): void {
  if (raw.finer !== undefined) refuseNotSupported('finer', raw.finer, 'sweep with "intrabar_path": "adaptive", and run the best with finer bars')
  if (raw.symbols !== undefined) refuseNotSupported('symbols', raw.symbols, 'sweep one symbol at a time, and run the best as a backtest of all')
  if (raw.benchmark !== undefined && raw.benchmark !== null) refuseNotSupported('benchmark', raw.benchmark, 'the metrics of a trial compare with nothing; run the best as a backtest with it')
  const method = raw.method ?? 'grid'
  if (typeof method !== 'string' || (method !== 'grid' && !LATER_METHODS.includes(method))) throw specInvalid('method', `method is ${show(method)}, but must be one of grid.`)
  if (method !== 'grid') refuseNotSupported('method', method, 'use "grid"')
  if (raw.trials !== undefined) throw specInvalid('trials', 'trials has no meaning with method "grid", which runs every point of the space; leave it out.')
  for (const key of ['pruner', 'walk_forward']) {
    if (raw[key] !== undefined && raw[key] !== null) refuseNotSupported(key, raw[key], 'leave it out')
  }
}

function parseObjective(value: unknown): string {
  if (value === undefined) return 'sharpe_ratio'
  if (Array.isArray(value)) refuseNotSupported('objective', value, 'name one metric')
  if (typeof value === 'string' && SWEEP_METRICS.includes(value)) return value
  const guess = typeof value === 'string' ? nearest(value, SWEEP_METRICS) : undefined
  throw specInvalid('objective',
    `objective is ${show(value)}, which is no metric of a sweep${guess === undefined ? '' : `; did you mean "${guess}"`}. Known: ${SWEEP_METRICS.join(', ')}.`,
    { known: SWEEP_METRICS })
}

function parseSpace(value: unknown, order: unknown): SpaceAxisSpec[] {
  if (value === undefined) throw specInvalid('space', 'space is missing; add for example "space": {"fast": {"min": 5, "max": 50, "step": 1}}, on the command line --param fast=5:50:1.')
  const space = requireObject(value, 'space')
  const names = Object.keys(space)
  if (names.length === 0) throw new SweepmillError('SPACE_EMPTY', 'space has no parameters, so there is no trial to run; add at least one, such as "fast": {"min": 5, "max": 50, "step": 1}.')
  if (order === undefined) return names.map((name) => parseAxis(name, space[name]))
  const valid = Array.isArray(order) && order.length === names.length && new Set(order).size === names.length
    && order.every((name) => typeof name === 'string' && names.includes(name))
  if (!valid) throw specInvalid('space_order', `space_order is ${show(order)}, but must list every parameter of space once: ${names.join(', ')}.`)
  return (order as string[]).map((name) => parseAxis(name, space[name]))
}

function parseAxis(name: string, value: unknown): SpaceAxisSpec {
  const path = `space.${name}`
  if (Array.isArray(value) || typeof value !== 'object' || value === null) {
    throw specInvalid(path, `${path} is ${show(value)}, but must be a range such as {"min": 5, "max": 50, "step": 1}, or {"choices": [5, 10, 20]}.`)
  }
  const axis = value as Record<string, unknown>
  refuseUnknownKeys(axis, ['min', 'max', 'step', 'choices'], path, ['log'])
  if (axis.log !== undefined && axis.log !== false) refuseNotSupported(`${path}.log`, axis.log, 'list the values in "choices"')
  if (axis.choices !== undefined) return { name, choices: parseChoices(path, axis) }
  for (const key of ['min', 'max', 'step']) {
    const bound = axis[key]
    if (key === 'step' && bound === undefined) continue
    if (typeof bound !== 'number' || !Number.isFinite(bound)) {
      throw specInvalid(`${path}.${key}`, bound === undefined
        ? `${path}.${key} is missing; a range needs min and max, or choices.`
        : `${path}.${key} is ${show(bound)}, but must be a number.`)
    }
  }
  const { min, max, step } = axis as { min: number; max: number; step?: number }
  if (min > max) throw new SweepmillError('SPACE_EMPTY', `${path} is empty: min ${min} is above max ${max}.`, { details: { path, min, max } })
  if (step !== undefined && step <= 0) throw specInvalid(`${path}.step`, `${path}.step is ${step}, but must be above 0.`)
  return { name, min, max, ...(step === undefined ? {} : { step }) }
}

function parseChoices(path: string, axis: Record<string, unknown>): number[] {
  for (const key of ['min', 'max', 'step']) {
    if (axis[key] !== undefined) throw specInvalid(`${path}.${key}`, `${path} has both choices and ${key}; keep choices, or min, max and step.`)
  }
  const choices = axis.choices
  if (!Array.isArray(choices) || !choices.every((choice) => typeof choice === 'number' && Number.isFinite(choice))) {
    throw specInvalid(`${path}.choices`, `${path}.choices is ${show(choices)}, but must be a list of numbers.`)
  }
  if (choices.length === 0) throw new SweepmillError('SPACE_EMPTY', `${path}.choices is an empty list, so there is no trial to run.`, { details: { path } })
  if (new Set(choices).size !== choices.length) throw specInvalid(`${path}.choices`, `${path}.choices names a value twice; each trial must be different.`)
  return choices as number[]
}
