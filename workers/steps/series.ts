/**
 * Months of a series: made of a file, put together with what is stored, and checked. All of them are blocks as
 * src/market/blocks.ts writes them; a step takes a batch of months, so that a long series is never in a thread as a whole.
 */
import { beginDays, countDay, dayRule } from '../../src/base/bar-day.js'
import { SweepmillError } from '../../src/base/errors.js'
import { Lead } from '../../src/base/lead.js'
import { decodeColumns, encodeBlocks, encodeFirst, MonthsAsRead } from '../../src/market/blocks.js'
import type { BarBlock } from '../../src/market/blocks.js'
import { dailyBreaks } from '../../src/market/daily-breaks.js'
import { differingBars } from '../../src/market/differing-bars.js'
import type { BarColumns } from '../../src/market/layout.js'
import { mergeBars } from '../../src/market/merge.js'
import { NO_OTHER_STAMPS, otherStamps } from '../../src/market/other-stamps.js'
import { beginScan, endScan, isFill, scanBars } from '../../src/market/quality.js'
import type { FilledRange, QualityReport, ScanState } from '../../src/market/quality.js'
import { fillGaps } from '../../src/market/repair.js'
import type { LastBar, MarketDays } from '../../src/market/repair.js'
import { parseTimeframe } from '../../src/market/timeframe.js'
import type { Timeframe } from '../../src/market/timeframe.js'
import { StepCheck } from '../../src/market/timeframe-fit.js'
import type { Reading } from '../../src/market/reading.js'
import type { RowWatcher } from '../../src/market/read-csv.js'
import { readBars } from '../bar-file.js'
import { freeTerms } from '../reading-terms.js'
import { monthFacts, monthsReply } from '../month-blocks.js'
import { payload, stopped } from '../step.js'
import type { Step } from '../step.js'

/** What the store has not taken yet of a file that is read; more than it takes at a time. */
const AHEAD_BYTES = 64 * 2 ** 20

/**
 * {file, source, timeframe, reading} → {bars, warnings, notes, sent, months: [{month, hash, bars, first_time, last_time}]} and
 * block:MONTH for each. With a port and a `lead`, months that were over before the file was are not among them: they were
 * sent over the port, {facts, bytes} each and `sent` in all.
 */
export const readSeriesFile: Step = async ({ input, port, shared, pulse }) => {
  const { file, source, timeframe, reading } = input as { file: string; source: string; timeframe: string; reading?: Reading }
  const months = new MonthsAsRead()
  const steps = new StepCheck(parseTimeframe(timeframe))
  const lead = new Lead(shared['lead'])
  let sent = 0
  let sentBars = 0
  const alive = (): void => { if (pulse.beat(sentBars, sentBars + 1)) throw stopped() }
  const onRows: RowWatcher = (rows) => {
    const over = months.over(rows)
    const beat = (): boolean => pulse.beat(sentBars, sentBars + rows.length)
    // A file from new to old has no month that is over, and is to be answerable all the same.
    if (beat()) throw stopped()
    for (const block of encodeFirst(rows, over)) {
      if (lead.wait(AHEAD_BYTES, beat)) throw stopped()
      lead.sent(block.bytes.length)
      port?.postMessage({ facts: monthFacts(block), bytes: block.bytes }, [block.bytes.buffer as ArrayBuffer])
      sent += 1
    }
    steps.add(rows.time.subarray(0, over))
    sentBars += over
    return over
  }
  const { columns, warnings, notes = [] } = await readBars(file, source, reading, { ...freeTerms(), alive, ...(port === null ? {} : { onRows }) })
  steps.add(columns.time)
  steps.refuse(source)
  const { json, bytes } = monthsReply(encodeBlocks(columns))
  return { json: { bars: sentBars + columns.length, warnings, notes, sent, ...json }, bytes }
}

/** What a merge is told: `free` names the stored bars that any others may change. */
interface MergeInput {
  readonly months: readonly { readonly month: string; readonly parts: number }[]
  readonly keep: 'newer' | 'older'
  readonly timeframe: string
  readonly free: {
    /** Bars from this time on. */
    readonly from_ms: number | null
    /** Made up to fill a gap, and still what was made up. */
    readonly filled: readonly FilledRange[]
    /** Not finished when it came. */
    readonly partial_ms: number | null
  }
}

/**
 * A `MergeInput`, payloads old:MONTH (what is stored, if anything) and new:MONTH:0… (what comes, one after the other) →
 * {months: [{month, hash, bars, first_time, last_time, parts: [{added, replaced, differing, first, others}]}]} and block:MONTH for
 * each. `keep` says which bar stands where two have one of the same time; `replaced` counts the bars that have other values
 * now; `differing` those of them, and of bars that lose a column, that were not free; `first` is the first with its values;
 * `others` those under another stamp than a bar that stands.
 */
