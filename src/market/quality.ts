/**
 * How good the bars of a series are: one pass, month by month, in the order of the months.
 *
 * The scan is a plain state that goes on from where it was, so that a long series is checked in batches and never lies in
 * memory as a whole. docs/data.md says what each figure of the report means. Cost: about 50 ns a bar.
 */
import { dayRuleOf, UTC_DAYS } from '../base/bar-day.js'
import type { DayRule } from '../base/bar-day.js'
import type { DayEdges } from './bar-ends.js'
import { edgesOf, endOfLast, mostOf, notePhases } from './bar-ends.js'
import { dailyBreaks, isDailyBreak } from './daily-breaks.js'
import type { DailyBreaks } from './daily-breaks.js'
import type { BarColumns } from './layout.js'
import { beginEdges, dayGap, isWeekend, noteEdge } from './sessions.js'
import type { SessionEdges } from './sessions.js'
import { DAY_MS } from './timeframe.js'
import type { Timeframe } from './timeframe.js'

/** Bars that were made up to fill a gap: all starts from `from` to `to`, both included. */
export interface FilledRange {
  readonly from: number
  readonly to: number
}

export interface Listed<Item> {
  readonly count: number
  /** The first ones. */
  readonly list: readonly Item[]
}

/** Bars that are missing between two that are there; `missing_days` where only whole days of a market with sessions are. */
export interface Gap {
  readonly after: string
  readonly before: string
  readonly missing_bars?: number
  readonly missing_days?: number
}

/** What is kept with a series and shown; times are ISO 8601 UTC. */
export interface QualityReport {
  readonly timeframe: string
  readonly bars: number
  readonly first_time: string
  readonly last_time: string
  /** `sessions`: next to no bar falls on a weekend, so nights, weekends and holidays are no gaps. */
  readonly calendar: 'continuous' | 'sessions'
  /** What the days of the bars are, and by how much shorter bars begin after UTC's (30 minutes for hours at half past). */
  readonly days: DayRule & { readonly phaseMs: number; readonly breaks?: DailyBreaks }
  /** Of shorter bars in a market with sessions: whether the first day begins, and the last one ends, as others do; `open`: it was not over. */
  readonly first_day: DayEdges['first_day']
  readonly last_day: DayEdges['last_day']
  readonly out_of_order: number
  readonly duplicates: number
  readonly step: { readonly most_common_ms: number; readonly shorter: number; readonly off_grid: number }
  readonly gaps: Listed<Gap> & { readonly missing_bars: number }
  readonly ohlc: Listed<string>
  readonly zero_volume: { readonly bars: number; readonly longest_run: number } & { readonly runs: Listed<{ readonly from: string; readonly bars: number }> }
  readonly outliers: Listed<{ readonly time: string; readonly move: number }>
  readonly jumps: Listed<{ readonly time: string; readonly ratio: number; readonly like: string }>
  /** It had not ended when it came, and nothing has changed it since. */
  readonly partial_last_bar: boolean
  /** Open, high, low, close, volume. */
  readonly last_bar: readonly number[]
  /** Bars that --repair put in and that still stand. */
  readonly repaired: number
  readonly repaired_ranges: readonly FilledRange[]
}

const LISTED_GAPS = 1000
const LISTED = 100
/** A pause in trading of this many bars is worth listing. */
const RUN_BARS = 10
/** The mean move is taken over about this many bars, and used after as many. */
const MEMORY_BARS = 100
const OUTLIER_MOVES = 20
const JUMP_MOVES = 8
/** Moves below this never count, however quiet the market was. */
const LEAST_MOVE = 0.02
/** Its logarithm is less than that. */
const SHORT_WICK = 1.02
const SPLITS: readonly (readonly [like: string, ratio: number])[] = [
  ...[2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100].flatMap((n): [string, number][] => [[`${n}:1 split`, 1 / n], [`1:${n} reverse split`, n]]),
  ['3:2 split', 2 / 3], ['2:3 reverse split', 3 / 2],
]
const SPLIT_TOLERANCE = 0.02
const TOLERANCE = 1e-9
/** A day is an hour shorter once a year. */
const DAYLIGHT_MS = 3_600_000

