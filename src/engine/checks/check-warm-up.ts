/**
 * How much of the past a strategy needs: it runs on bars of which the first are left out. Recursive indicators only
 * converge, so without a declared warm-up this is a figure; with one, decisions after it must be the same.
 */
import { hasCode } from '../../base/errors.js'
import { warmupOf } from '../simulate/run-strategy.js'
import type { Strategy } from '../strategies/strategy.js'
import { copySeries } from './altered-bars.js'
import type { CheckFinding } from './check-finding.js'
import type { CheckSession } from './check-session.js'
import { firstDifference } from './observed-run.js'
import type { ObservedRun } from './observed-run.js'

export function checkWarmUp(session: CheckSession, strategy: Strategy, whole: ObservedRun, warnings: string[]): CheckFinding {
  const { length } = session.bars
  const declared = strategy.warmup === undefined ? undefined : warmupOf(strategy, session.params)
  let needed = 0
  let differing = 0
  for (const start of new Set([Math.floor(length / 10), Math.floor(length / 4)])) {
    if (start < 1) continue
    let run: ObservedRun
    try {
      run = session.run(strategy, copySeries(session.series, start))
    } catch (error) {
      if (!hasCode(error, 'STRATEGY_FAILED')) throw error
      warnings.push(`Without the first ${start} bars the strategy throws: ${(error as Error).message}`)
      continue
    }
    const from = start + (declared ?? 0)
    let found = firstDifference(whole, run, from, length, start)
    if (found !== undefined && declared !== undefined && strategy.onBar === undefined) {
      return {
        check: 'warm_up', passed: false, mask: found.mask, bar: found.bar, time: session.timeText(found.bar), from: found.from, to: found.to, declared,
        message: `warm-up: ${found.mask} of bar ${session.barText(found.bar)} changed from ${found.from} to ${found.to} when the bars before ${start} were left out, ${found.bar - start} bars before it, though warmup says that ${declared} are enough; declare more.`,
      }
    }
    while (found !== undefined) {
      differing++
      needed = Math.max(needed, found.bar - start + 1)
      found = firstDifference(whole, run, found.bar + 1, length, start)
    }
  }
  const figures = { declared: declared ?? null, bars_needed: needed, differing_bars: differing }
  const declaredText = declared === undefined ? '' : ` after a warm-up of ${declared} bars`
  if (differing === 0) return { check: 'warm_up', passed: true, ...figures, message: `warm-up: with the first bars left out it decides the same${declaredText}.` }
  if (declared === undefined) {
    return { check: 'warm_up', passed: true, ...figures, message: `warm-up: with the first bars left out ${differing} bars have different decisions, the last of them ${needed} bars after the start; declare warmup to leave such decisions out.` }
  }
  warnings.push(`${differing} decisions after the warm-up of ${declared} bars are others when the first bars are left out: they depend on the position or the state that came before.`)
  return { check: 'warm_up', passed: true, ...figures, message: `warm-up: ${declared} bars are declared; a strategy with onBar may still carry a position or state over.` }
}
