/** Checks a strategy for look-ahead and its kin: `sweepmill strategies check`. */
import { SweepmillError } from '../../src/base/errors.js'
import { checkParams, checkStrategy } from '../../src/engine/index.js'
import type { ModuleCopies, Strategy } from '../../src/engine/index.js'
import type { Job } from './job.js'

/** A strategy of a thousand bars needs about a second; what takes longer is searched in part. */
const SEARCH_MS = 60_000

/** {params, symbols, once} and bars:0… of each symbol → the findings. Throws STRATEGY_UNKNOWN, STRATEGY_INVALID, PARAM_INVALID. */
export const check: Job = ({ input, bars, strategy, copy, ambient, pulse, surroundings }) => {
  const { params, symbols, once = false } = input as { params?: Record<string, unknown>; symbols: readonly string[]; once?: boolean }
  const { nowMs, placeOf } = surroundings
  const series = symbols.map((symbol, k) => ({ symbol, bars: bars(`bars:${k}`) }))
  const endMs = nowMs() + SEARCH_MS
  const load = (variant: number): Strategy => (ambient === null ? strategy() : ambient.loading(variant, copy))
  const copies: ModuleCopies = [load(0), load(1), load(2), load(0), load(0)]
  checkParams(copies[0], params)
  const beat = (done: number, total: number): void => { if (pulse.beat(done, total)) throw new SweepmillError('TASK_CANCELLED', 'The step was cancelled.') }
  return { json: checkStrategy(copies[0], series, {
    ...(params === undefined ? {} : { params }), copies, ...(ambient === null ? {} : { ambient }), beat, once, isLate: () => nowMs() > endMs,
    place: ({ cause }) => placeOf(cause),
  }) }
}
