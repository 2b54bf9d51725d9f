/**
 * Whether a decision depends on bars after its own. The strategy runs on many copies of the bars of which only the
 * future is changed (left out, scaled, turned round, shuffled, a jump in the next bar), cut at points that are
 * spread over the bars right at and before bars on which it decides, and at extreme ones. Its past decisions must stay the same bits.
 */
import { hasCode } from '../../base/errors.js'
import { seededRandom } from '../../base/random.js'
import type { BarColumns } from '../../market/layout.js'
import type { Strategy } from '../strategies/strategy.js'
import { alterSeries, CHANGES, copySeries } from './altered-bars.js'
import type { Change, Series } from './altered-bars.js'
import type { CheckFinding } from './check-finding.js'
import type { CheckSession } from './check-session.js'
import { firstColumnDifference, firstDifference } from './observed-run.js'
import type { ColumnDifference, Difference, ObservedRun } from './observed-run.js'
import { firstChangedIndicator, RecordedIndicators } from './recorded-indicators.js'

/** Of each mask so many bars, and so many points over all. */
const BARS_PER_MASK = 40
const SPREAD_POINTS = 24
/** Largest moves and volumes: what cleans outliers looks at their neighbours. */
const EXTREMES = 8
const MOST_RUNS = 1400
const FEWEST_RUNS = 120
/** Runs × bars: some seconds of an ordinary strategy. */
const BAR_BUDGET = 1.5e8

interface Case {
  /** The last bar that is kept. */
  readonly last: number
  readonly change: Change
  /** The series that is changed; null: all. A strategy that compares several sees nothing of what befalls all alike. */
  readonly only: number | null
}

interface Found extends Case {
  readonly difference: Difference
}

export function checkLookAhead(session: CheckSession, strategy: Strategy, whole: ObservedRun, warnings: string[]): CheckFinding {
  const cases = casesFor(whole, session.series)
  session.total = session.runs + cases.length
  let first: Found | undefined
  let firstColumn: (Case & ColumnDifference) | undefined
  let thrown = 0
  let message = ''
  let done = 0
  for (const one of cases) {
    if (session.isLate()) {
      warnings.push(`The strategy is slow: after ${done} of ${cases.length} runs on changed bars the search for look-ahead was ended. Fewer bars allow more of them.`)
      break
    }
    done++
    let run: ObservedRun
    try {
      run = session.run(strategy, alterSeries(session.series, one.last, one.change, one.only))
    } catch (error) {
      if (!hasCode(error, 'STRATEGY_FAILED')) throw error
      thrown++
      message = (error as Error).message
      continue
    }
    const difference = firstDifference(whole, run, 0, Math.min(one.last + 1, first?.difference.bar ?? whole.length))
    if (difference !== undefined) first = { ...one, difference }
    const column = firstColumnDifference(whole, run, Math.min(one.last + 1, firstColumn?.bar ?? whole.length))
    if (column !== undefined) firstColumn = { ...one, ...column }
  }
  if (thrown > 0) warnings.push(`${thrown} of ${done} runs on changed bars could not be compared, because the strategy threw in them: ${message}`)
  if (first !== undefined) return failure(session, strategy, first)
  if (firstColumn !== undefined) return columnFailure(session, firstColumn)
  if (done > 0 && thrown === done) return { check: 'look_ahead', passed: false, message: `look-ahead: the strategy runs on these bars alone, so nothing could be compared: ${message}` }
  const decisions = Object.values(whole.masks).reduce((sum, mask) => sum + mask.reduce((count, one) => count + one, 0), 0)
  if (done === 0) warnings.push('With so few bars nothing could be compared: give more.')
  else if (decisions === 0) warnings.push('The strategy decides nothing on these bars, so this says little: give other bars or parameters.')
  return { check: 'look_ahead', passed: true, runs: done - thrown, decisions, message: `look-ahead: ${decisions} decisions stayed as they were in ${done - thrown} runs with another future.` }
}

/** `bar` of the past changed by what was done to the future. */
function textOf({ last, change }: Case): string {
  return change === 'left out' ? `when later bars were left out (those after bar ${last})` : `when later bars were changed (those after bar ${last} were ${change})`
}

function columnFailure(session: CheckSession, { column, bar, ...one }: Case & ColumnDifference): CheckFinding {
  return {
    check: 'look_ahead', passed: false, bar, time: session.timeText(bar), change: one.change, last_kept_bar: one.last, column,
    message: `look-ahead: the indicator column "${column}" of bar ${session.barText(bar)} changed ${textOf(one)}, though no decision did.`,
  }
}

