/**
 * Schema, determinism, look-ahead and warm-up of one strategy on given bars: what `sweepmill strategies check` prints.
 * Pure: clocks and random numbers of the thread come in as `Ambient`, fresh copies of the module as `copies`.
 */
import { hasCode, SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { commonBars } from '../simulate/timeline.js'
import { checkParams } from '../strategies/check-params.js'
import type { Strategy } from '../strategies/strategy.js'
import type { Series } from './altered-bars.js'
import { checkDeterminism, writingFault } from './check-determinism.js'
import type { ModuleCopies } from './check-determinism.js'
import type { CheckFinding, StrategyCheck } from './check-finding.js'
import { checkLookAhead } from './check-look-ahead.js'
import { CheckSession, NO_AMBIENT } from './check-session.js'
import type { Ambient } from './check-session.js'
import { checkWarmUp } from './check-warm-up.js'
import { firstDifference } from './observed-run.js'
import type { ObservedRun } from './observed-run.js'

/** Of several symbols that a strategy looks at together. */
export interface SymbolBars {
  readonly symbol: string
  readonly bars: BarColumns
}

export interface CheckStrategyOptions {
  readonly params?: Readonly<Record<string, unknown>>
  /** Without them the strategy is taken to have no module state. */
  readonly copies?: ModuleCopies
  readonly ambient?: Ambient
  /** Called before each run; throws to stop. */
  readonly beat?: (done: number, total: number) => void
  /** Ends the search for look-ahead before all its runs are done: a slow strategy is checked in fewer. */
  readonly isLate?: () => boolean
  /** No more than the schema, in one run. */
  readonly once?: boolean
  /** Where the strategy threw, from the error. */
  readonly place?: (error: Error) => string
}

/**
 * Cost: 120 to 1500 runs of the strategy, fewer on more bars. Throws PARAM_INVALID; whatever else is wrong with the
 * strategy is a finding.
 */
export function checkStrategy(strategy: Strategy, bars: BarColumns | readonly SymbolBars[], { params: given, copies, ambient = NO_AMBIENT, beat = () => undefined, isLate = () => false, once = false, place = () => '' }: CheckStrategyOptions = {}): StrategyCheck {
  const params = checkParams(strategy, given)
  const { series, symbols, warnings } = seriesOf(strategy, bars)
  const session = new CheckSession({ series, symbols, params, ambient, beat, isLate })
  const all: ModuleCopies = copies ?? [strategy, strategy, strategy, strategy, strategy]
  const [first] = all
  const done = (checks: readonly CheckFinding[]): StrategyCheck => ({
    strategy: strategy.name, params, bars: session.bars.length, passed: checks.every(({ passed }) => passed !== false), checks: inOrder(checks), warnings,
  })
  let whole: ObservedRun
  try {
    whole = session.run(first)
  } catch (error) {
    if (!hasCode(error, 'STRATEGY_FAILED')) throw error
    return done([{ check: 'schema', passed: false, message: `schema: ${(error as Error).message}${place(error as Error)}` }])
  }
  const schema: CheckFinding = { check: 'schema', passed: true, message: `schema: ${strategy.signalsOfAll !== undefined ? 'signalsOfAll' : strategy.onBar === undefined ? 'signals' : 'onBar'} of "${strategy.name}" can be run with ${JSON.stringify(params)}.` }
  if (once) return done([schema])
  const determinism = guardedFinding('determinism', place, () => writingFault(session, first) ?? checkDeterminism(session, all, whole))
  if (determinism.passed !== true) return done([schema, determinism])
  const lookAhead = checkLookAhead(session, first, whole, warnings)
  const writing = writingFault(session, first)
  const again = firstDifference(whole, session.run(first), 0, whole.length)
  if (writing !== undefined) return done([schema, writing, lookAhead])
  if (again !== undefined) {
    return done([schema, {
      check: 'determinism', passed: false, mask: again.mask, bar: again.bar, time: session.timeText(again.bar), from: again.from, to: again.to,
      message: `determinism: ${again.mask} of bar ${session.barText(again.bar)} changed from ${again.from} to ${again.to} after ${session.runs} runs: the strategy keeps something between calls.`,
    }])
  }
  return done([schema, determinism, lookAhead, ...(lookAhead.passed === true ? [guardedFinding('warm_up', place, () => checkWarmUp(session, first, whole, warnings))] : [])])
}

/** What the strategy is shown of them. Throws SPEC_INVALID, DATA_EMPTY. */
function seriesOf(strategy: Strategy, bars: BarColumns | readonly SymbolBars[]): { series: Series; symbols: readonly string[]; warnings: string[] } {
  const given: readonly SymbolBars[] = 'time' in bars ? [{ symbol: '', bars }] : bars
  const wanted = strategy.signalsOfAll === undefined ? 1 : strategy.symbols
  if (wanted !== undefined && wanted !== given.length) {
    throw new SweepmillError('SPEC_INVALID', `The strategy "${strategy.name}" trades ${wanted === 1 ? 'one symbol' : `${wanted} symbols together`}, and ${given.length === 1 ? 'one is' : `${given.length} are`} given. Name ${wanted === 1 ? 'one file of bars' : `the files of ${wanted} symbols`}, each with --data.`, { details: { symbols: given.length } })
  }
  if (strategy.signalsOfAll === undefined) return { series: [given[0]!.bars], symbols: [], warnings: [] }
  const series = commonBars(given.map((one) => one.bars))
  if (series[0]?.length === 0) throw new SweepmillError('DATA_EMPTY', `There is no time at which all of ${given.map(({ symbol }) => symbol).join(', ')} have a bar; such a strategy needs them side by side.`)
  return {
    series, symbols: given.map(({ symbol }) => symbol),
    warnings: given.flatMap(({ symbol, bars: { length } }, s) => (length === series[s]!.length ? [] : [`${symbol}: ${length - series[s]!.length} of ${length} bars are left out, because another symbol has none at their times.`])),
  }
}

/** A strategy that threw in one run and not in another is at fault; the finding says so. */
function guardedFinding(check: CheckFinding['check'], place: (error: Error) => string, find: () => CheckFinding): CheckFinding {
  try {
    return find()
  } catch (error) {
    if (!hasCode(error, 'STRATEGY_FAILED')) throw error
    return { check, passed: false, message: `${check === 'warm_up' ? 'warm-up' : check}: the strategy ran on all bars once, but not again, with part of them or with other parameters: ${(error as Error).message}${place(error as Error)}` }
  }
}

const ALL = ['schema', 'determinism', 'look_ahead', 'warm_up'] as const

/** Every check once; those that did not take place say why. */
function inOrder(checks: readonly CheckFinding[]): CheckFinding[] {
  return ALL.map((name) => checks.find(({ check }) => check === name)
    ?? { check: name, passed: null, message: `${name.replace('look_ahead', 'look-ahead').replace('warm_up', 'warm-up')}: not looked for, because of the failure before.` })
}
