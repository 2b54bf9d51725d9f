/**
 * Bars into a series, month by month: what is stored is read, threads put both together, and all months are replaced at once,
 * only if each still is what was read; else those are read again. Nothing is decoded here.
 *
 * Bars that differ from those that stand are refused, unless they may be replaced: a wrong file must not take the place of a
 * series. Free are bars that were made up, and a last one that was not finished when it came. Bars under another stamp are
 * refused always: no bar would be replaced, and each would stand twice.
 */
import { batches } from '../base/batches.js'
import { SweepmillError } from '../base/errors.js'
import type { DifferingBar } from '../market/differing-bars.js'
import { NO_OTHER_STAMPS, otherStampsAtEdges } from '../market/other-stamps.js'
import type { OtherStamps } from '../market/other-stamps.js'
import type { QualityReport } from '../market/quality.js'
import { parseTimeframe } from '../market/timeframe.js'
import type { AddedBars, BarCounts, BarSeriesStore, IncomingMonth, NewBlock, RevisionNote, Series, SeriesBlock, SeriesKey, Writer } from '../tasks/bar-series.js'
import { leaseLost } from '../tasks/lease-lost.js'
import type { ComputeReply } from '../tasks/compute-pool.js'
import { differingBarsError } from './differing-bars-error.js'
import { otherStampsError } from './other-stamps-error.js'
import type { StepRequest } from './workflow.js'

export interface MonthTools {
  readonly series: BarSeriesStore
  compute(request: StepRequest): Promise<ComputeReply>
}

/** Months that come from one place, which messages call `name`. */
export interface MonthSource {
  readonly name: string
  readonly months: readonly IncomingMonth[]
}

export interface AddOptions {
  /** Null: no task writes, and nothing is remembered to be taken back. */
  readonly writer: Writer | null
  readonly kind: RevisionNote['kind']
  /** Which bar stands where both have one of the same time. */
  readonly keep: 'newer' | 'older'
  /** Bars of this time and later may be replaced by others; null: none may. */
  readonly replaceFromMs: number | null
}

/** Bytes in a thread at a time; a month of minutes has 2 MiB. */
export const BATCH_BYTES = 32 * 2 ** 20
/** A bar's columns, at most: what a block of so many bars takes. */
export const BAR_BYTES = 56
const MOST_TRIES = 50

/** Makes the series if there is none. Throws DATA_CONFLICT, and LEASE_LOST when the writer's attempt is not the task's any more. */
export async function addMonths(tools: MonthTools, key: SeriesKey, sources: readonly MonthSource[], options: AddOptions): Promise<AddedBars> {
  const incoming = byMonth(sources)
  const plans = new Map<string, MonthPlan>()
  let open = [...incoming.keys()]
  for (let tries = 0; ; tries += 1) {
    if (tries === MOST_TRIES) throw new SweepmillError('STATE_CONFLICT', `The months ${open.join(', ')} of ${nameOf(key)} change faster than they can be written. Try again later.`)
    const series = await tools.series.find(key)
    for (const batch of batches(open, (month) => sizeOf(incoming.get(month)), BATCH_BYTES)) {
      for (const plan of await planMonths(tools, key, series, batch.map((month) => incoming.get(month) ?? []), options)) plans.set(plan.month, plan)
    }
    const planned = [...plans.values()]
    refuseDiffering(key, planned, sources, options.kind)
    if (options.keep === 'newer') refuseOtherStamps(key, series, planned, sources)
    const changing = planned.filter(({ after, before }) => after.hash !== before)
    const counts = sources.map((_, source) => countsOf(planned, source))
    if (changing.length === 0) return { ...total(counts), files: counts, changed: [], revision: null }
    const { seriesId } = series ?? await tools.series.ensure(key)
    const { added, replaced } = total(counts)
    const outcome = await tools.series.replace(seriesId, changing.map(({ month, before, after }) => ({ seriesId, month, before, after })), options.writer,
      { kind: options.kind, source: namesOf(sources), added, replaced })
    if (outcome.kind === 'fenced') throw leaseLost(options.writer?.taskId ?? '', 'series')
    if (outcome.kind === 'replaced') return { ...total(counts), files: counts, changed: changing.map(({ month }) => month).sort(), revision: outcome.revision }
    open = [...outcome.months]
  }
}