interface Bounded<Item> {
  count: number
  list: Item[]
}

/** Plain data: it travels to a thread and back between two batches. */
export interface ScanState {
  bars: number
  firstTime: number
  lastTime: number
  lastClose: number
  lastBar: number[]
  outOfOrder: number
  duplicates: number
  offGrid: number
  shorter: number
  weekendBars: number
  /** Of the bars' days, a bit each: 1 for Sunday to 64 for Saturday. */
  weekdays: number
  steps: Record<string, number>
  /** Found by the first bars that are scanned. */
  days: DayRule | null
  breaks: DailyBreaks | null
  edges: SessionEdges
  phases: Record<string, number>
  gaps: Bounded<Gap>
  missing: number
  sessionGaps: Bounded<Gap>
  sessionMissing: number
  ohlc: Bounded<string>
  zeroBars: number
  runs: Bounded<{ from: string; bars: number }>
  longestRun: number
  runFrom: number
  runBars: number
  meanMove: number
  outliers: Bounded<{ time: string; move: number }>
  jumps: Bounded<{ time: string; ratio: number; like: string }>
  repaired: number
  repairedRanges: FilledRange[]
}

/** `days` and `breaks`: of the series, where more bars than those of the first scan told. */
export function beginScan(days: DayRule | null = null, breaks: DailyBreaks | null = null): ScanState {
  return {
    bars: 0, firstTime: 0, lastTime: 0, lastClose: 0, lastBar: [], outOfOrder: 0, duplicates: 0, offGrid: 0, shorter: 0, weekendBars: 0, weekdays: 0, steps: {}, days, breaks, edges: beginEdges(), phases: {},
    gaps: { count: 0, list: [] }, missing: 0, sessionGaps: { count: 0, list: [] }, sessionMissing: 0, ohlc: { count: 0, list: [] },
    zeroBars: 0, runs: { count: 0, list: [] }, longestRun: 0, runFrom: 0, runBars: 0, meanMove: 0,
    outliers: { count: 0, list: [] }, jumps: { count: 0, list: [] }, repaired: 0, repairedRanges: [],
  }
}

/** Goes on with bars that follow those before. `filled`: where bars were made up, ascending; they are no pause in trading. */
export function scanBars(state: ScanState, bars: BarColumns, timeframe: Timeframe, filled: readonly FilledRange[] = []): void {
  const { shiftMs } = state.days ??= dayRuleOf(bars.time)
  state.breaks ??= dailyBreaks([bars.time], timeframe.stepMs, shiftMs)
  const isShort = timeframe.stepMs < DAY_MS
  let range = 0
  // Equal distances are counted together: a text as key for each of five million takes longer than all else.
  let step = 0
  let stepTimes = 0
  for (let i = 0; i < bars.length; i += 1) {
    const time = bars.time[i]!
    if (timeframe.startOf(time) !== time) state.offGrid += 1
    if (isWeekend(time + shiftMs)) state.weekendBars += 1
    if (!isShort) state.weekdays |= 1 << (((Math.floor((time + shiftMs) / DAY_MS) + 4) % 7 + 7) % 7)
    checkPrices(state, bars, i)
    const distance = time - state.lastTime
    if (state.bars === 0) state.firstTime = time
    else if (distance === step) stepTimes += 1
    else {
      countStep(state, step, stepTimes)
      step = distance
      stepTimes = 1
    }
    if (state.bars > 0 && distance !== timeframe.stepMs) {
      checkStep(state, time, timeframe, shiftMs)
      if (isShort) noteEdge(state.edges, state.lastTime, time)
    }
    while (range < filled.length && filled[range]!.to < time) range += 1
    const madeUp = range < filled.length && filled[range]!.from <= time && isFill(bars, i)
    if (madeUp) noteRepaired(state, time, timeframe)
    checkVolume(state, time, bars.volume[i] === 0 && !madeUp)
    checkMove(state, bars, i)
    state.bars += 1
    state.lastTime = time
    state.lastClose = bars.close[i]!
  }
  countStep(state, step, stepTimes)
  notePhases(state.phases, bars.time, timeframe)
  const last = bars.length - 1
  if (last >= 0) state.lastBar = [bars.open, bars.high, bars.low, bars.close, bars.volume].map((column) => column[last]!)
}

