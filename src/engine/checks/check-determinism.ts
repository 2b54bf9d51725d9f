/**
 * Whether a strategy decides the same whenever it is asked: again, in a fresh copy of its module, after it was called
 * with other bars and parameters, with the shared indicator columns of a sweep, and at another time of day.
 */
import { hasCode } from '../../base/errors.js'
import { ColumnCache } from '../search/column-cache.js'
import { satisfiesConstraint, isWhole } from '../strategies/check-params.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { alterSeries, copySeries } from './altered-bars.js'
import type { Series } from './altered-bars.js'
import type { CheckFinding } from './check-finding.js'
import type { CheckSession } from './check-session.js'
import { firstColumnDifference, firstDifference } from './observed-run.js'
import type { ObservedRun } from './observed-run.js'

/** Instances of a strategy's module that share no state; five times the same where there is but one. */
export type ModuleCopies = readonly [Strategy, Strategy, Strategy, Strategy, Strategy]

/** Of the comparisons below, those with other bars or parameters. */
const OTHER_CALLS: ReadonlySet<number> = new Set([3, 4, 6])

/** `copies` are five instances of the strategy's module that share no state (`ModuleCopies`). */
export function checkDeterminism(session: CheckSession, copies: ModuleCopies, first: ObservedRun): CheckFinding {
  const [a, b, c, d, e] = copies
  const { bars, series } = session
  const half = Math.ceil(bars.length / 2)
  const halfBars = (): Series => copySeries(series, 0, half)
  const shuffled = (): Series => alterSeries(series, half, 'shuffled')
  const others = otherParams(a, session.params)
  const pairs: (() => readonly [string, ObservedRun, ObservedRun])[] = [
    () => ['in two runs over the same bars', first, session.run(a, undefined, { variant: 1 })],
    () => ['in a fresh copy of the strategy', first, session.run(b, undefined, { variant: 1 })],
    () => ['in a run with another clock and other random numbers', session.run(b, undefined, { variant: 1 }), session.run(c, undefined, { variant: 2 })],
    // These copies begin with another call than the first had.
    () => [afterOther('bars'), session.run(d, halfBars()), session.run(a, halfBars())],
    () => [afterOther('bars'), session.run(d, shuffled()), session.run(a, shuffled())],
    () => [afterOther('bars'), first, session.run(d)],
    ...(others === undefined ? [] : [
      () => {
        // On the same columns, as trials of a sweep are.
        const shared = copySeries(series)
        session.run(a, shared)
        return [afterOther('parameters'), session.run(e, undefined, { params: others }), session.run(a, shared, { params: others })] as const
      },
      () => [afterOther('parameters'), first, session.run(e)] as const,
    ]),
    // Several symbols together are not swept.
    ...(series.length > 1 ? [] : [() => {
      const shared = copySeries(series)
      const { ta } = new ColumnCache(shared[0]!)
      session.run(a, shared, { indicators: ta })
      return ['when trials of a sweep share their indicator columns (it writes into a column of ta; copy it first)', first, session.run(a, shared, { indicators: ta })] as const
    }]),
  ]
  for (const [k, compare] of pairs.entries()) {
    let compared: ReturnType<typeof compare>
    try {
      compared = compare()
    } catch (error) {
      // Part of the bars or other parameters may be more than it can do; over these bars it has run before.
      if (OTHER_CALLS.has(k) && (hasCode(error, 'STRATEGY_FAILED') || hasCode(error, 'PARAM_INVALID'))) continue
      throw error
    }
    const [when, one, other] = compared
    const writing = writingFault(session, a)
    if (writing !== undefined) return writing
    const found = firstDifference(one, other, 0, Math.min(one.length, other.length))
    if (found !== undefined) {
      return {
        check: 'determinism', passed: false, mask: found.mask, bar: found.bar, time: session.timeText(found.bar), from: found.from, to: found.to,
        message: `determinism: ${found.mask} of bar ${session.barText(found.bar)} changed from ${found.from} to ${found.to} ${when}${usedText(session)}.`,
      }
    }
    const column = firstColumnDifference(one, other, Math.min(one.length, other.length))
    if (column !== undefined) {
      return { check: 'determinism', passed: false, bar: column.bar, time: session.timeText(column.bar), message: `determinism: the indicator column "${column.column}" of bar ${session.barText(column.bar)} changed ${when}${usedText(session)}.` }
    }
  }
  if (session.ambient.used.size > 0) {
    return { check: 'determinism', passed: false, message: `determinism: the strategy uses ${[...session.ambient.used].join(' and ')}, which differs from run to run, though no decision on these ${bars.length} bars did.` }
  }
  return { check: 'determinism', passed: true, message: `determinism: ${session.runs} runs over ${bars.length} bars decided the same, in fresh copies and after other calls too.` }
}

/** Not undefined when a run wrote into its bars: the column, and the mask that changes by it. */
export function writingFault(session: CheckSession, strategy: Strategy): CheckFinding | undefined {
  const { written } = session
  if (written === undefined) return undefined
  const call = strategy.signalsOfAll !== undefined ? 'signalsOfAll' : strategy.onBar === undefined ? 'signals' : 'indicators'
  const series = copySeries(session.series)
  const first = session.run(strategy, series)
  const found = firstDifference(first, session.run(strategy, series), 0, first.length)
  const used = Object.keys(first.masks).filter((name) => first.masks[name]!.includes(1))
  const consequence = found === undefined ? `; called again on them it decides the same (${used.join(', ') || 'nothing'})` : `; called again on them, ${found.mask} of bar ${session.barText(found.bar)} changed from ${found.from} to ${found.to}`
  return {
    check: 'determinism', passed: false, bar: found?.bar ?? written.bar, time: session.timeText(found?.bar ?? written.bar), column: written.column,
    ...(found === undefined ? {} : { mask: found.mask, from: found.from, to: found.to }),
    message: `determinism: ${call} wrote into the column ${written.column} of its bars, first at bar ${session.barText(written.bar)}${consequence}. All trials share the columns: copy one before changing it, for example with ${written.column}.slice().`,
  }
}

function afterOther(what: string): string {
  return `after it was called with other ${what} (it keeps something between calls)`
}

function usedText({ ambient }: CheckSession): string {
  return ambient.used.size === 0 ? '' : `; it uses ${[...ambient.used].join(' and ')}`
}

/** Other parameters that the strategy takes; undefined when there are none. */
function otherParams(strategy: Strategy, params: Params): Params | undefined {
  for (const [name, range] of Object.entries(strategy.params)) {
    const now = params[name]!
    // Whole bounds without a step are periods more often than not.
    const step = range.step ?? ([range.min, range.max, now].every(Number.isInteger) ? 1 : (range.max - range.min) / 10)
    for (const value of [now + step, now - step, range.min, range.max, range.default]) {
      if (value === now || value < range.min || value > range.max || (isWhole(range) && !Number.isInteger(value))) continue
      const changed = { ...params, [name]: value }
      if (satisfiesConstraint(strategy, changed)) return changed
    }
  }
  return undefined
}
