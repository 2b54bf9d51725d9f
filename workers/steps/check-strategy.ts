/** Checks a strategy for look-ahead and its kin, in the thread: `sweepmill strategies check`. */
import { hasCode } from '../../src/base/errors.js'
import { perform } from '../perform.js'
import { barsOf } from '../step.js'
import type { Step } from '../step.js'
import { compiledFile } from '../strategy-source.js'

/**
 * {name} or {file}, {params, symbols, once} and bars:0… of each symbol → the findings. A file that is no strategy is a finding too; throws FILE_NOT_FOUND,
 * STRATEGY_UNKNOWN, PARAM_INVALID.
 */
export const checkStrategyStep: Step = async (context) => {
  const { file, ...input } = context.input as { readonly file?: string; readonly params?: Record<string, unknown> }
  try {
    return await perform(file === undefined ? context : { ...context, bytes: { code: await compiledFile(file) } }, 'check', input)
  } catch (error) {
    if (!hasCode(error, 'STRATEGY_INVALID')) throw error
    const failed = { check: 'schema', passed: false, message: `schema: ${(error as Error).message}` }
    const rest = ['determinism', 'look_ahead', 'warm_up'].map((check) => ({ check, passed: null, message: `${check.replace('_', '-')}: not looked for, because of the failure before.` }))
    return { json: { strategy: null, params: input.params ?? {}, bars: context.shared['bars:0'] === undefined ? 0 : barsOf(context, 'bars:0').length, passed: false, checks: [failed, ...rest], warnings: [] } }
  }
}
