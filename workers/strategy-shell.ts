/**
 * A strategy as a thread needs it to lay out a sweep or to list it: its name and the ranges of its parameters, without its code.
 * Of a user's strategy that is what its realm says of it, checked here again: what a realm says is not relied on.
 */
import { builtinStrategy, defineStrategy } from '../src/engine/index.js'
import type { ParamRange, Strategy } from '../src/engine/index.js'
import { perform } from './perform.js'
import type { StepContext } from './step.js'

/** Throws STRATEGY_UNKNOWN, STRATEGY_INVALID. */
export async function strategyShell(context: StepContext): Promise<Strategy> {
  const { strategy } = (context.input['spec'] ?? {}) as { strategy?: { name?: string } }
  if (context.bytes['code'] === undefined) return builtinStrategy(strategy?.name ?? '')
  return shellOf((await perform(context, 'describe', {})).json)
}

/** Of a description. */
export function shellOf(described: unknown): Strategy {
  const { name, params } = described as { name: string; params: Record<string, ParamRange> }
  return defineStrategy({ name, params, signals: () => ({}) })
}