export const mergeMonths: Step = (context) => {
  const { months, keep, timeframe, free } = context.input as unknown as MergeInput
  const { stepMs } = parseTimeframe(timeframe)
  const merged = months.map(({ month, parts }, i) => {
    if (context.pulse.beat(i, months.length)) throw stopped()
    let stands = context.bytes[`old:${month}`] === undefined ? null : decodeColumns(payload(context, `old:${month}`))
    const told = Array.from({ length: parts }, (_, part) => {
      const incoming = decodeColumns(payload(context, `new:${month}:${part}`))
      const before = stands
      if (before !== null && keep === 'older') {
        stands = mergeBars(incoming, before).columns
        return { added: stands.length - before.length, replaced: 0, differing: 0, first: null, others: NO_OTHER_STAMPS }
      }
      const { count: differing, first } = before === null ? { count: 0, first: null } : differingBars(before, incoming, (at) => isFree(before, at, free))
      const others = before === null ? NO_OTHER_STAMPS : otherStamps(before.time, incoming.time, stepMs)
      const { columns, added, replaced } = mergeBars(before, incoming)
      stands = columns
      return { added, replaced, differing, first, others }
    })
    const [block, ...more] = stands === null ? [] : encodeBlocks(stands)
    if (block?.month !== month || more.length > 0) throw new SweepmillError('INVARIANT', `The blocks of ${month} hold bars of another month.`)
    return { block, parts: told }
  })
  return monthsReply(merged.map(({ block }) => block), (i) => ({ parts: merged[i]!.parts }))
}

function isFree(bars: BarColumns, at: number, { from_ms: fromMs, filled, partial_ms: partialMs }: MergeInput['free']): boolean {
  const time = bars.time[at]!
  return (fromMs !== null && time >= fromMs) || time === partialMs || (isFill(bars, at) && filled.some(({ from, to }) => from <= time && time <= to))
}

function scanOf(parts: readonly Uint8Array[], { stepMs }: Timeframe): ScanState {
  const counts = beginDays()
  for (const part of parts) for (const time of decodeColumns(part).time) countDay(counts, time)
  const days = dayRule(counts)
  return beginScan(days, dailyBreaks(timesOf(parts), stepMs, days.shiftMs))
}

function* timesOf(parts: readonly Uint8Array[]): Generator<Float64Array> {
  for (const part of parts) yield decodeColumns(part).time
}

/** {state or null, timeframe, filled, months: count, now_ms or null, before} and payloads month:0… in order → {state}, or with now_ms {report}. */
export const scanMonths: Step = (context) => {
  const { state: begun, timeframe: name, filled, months, now_ms: nowMs, before } = context.input as {
    state: ScanState | null; timeframe: string; filled: readonly FilledRange[]; months: number; now_ms: number | null; before: QualityReport | null
  }
  const timeframe = parseTimeframe(name)
  const parts = Array.from({ length: months }, (_, i) => payload(context, `month:${i}`))
  // What a day is, and its breaks, all months of the first batch say, and not the first one alone.
  const state = begun ?? scanOf(parts, timeframe)
  parts.forEach((part, i) => {
    if (context.pulse.beat(i, months)) throw stopped()
    scanBars(state, decodeColumns(part), timeframe, filled)
  })
  return { json: nowMs === null ? { state } : { report: endScan(state, timeframe, nowMs, before) } }
}

/**
 * {timeframe, sessions, days, before: {time, close} or null, months: count} and payloads month:0… in order → {ranges, last,
 * months: as in read_series_file} and block:MONTH for each: bars for the gaps, and they alone.
 */
export const fillMonths: Step = (context) => {
  const { timeframe: name, sessions, days, before, months } = context.input as { timeframe: string; sessions: boolean; days: MarketDays; before: LastBar | null; months: number }
  const timeframe = parseTimeframe(name)
  let last = before
  const fills = Array.from({ length: months }, (_, i) => {
    if (context.pulse.beat(i, months)) throw stopped()
    const filled = fillGaps(decodeColumns(payload(context, `month:${i}`)), timeframe, sessions, last, days)
    last = filled.last
    return filled
  })
  // A gap may begin in the month before its end, so several of these blocks may be of one month.
  const blocks = new Map<string, BarBlock>()
  for (const block of fills.flatMap(({ columns }) => encodeBlocks(columns))) {
    const known = blocks.get(block.month)
    const [both = block] = known === undefined ? [block] : encodeBlocks(mergeBars(decodeColumns(known.bytes), decodeColumns(block.bytes)).columns)
    blocks.set(block.month, both)
  }
  const { json, bytes } = monthsReply([...blocks.values()])
  return { json: { ranges: fills.flatMap(({ ranges }) => ranges), last, ...json }, bytes }
}