/** `nowMs`: a last bar that ends later is not finished. Nor is one that was not in the report before and is the same still. */
export function endScan(state: ScanState, timeframe: Timeframe, nowMs: number, before: QualityReport | null = null): QualityReport {
  checkVolume(state, 0, false)
  const sessions = hasSessions(state)
  const gaps = sessions ? state.sessionGaps : state.gaps
  const mostCommon = mostOf(state.steps)
  const days = state.days ?? UTC_DAYS
  const endMs = endOfLast(state, timeframe, days)
  return {
    timeframe: timeframe.name, bars: state.bars, first_time: iso(state.firstTime), last_time: iso(state.lastTime),
    calendar: sessions ? 'sessions' : 'continuous', days: { ...days, phaseMs: mostOf(state.phases) ?? 0, breaks: state.breaks ?? [] }, ...edgesOf(state, timeframe, days, nowMs),
    out_of_order: state.outOfOrder, duplicates: state.duplicates,
    step: { most_common_ms: mostCommon ?? timeframe.stepMs, shorter: state.shorter, off_grid: state.offGrid },
    gaps: { ...gaps, missing_bars: sessions ? state.sessionMissing : state.missing },
    ohlc: state.ohlc,
    zero_volume: { bars: state.zeroBars, longest_run: state.longestRun, runs: state.runs },
    outliers: state.outliers, jumps: state.jumps,
    partial_last_bar: state.bars > 0 && (endMs > nowMs || isStillPartial(state, before)),
    last_bar: state.lastBar,
    repaired: state.repaired, repaired_ranges: state.repairedRanges,
  }
}

function isStillPartial(state: ScanState, before: QualityReport | null): boolean {
  return before?.partial_last_bar === true && Date.parse(before.last_time) === state.lastTime && before.last_bar.every((value, i) => value === state.lastBar[i])
}

/** The same rule as for days a year: 2 of 7 days are weekend, and fewer than 0.6 of that means the market rests then. */
export function hasSessions(state: Pick<ScanState, 'bars' | 'weekendBars' | 'firstTime' | 'lastTime'>): boolean {
  const days = (state.lastTime - state.firstTime) / DAY_MS
  // Within a few weekdays nothing tells, and one weekend may lie in a gap.
  return state.weekendBars === 0 ? days >= 5 : days >= 14 && state.weekendBars <= state.bars * 0.6 * (2 / 7)
}

function countStep(state: ScanState, step: number, times: number): void {
  if (step <= 0 || times === 0) return
  // Of a series with thousands of different steps the common ones came early.
  const key = String(step)
  if (key in state.steps || Object.keys(state.steps).length < 50) state.steps[key] = (state.steps[key] ?? 0) + times
}

/** For a bar that does not follow the one before at once. */
function checkStep(state: ScanState, time: number, timeframe: Timeframe, shiftMs: number): void {
  const step = time - state.lastTime
  if (step < 0) state.outOfOrder += 1
  if (step === 0) state.duplicates += 1
  if (step <= 0) return
  if (step < timeframe.stepMs - (timeframe.stepMs < DAY_MS ? 0 : DAYLIGHT_MS)) state.shorter += 1
  const missing = timeframe.between(state.lastTime + shiftMs, time + shiftMs)
  if (missing === 0) return
  const gap = { after: iso(state.lastTime), before: iso(time) }
  add(state.gaps, { ...gap, missing_bars: missing }, LISTED_GAPS)
  state.missing += missing
  const inSessions = dayGap(state.lastTime, time, timeframe.stepMs, missing, shiftMs)
  if (inSessions === null || isDailyBreak(state.breaks ?? [], state.lastTime, time)) return
  add(state.sessionGaps, { ...gap, ...inSessions }, LISTED_GAPS)
  state.sessionMissing += inSessions.missing_bars ?? 0
}