function failure(session: CheckSession, strategy: Strategy, { difference, ...one }: Found): CheckFinding {
  const { mask, bar, from, to } = difference
  const { last, change, only } = one
  const whole = copySeries(session.series)
  const altered = alterSeries(session.series, last, change, only)
  const [before, after] = [new RecordedIndicators(whole, session.symbols), new RecordedIndicators(altered, session.symbols)]
  session.run(strategy, whole, { indicators: before.ta })
  session.run(strategy, altered, { indicators: after.ta })
  const indicator = firstChangedIndicator(before, after, session.bars.length, bar + 1)
  const because = indicator === undefined ? 'no indicator changed there, so it comes from a column of the strategy\'s own'
    : `the first to change is ${indicator.name}${indicator.fromOwnColumn ? ', made of a column of the strategy\'s own' : ''}`
  return {
    check: 'look_ahead', passed: false, mask, bar, time: session.timeText(bar), from, to, change, last_kept_bar: last, indicator: indicator?.name ?? null,
    message: `look-ahead: ${mask} of bar ${session.barText(bar)} changed from ${from} to ${to} ${textOf(one)}; ${because}.`,
  }
}

/** In a fixed order; those that do not fit the budget are dropped by lot. */
function casesFor(whole: ObservedRun, series: Series): Case[] {
  const { length } = whole
  const cases = new Map<string, Case>()
  const add = (last: number, change: Change): void => {
    if (last < 0 || last >= length - 1 || cases.has(`${last} ${change}`)) return
    // All of them, and each alone, by turns.
    const turn = cases.size % (series.length + 1)
    cases.set(`${last} ${change}`, { last, change, only: series.length === 1 || turn === series.length ? null : turn })
  }
  for (const [k, bar] of deciding(whole).entries()) {
    add(bar, 'left out')
    add(bar, 'spiked')
    add(bar, 'dropped')
    add(bar - 1, 'left out')
    add(bar, CHANGES[1 + (k % (CHANGES.length - 1))]!)
  }
  for (const bars of series) for (const bar of extremes(bars)) for (const change of CHANGES) add(bar, change)
  for (const last of spread(length)) for (const change of CHANGES) add(last, change)
  const most = Math.max(FEWEST_RUNS, Math.min(MOST_RUNS, Math.floor(BAR_BUDGET / length)))
  const all = [...cases.values()]
  const random = seededRandom(length)
  for (let k = all.length - 1; k > 0; k--) {
    const other = random.int(k + 1)
    const kept = all[k]!
    all[k] = all[other]!
    all[other] = kept
  }
  return all.slice(0, most)
}

/** Bars where a mask begins or ends, some of each mask; of a mask that says yes for long stretches those are the telling ones. */
function deciding({ masks, length }: ObservedRun): number[] {
  const chosen = new Set<number>()
  for (const mask of Object.values(masks)) {
    const bars: number[] = []
    for (let i = 0; i < length; i++) if (mask[i] !== (i === 0 ? 0 : mask[i - 1])) bars.push(i)
    for (const bar of evenly(bars, BARS_PER_MASK)) chosen.add(bar)
  }
  return [...chosen].sort((a, b) => a - b)
}

/** The first and the last always, and the first few: short warm-ups end there. */
function evenly(bars: readonly number[], count: number): number[] {
  if (bars.length <= count) return [...bars]
  const early = bars.slice(0, 4)
  return [...new Set([...early, ...Array.from({ length: count - early.length }, (_, k) => bars[Math.round((k * (bars.length - 1)) / (count - early.length - 1))]!)])]
}

/** Bars with the largest moves, and with the largest volumes, in order. */
function extremes({ close, volume, length }: BarColumns): number[] {
  const chosen = new Set<number>()
  const moves = close.map((price, i) => (i === 0 ? 0 : Math.abs(price / close[i - 1]! - 1)))
  for (const sizes of [moves, volume]) {
    const order = Array.from({ length }, (_, i) => i).sort((a, b) => sizes[b]! - sizes[a]! || a - b)
    for (const bar of order.slice(0, EXTREMES)) chosen.add(bar)
  }
  return [...chosen].sort((a, b) => a - b)
}

/** Close together at first, where indicators begin, then evenly; not on round numbers, on which weeks and periods end. */
function spread(length: number): number[] {
  const points = new Set<number>([length - 2, length - 3])
  for (let last = 0; last < length - 1; last = Math.max(last + 1, Math.floor(last * 1.6))) points.add(last)
  for (let k = 1; k <= SPREAD_POINTS; k++) points.add(Math.floor(((k - 0.37) * length) / SPREAD_POINTS))
  return [...points].filter((last) => last >= 0).sort((a, b) => a - b)
}
