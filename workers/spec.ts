/** Specs as threads see them: parsed once per content, with their strategy and hash. */
import { createHash } from 'node:crypto'
import { hashInput, parseBacktestSpec, parseSweepSpec } from '../src/engine/index.js'
import type { BacktestSpec, Strategy, SweepSpec } from '../src/engine/index.js'
import type { StepContext } from './step.js'
import { strategyOf } from './strategy-source.js'

export interface Loaded<Spec> {
  readonly spec: Spec
  readonly specHash: string
  readonly strategy: Strategy
}

export function loadBacktest(context: StepContext): Promise<Loaded<BacktestSpec>> {
  return load(context, parseBacktestSpec(context.input['spec']))
}

export function loadSweep(context: StepContext): Promise<Loaded<SweepSpec>> {
  return load(context, parseSweepSpec(context.input['spec']))
}

async function load<Spec extends BacktestSpec | SweepSpec>(context: StepContext, spec: Spec): Promise<Loaded<Spec>> {
  const name = 'name' in spec.strategy ? spec.strategy.name : ''
  return { spec, specHash: createHash('sha256').update(hashInput(spec)).digest('hex'), strategy: await strategyOf(name, context.bytes['code']) }
}
