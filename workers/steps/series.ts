/**
 * Months of a series: made of a file, put together with what is stored, and checked. All of them are blocks as
 * src/market/blocks.ts writes them; a step takes a batch of months, so that a long series is never in a thread as a whole.
 */
import { SweepmillError } from '../../src/base/errors.js'
import { Lead } from '../../src/base/lead.js'
import { decodeColumns, encodeBlocks, encodeFirst, MonthsAsRead } from '../../src/market/blocks.js'
import type { BarBlock } from '../../src/market/blocks.js'
import { mergeBars } from '../../src/market/merge.js'
import { beginScan, endScan, scanBars } from '../../src/market/quality.js'
import type { FilledRange, QualityReport, ScanState } from '../../src/market/quality.js'
import { fillGaps } from '../../src/market/repair.js'
import type { LastBar } from '../../src/market/repair.js'
import { parseTimeframe } from '../../src/market/timeframe.js'
import { StepCheck } from '../../src/market/timeframe-fit.js'
import { readBars } from '../bar-file.js'
import { monthFacts, monthsReply } from '../month-blocks.js'
import { payload, stopped } from '../step.js'
import type { Step } from '../step.js'

/** What the store has not taken yet of a file that is read; more than it takes at a time. */
const AHEAD_BYTES = 64 * 2 ** 20

/**
 * {file, source, timeframe} → {bars, warnings, notes, sent, months: [{month, hash, bars, first_time, last_time}]} and
 * block:MONTH for each. With a port and a `lead`, months that were over before the file was are not among them: they were
 * sent over the port, {facts, bytes} each and `sent` in all.
 */
export const readSeriesFile: Step = async ({ input, port, shared, pulse }) => {
  const { file, source, timeframe } = input as { file: string; source: string; timeframe: string }
  const months = new MonthsAsRead()
  const steps = new StepCheck(parseTimeframe(timeframe))
  const lead = new Lead(shared['lead'])
  let sent = 0
  let sentBars = 0
  const { columns, warnings, notes = [] } = await readBars(file, source, port === null ? undefined : (rows) => {
    const over = months.over(rows)
    const beat = (): boolean => pulse.beat(sentBars, sentBars + rows.length)
    // A file from new to old has no month that is over, and is to be answerable all the same.
    if (beat()) throw stopped()
    for (const block of encodeFirst(rows, over)) {
      if (lead.wait(AHEAD_BYTES, beat)) throw stopped()
      lead.sent(block.bytes.length)
      port.postMessage({ facts: monthFacts(block), bytes: block.bytes }, [block.bytes.buffer as ArrayBuffer])
      sent += 1
    }
    steps.add(rows.time.subarray(0, over))
    sentBars += over
    return over
  })
  steps.add(columns.time)
  steps.refuse(source)
  const { json, bytes } = monthsReply(encodeBlocks(columns))
  return { json: { bars: sentBars + columns.length, warnings, notes, sent, ...json }, bytes }
}

/**
 * {months: [MONTH], keep: 'newer' | 'older'}, payloads old:MONTH (what is stored) and new:MONTH (what comes) →
 * {months: [{month, hash, bars, first_time, last_time, added, replaced}]} and block:MONTH for each. `keep` says which bar
 * stands where both have one of the same time; `replaced` counts those of the stored ones that have other values now.
 */
export const mergeMonths: Step = (context) => {
  const { months, keep } = context.input as { months: readonly string[]; keep: 'newer' | 'older' }
  const merged = months.map((month, i) => {
    if (context.pulse.beat(i, months.length)) throw stopped()
    const older = decodeColumns(payload(context, `old:${month}`))
    const newer = decodeColumns(payload(context, `new:${month}`))
    const { columns, replaced } = keep === 'newer' ? mergeBars(older, newer) : { ...mergeBars(newer, older), replaced: 0 }
    const [block, ...more] = encodeBlocks(columns)
    if (block?.month !== month || more.length > 0) throw new SweepmillError('INVARIANT', `The blocks of ${month} hold bars of another month.`)
    return { block, added: columns.length - older.length, replaced }
  })
  return monthsReply(merged.map(({ block }) => block), (i) => ({ added: merged[i]!.added, replaced: merged[i]!.replaced }))
}

/** {state or null, timeframe, filled, months: count, now_ms or null, before} and payloads month:0… in order → {state}, or with now_ms {report}. */
export const scanMonths: Step = (context) => {
  const { state: begun, timeframe: name, filled, months, now_ms: nowMs, before } = context.input as {
    state: ScanState | null; timeframe: string; filled: readonly FilledRange[]; months: number; now_ms: number | null; before: QualityReport | null
  }
  const state = begun ?? beginScan()
  const timeframe = parseTimeframe(name)
  for (let i = 0; i < months; i += 1) {
    if (context.pulse.beat(i, months)) throw stopped()
    scanBars(state, decodeColumns(payload(context, `month:${i}`)), timeframe, filled)
  }
  return { json: nowMs === null ? { state } : { report: endScan(state, timeframe, nowMs, before) } }
}

/**
 * {timeframe, sessions, before: {time, close} or null, months: count} and payloads month:0… in order → {ranges, last,
 * months: as in read_series_file} and block:MONTH for each: bars for the gaps, and they alone.
 */
export const fillMonths: Step = (context) => {
  const { timeframe: name, sessions, before, months } = context.input as { timeframe: string; sessions: boolean; before: LastBar | null; months: number }
  const timeframe = parseTimeframe(name)
  let last = before
  const fills = Array.from({ length: months }, (_, i) => {
    if (context.pulse.beat(i, months)) throw stopped()
    const filled = fillGaps(decodeColumns(payload(context, `month:${i}`)), timeframe, sessions, last)
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