function checkPrices(state: ScanState, bars: BarColumns, i: number): void {
  const open = bars.open[i]!, high = bars.high[i]!, low = bars.low[i]!, close = bars.close[i]!
  const slack = Math.abs(high) * TOLERANCE
  const sane = low > 0 && high < Infinity && high + slack >= open && high + slack >= close && low - slack <= open && low - slack <= close && high + slack >= low && bars.volume[i]! >= 0
  if (!sane) add(state.ohlc, iso(bars.time[i]!), LISTED)
}

function checkVolume(state: ScanState, time: number, isZero: boolean): void {
  if (isZero) {
    if (state.runBars === 0) state.runFrom = time
    state.runBars += 1
    state.zeroBars += 1
    state.longestRun = Math.max(state.longestRun, state.runBars)
    return
  }
  if (state.runBars >= RUN_BARS) add(state.runs, { from: iso(state.runFrom), bars: state.runBars }, LISTED)
  state.runBars = 0
}

function checkMove(state: ScanState, bars: BarColumns, i: number): void {
  if (state.bars === 0 || !(state.lastClose > 0)) return
  const open = bars.open[i]!, close = bars.close[i]!
  const ratio = close / state.lastClose
  const move = Math.abs(Math.log(ratio))
  if (!Number.isFinite(move)) return
  const top = Math.max(open, close), bottom = Math.min(open, close)
  const high = bars.high[i]!, low = bars.low[i]!
  // A wick that nobody traded at is a bad tick too. One of less than 2 % never counts.
  const wick = high <= top * SHORT_WICK && bottom <= low * SHORT_WICK ? 0 : Math.max(Math.log(high / top), Math.log(bottom / low), 0)
  const largest = Math.max(move, wick)
  const mean = state.bars >= MEMORY_BARS ? state.meanMove : Infinity
  const split = move > LEAST_MOVE && move > JUMP_MOVES * mean
    ? SPLITS.find(([, like]) => Math.abs(ratio / like - 1) < SPLIT_TOLERANCE && Math.abs(open / state.lastClose / like - 1) < 5 * SPLIT_TOLERANCE) : undefined
  if (split !== undefined) add(state.jumps, { time: iso(bars.time[i]!), ratio, like: split[0] }, LISTED)
  else if (largest > LEAST_MOVE && largest > OUTLIER_MOVES * mean) add(state.outliers, { time: iso(bars.time[i]!), move: move >= wick ? ratio - 1 : wick }, LISTED)
  // One wild bar must not hide the next.
  const counted = Number.isFinite(mean) ? Math.min(move, OUTLIER_MOVES * mean || move) : move
  state.meanMove += (counted - state.meanMove) / Math.min(state.bars, MEMORY_BARS)
}

/** The close before is not asked for: it may have been corrected since, and the bar is made up still. */
export function isFill(bars: BarColumns, i: number): boolean {
  const close = bars.close[i]!
  return bars.open[i] === close && bars.high[i] === close && bars.low[i] === close && bars.volume[i] === 0
}

function noteRepaired(state: ScanState, time: number, timeframe: Timeframe): void {
  state.repaired += 1
  const last = state.repairedRanges.at(-1)
  if (last !== undefined && timeframe.next(last.to) === time) state.repairedRanges[state.repairedRanges.length - 1] = { from: last.from, to: time }
  else state.repairedRanges.push({ from: time, to: time })
}

function add<Item>(into: Bounded<Item>, item: Item, most: number): void {
  into.count += 1
  if (into.list.length < most) into.list.push(item)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