/** What one source brings to a month. */
interface MonthPart {
  readonly source: number
  readonly block: IncomingMonth
}

/** What is to become of a month: the block that comes, or that and the stored one put together. */
interface MonthPlan {
  readonly month: string
  readonly before: string | null
  readonly after: SeriesBlock
  readonly parts: readonly (PartFacts & { readonly source: number; readonly bars: number })[]
}

/** What a thread says of a part; `first` is the first bar that differs and may not. */
interface PartFacts {
  readonly added: number
  readonly replaced: number
  readonly differing: number
  readonly first: DifferingBar | null
  readonly others: OtherStamps
}

function byMonth(sources: readonly MonthSource[]): Map<string, MonthPart[]> {
  const found = new Map<string, MonthPart[]>()
  sources.forEach(({ months }, source) => {
    for (const block of months) found.set(block.month, [...found.get(block.month) ?? [], { source, block }])
  })
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Blocks that are put together are kept in the store; a new month is stored as it came. */
async function planMonths(tools: MonthTools, key: SeriesKey, series: Series | null, months: readonly (readonly MonthPart[])[], options: AddOptions): Promise<MonthPlan[]> {
  const stored = new Map(series?.blocks.map((block) => [block.month, block]))
  const merged = await mergeMonths(tools, key, series, months.filter((parts) => !isPlain(parts, stored)), options)
  const plans = months.map((parts): MonthPlan => {
    const { month } = parts[0]!.block
    const before = stored.get(month)
    const made = merged.get(month)
    const told = parts.map(({ source, block }, i) => ({ source, bars: block.bars, ...made?.parts[i] ?? { added: before === undefined && i === 0 ? block.bars : 0, replaced: 0, differing: 0, first: null, others: NO_OTHER_STAMPS } }))
    return { month, before: before?.hash ?? null, after: made?.block ?? parts[0]!.block, parts: told }
  })
  const unkept = plans.flatMap(({ month, after, before }) => {
    const bytes = merged.get(month)?.block.bytes ?? (after as IncomingMonth).bytes
    return after.hash === before || bytes === null ? [] : [{ ...after, bytes }]
  })
  if (unkept.length > 0 && plans.every(({ parts }) => parts.every(({ differing, others }) => differing + others.count === 0))) await tools.series.keep(unkept)
  return plans
}

/** Nothing to be put together: all that comes is one block, which is stored already or has no other to meet. */
function isPlain(parts: readonly MonthPart[], stored: ReadonlyMap<string, SeriesBlock>): boolean {
  const { month, hash } = parts[0]!.block
  return parts.every(({ block }) => block.hash === hash) && (stored.get(month)?.hash ?? hash) === hash
}

async function mergeMonths(tools: MonthTools, { timeframe }: SeriesKey, series: Series | null, months: readonly (readonly MonthPart[])[], { keep, replaceFromMs }: AddOptions): Promise<Map<string, { readonly block: NewBlock; readonly parts: readonly PartFacts[] }>> {
  if (months.length === 0) return new Map()
  const stored = new Map(series?.blocks.map(({ month, hash }) => [month, hash]))
  const old = months.flatMap(([part]) => stored.get(part!.block.month) ?? [])
  const unread = [...old, ...months.flat().flatMap(({ block }) => (block.bytes === null ? [block.hash] : []))]
  const read = await tools.series.blocks(unread)
  const bytesOf = new Map(unread.map((hash, i) => [hash, read[i] ?? new Uint8Array()]))
  const bytes: Record<string, Uint8Array> = {}
  for (const parts of months) {
    const { month } = parts[0]!.block
    const hash = stored.get(month)
    if (hash !== undefined) bytes[`old:${month}`] = bytesOf.get(hash) ?? new Uint8Array()
    parts.forEach(({ block }, i) => { bytes[`new:${month}:${i}`] = block.bytes ?? bytesOf.get(block.hash) ?? new Uint8Array() })
  }
  const quality = series?.quality as QualityReport | null | undefined
  const reply = await tools.compute({
    step: 'merge_months', divisible: false, userCode: false, bytes, input: {
      months: months.map((parts) => ({ month: parts[0]!.block.month, parts: parts.length })), keep, timeframe,
      free: { from_ms: replaceFromMs, filled: quality?.repaired_ranges ?? [], partial_ms: unfinishedBar(quality ?? null) },
    },
  })
  const { months: told } = JSON.parse(reply.json) as { months: (MonthFacts & { parts: PartFacts[] })[] }
  return new Map(told.map((facts) => [facts.month, { block: newBlock(facts, reply), parts: facts.parts }]))
}

/** When the last bar begins, where it was not finished when it came. */
export function unfinishedBar(quality: QualityReport | null): number | null {
  return quality?.partial_last_bar === true ? Date.parse(quality.last_time) : null
}

function refuseDiffering(key: SeriesKey, plans: readonly MonthPlan[], sources: readonly MonthSource[], kind: AddOptions['kind']): void {
  const found = plans.flatMap(({ parts }) => parts.filter(({ differing }) => differing > 0))
  const [first] = found
  if (first?.first == null) return
  const count = found.reduce((sum, { differing }) => sum + differing, 0)
  throw differingBarsError(nameOf(key), { count, ...first.first, source: sources[first.source]?.name ?? '', follows: first.source > 0, synced: kind === 'sync' })
}

function refuseOtherStamps(key: SeriesKey, series: Series | null, plans: readonly MonthPlan[], sources: readonly MonthSource[]): void {
  const { stepMs } = parseTimeframe(key.timeframe)
  const stood = [...series?.blocks ?? []]
  sources.forEach(({ name, months }, source) => {
    const within = plans.flatMap(({ parts }) => parts.filter((part) => part.source === source).map(({ others }) => others))
    const all = [...within, otherStampsAtEdges(stood, months, stepMs)].filter(({ count }) => count > 0)
    stood.push(...months)
    if (all[0]?.first == null) return
    // Edges of months may be counted within them already.
    const count = Math.max(within.reduce((sum, others) => sum + others.count, 0), all.at(-1)!.count)
    throw otherStampsError(nameOf(key), { count, ...all[0].first, source: name, follows: source > 0 })
  })
}

/** Of a year of daily files the history names the first and the last. */
function namesOf(sources: readonly MonthSource[]): string {
  const names = sources.map(({ name }) => name)
  return names.length <= 3 ? names.join(', ') : `${names[0]} to ${names.at(-1)} (${names.length} files)`
}

function countsOf(plans: readonly MonthPlan[], source: number): BarCounts {
  const parts = plans.flatMap((plan) => plan.parts.filter((part) => part.source === source))
  const sum = (of: (part: MonthPlan['parts'][number]) => number): number => parts.reduce((all, part) => all + of(part), 0)
  const [added, replaced] = [sum((part) => part.added), sum((part) => part.replaced)]
  return { added, replaced, same: sum(({ bars }) => bars) - added - replaced }
}

function total(counts: readonly BarCounts[]): BarCounts {
  const sum = (of: (one: BarCounts) => number): number => counts.reduce((all, one) => all + of(one), 0)
  return { added: sum(({ added }) => added), replaced: sum(({ replaced }) => replaced), same: sum(({ same }) => same) }
}

function sizeOf(parts: readonly MonthPart[] = []): number {
  return parts.reduce((sum, { block }) => sum + block.bars * BAR_BYTES, 0)
}

/** A month as the steps of threads tell of it. */
export interface MonthFacts {
  readonly month: string
  readonly hash: string
  readonly bars: number
  readonly first_time: number
  readonly last_time: number
}

/** The block that a step returned as `block:MONTH`. */
export function newBlock(facts: MonthFacts, reply: ComputeReply): NewBlock {
  const bytes = reply.bytes[`block:${facts.month}`]
  if (bytes === undefined) throw new SweepmillError('INVARIANT', `A step told of the month ${facts.month} and returned no block of it.`)
  return toBlock(facts, bytes)
}

export function toBlock({ month, hash, bars, first_time: firstTime, last_time: lastTime }: MonthFacts, bytes: Uint8Array): NewBlock {
  return { month, hash, bars, firstTime, lastTime, bytes }
}

export function nameOf({ exchange, symbol, timeframe }: SeriesKey): string {
  return `${exchange}/${symbol}/${timeframe}`
}
