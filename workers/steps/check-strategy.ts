/** Checks a strategy for look-ahead and its kin, in the thread: `sweepmill strategies check`. */
import { hasCode } from '../../src/base/errors.js'
import { builtinStrategy, checkParams, checkStrategy } from '../../src/engine/index.js'
import type { ModuleCopies, Strategy } from '../../src/engine/index.js'
import { withAmbient } from '../ambient.js'
import type { ThreadAmbient } from '../ambient.js'
import { barsOf, stopped } from '../step.js'
import type { Step } from '../step.js'
import { compiledFile, firstPlace, freshStrategy } from '../strategy-source.js'

/** A strategy of a thousand bars needs about a second; what takes longer is searched in part. */
const SEARCH_MS = 60_000

/**
 * {name} or {file}, {params, symbols, once} and bars:0… of each symbol → the findings. A file that is no strategy is a finding too; throws FILE_NOT_FOUND,
 * STRATEGY_UNKNOWN, PARAM_INVALID.
 */
export const checkStrategyStep: Step = async (context) => {
  const { name, file, params, symbols, once = false } = context.input as { name?: string; file?: string; params?: Record<string, unknown>; symbols: readonly string[]; once?: boolean }
  const series = symbols.map((symbol, k) => ({ symbol, bars: barsOf(context, `bars:${k}`) }))
  const endMs = performance.now() + SEARCH_MS
  const clock = performance.now.bind(performance)
  return withAmbient(async (ambient) => {
    let copies: ModuleCopies
    try {
      copies = await loadCopies(name, file, ambient)
    } catch (error) {
      if (!hasCode(error, 'STRATEGY_INVALID')) throw error
      const failed = { check: 'schema', passed: false, message: `schema: ${(error as Error).message}` }
      const rest = ['determinism', 'look_ahead', 'warm_up'].map((check) => ({ check, passed: null, message: `${check.replace('_', '-')}: not looked for, because of the failure before.` }))
      return { json: { strategy: null, params: params ?? {}, bars: series[0]?.bars.length ?? 0, passed: false, checks: [failed, ...rest], warnings: [] } }
    }
    checkParams(copies[0], params)
    const beat = (done: number, total: number): void => { if (context.pulse.beat(done, total)) throw stopped() }
    const place = (error: Error): string => (error.cause instanceof Error ? firstPlace(error.cause.stack) : '')
    return { json: checkStrategy(copies[0], series, { ...(params === undefined ? {} : { params }), copies, ambient, beat, place, once, isLate: () => clock() > endMs }) }
  })
}

async function loadCopies(name: string | undefined, file: string | undefined, ambient: ThreadAmbient): Promise<ModuleCopies> {
  if (file === undefined) {
    const strategy = builtinStrategy(name ?? '')
    return [strategy, strategy, strategy, strategy, strategy]
  }
  const code = await compiledFile(file)
  const load = (variant: number): Promise<Strategy> => ambient.loading(variant, () => freshStrategy(code))
  return [await load(0), await load(1), await load(2), await load(0), await load(0)]
}
