/**
 * Bars into a series, month by month: what is stored is read, threads put both together, and the month is replaced only if
 * it still is what was read; else it is read again. Nothing is decoded here.
 */
import { batches } from '../base/batches.js'
import { SweepmillError } from '../base/errors.js'
import type { AddedBars, BarSeriesStore, IncomingMonth, NewBlock, SeriesKey, Writer } from '../tasks/bar-series.js'
import { leaseLost } from '../tasks/lease-lost.js'
import type { ComputeReply } from '../tasks/compute-pool.js'
import type { StepRequest } from './workflow.js'

export interface MonthTools {
  readonly series: BarSeriesStore
  compute(request: StepRequest): Promise<ComputeReply>
}

export interface AddOptions {
  /** Null: no task writes, and nothing is remembered to be taken back. */
  readonly writer: Writer | null
  /** Which bar stands where both have one of the same time. */
  readonly keep: 'newer' | 'older'
}

/** Bytes in a thread at a time; a month of minutes has 2 MiB. */
export const BATCH_BYTES = 32 * 2 ** 20
/** A bar's columns, at most: what a block of so many bars takes. */
export const BAR_BYTES = 56
const MOST_TRIES = 50

interface Merged {
  readonly block: IncomingMonth
  readonly added: number
  readonly replaced: number
}

/** Makes the series if there is none. Throws LEASE_LOST when the writer's attempt is not the task's any more. */
export async function addMonths(tools: MonthTools, key: SeriesKey, incoming: readonly IncomingMonth[], options: AddOptions): Promise<AddedBars> {
  const total = { added: 0, replaced: 0, same: 0 }
  const changed: string[] = []
  const { seriesId } = await tools.series.ensure(key)
  for (const batch of batches(incoming, ({ bars }) => bars * BAR_BYTES, BATCH_BYTES)) {
    let open = batch
    for (let tries = 0; open.length > 0; tries += 1) {
      if (tries === MOST_TRIES) throw new SweepmillError('STATE_CONFLICT', `The months ${open.map(({ month }) => month).join(', ')} of ${nameOf(key)} change faster than they can be written. Try again later.`)
      // Two blocks of one month go in one after the other.
      const now = open.filter(({ month }, i) => open.findIndex((one) => one.month === month) === i)
      const plans = await planMonths(tools, key, now, options.keep)
      const lost = await replaceMonths(tools, seriesId, plans, options.writer)
      for (const { incoming: { month, bars }, before, block, added, replaced } of plans.filter((plan) => !lost.has(plan))) {
        total.added += added
        total.replaced += replaced
        total.same += bars - added - replaced
        if (block.hash !== before) changed.push(month)
      }
      open = [...open.filter((one) => !now.includes(one)), ...[...lost].map((plan) => plan.incoming)]
    }
  }
  return { ...total, changed }
}

/** What is to become of a month: the block that comes, or that and the stored one put together. */
interface MonthPlan extends Merged {
  readonly incoming: IncomingMonth
  readonly before: string | null
}

async function planMonths(tools: MonthTools, key: SeriesKey, incoming: readonly IncomingMonth[], keep: AddOptions['keep']): Promise<MonthPlan[]> {
  const stored = new Map((await tools.series.find(key))?.blocks.map(({ month, hash }) => [month, hash]))
  const merged = await mergeWith(tools, incoming, stored, keep)
  return incoming.map((one) => {
    const before = stored.get(one.month) ?? null
    return { incoming: one, before, ...merged.get(one.month) ?? { block: one, added: before === null ? one.bars : 0, replaced: 0 } }
  })
}

/** Returns those whose month had changed meanwhile. */
async function replaceMonths(tools: MonthTools, seriesId: number, plans: readonly MonthPlan[], writer: Writer | null): Promise<Set<MonthPlan>> {
  const changing = plans.filter(({ block, before }) => block.hash !== before)
  if (changing.length === 0) return new Set()
  const unkept = changing.flatMap(({ block: { bytes, ...facts } }) => (bytes === null ? [] : [{ ...facts, bytes }]))
  if (unkept.length > 0) await tools.series.keep(unkept)
  const outcomes = await tools.series.replace(changing.map(({ block, before }) => ({ seriesId, month: block.month, before, after: block })), writer)
  if (outcomes.includes('fenced')) throw leaseLost(writer?.taskId ?? '', 'series')
  return new Set(changing.filter((_, i) => outcomes[i] === 'changed'))
}

/** Only months that have another block already; a new one is stored as it came. */
async function mergeWith(tools: MonthTools, incoming: readonly IncomingMonth[], stored: ReadonlyMap<string, string>, keep: AddOptions['keep']): Promise<Map<string, Merged>> {
  const both = incoming.flatMap((block) => {
    const before = stored.get(block.month)
    return before === undefined || before === block.hash ? [] : [{ block, before }]
  })
  if (both.length === 0) return new Map()
  const old = await tools.series.blocks(both.map(({ before }) => before))
  const kept = both.filter(({ block }) => block.bytes === null)
  const fetched = new Map((await tools.series.blocks(kept.map(({ block }) => block.hash))).map((bytes, i) => [kept[i]?.block.hash, bytes]))
  const reply = await tools.compute({
    step: 'merge_months', input: { months: both.map(({ block }) => block.month), keep }, divisible: false, userCode: false,
    bytes: Object.fromEntries(both.flatMap(({ block }, i) => [[`new:${block.month}`, block.bytes ?? fetched.get(block.hash) ?? new Uint8Array()], [`old:${block.month}`, old[i] ?? new Uint8Array()]])),
  })
  const { months } = JSON.parse(reply.json) as { months: (MonthFacts & { added: number; replaced: number })[] }
  return new Map(months.map((facts) => [facts.month, { block: newBlock(facts, reply), added: facts.added, replaced: facts.replaced }]))
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
