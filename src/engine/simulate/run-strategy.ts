/**
 * Calls a strategy and turns its masks into decisions. A strategy is somebody else's code: whatever it throws
 * becomes STRATEGY_FAILED with its name, its parameters and its message (our own errors pass unchanged).
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import type { Indicators } from '../indicators/indicators.js'
import type { Direction } from '../specs/execution-spec.js'
import type { Masks, Params, Strategy } from '../strategies/strategy.js'
import { decide } from './decisions.js'

export function runStrategy(strategy: Strategy, bars: BarColumns, params: Params, ta: Indicators, direction: Direction, decisions: Uint8Array): void {
  let masks: Masks
  try {
    masks = strategy.signals(bars, params, ta)
  } catch (thrown) {
    if (thrown instanceof SweepmillError) throw thrown
    throw new SweepmillError('STRATEGY_FAILED',
      `The strategy "${strategy.name}" threw an error for ${JSON.stringify(params)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { details: { strategy: strategy.name, params }, cause: thrown })
  }
  decide(masks, bars.length, direction, strategy.name, decisions)
}
