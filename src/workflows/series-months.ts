/**
 * Bars into a series, month by month: what is stored is read, threads put both together, and the month is replaced only if
 * it still is what was read; else it is read again. Nothing is decoded here.
 */
import { SweepmillError } from '../base/errors.js'
import type { AddedBars, BarSeriesStore, NewBlock, SeriesKey, Writer } from '../tasks/bar-series.js'
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
const BATCH_BYTES = 32 * 2 ** 20
const MOST_TRIES = 50

interface Merged {
  readonly block: NewBlock
  readonly added: number
  readonly replaced: number
}

/** Makes the series if there is none. Throws LEASE_LOST when the writer's attempt is not the task's any more. */
export async function addMonths(tools: MonthTools, key: SeriesKey, incoming: readonly NewBlock[], options: AddOptions): Promise<AddedBars> {
  const total = { added: 0, replaced: 0, same: 0 }
  const changed: string[] = []
  const { seriesId } = await tools.series.ensure(key)
  for (const batch of batches(incoming, ({ bytes }) => bytes.length)) {
    let open = batch
    for (let tries = 0; open.length > 0; tries += 1) {
      if (tries === MOST_TRIES) throw new SweepmillError('STATE_CONFLICT', `The months ${open.map(({ month }) => month).join(', ')} of ${nameOf(key)} change faster than they can be written. Try again later.`)
      const stored = new Map((await tools.series.find(key))?.blocks.map(({ month, hash }) => [month, hash]))
      // Two blocks of one month go in one after the other.
      const now = open.filter(({ month }, i) => open.findIndex((one) => one.month === month) === i)
      const again = open.filter((one) => !now.includes(one))
      const merged = await mergeWith(tools, now, stored, options.keep)
      for (const one of now) {
        const before = stored.get(one.month) ?? null
        const { block, added, replaced } = merged.get(one.month) ?? { block: one, added: before === null ? one.bars : 0, replaced: 0 }
        const outcome = block.hash === before ? 'replaced' : await tools.series.replace({ seriesId, month: one.month, before, after: block }, options.writer)
        if (outcome === 'fenced') throw leaseLost(options.writer?.taskId ?? '', 'series')
        if (outcome === 'changed') {
          again.push(one)
          continue
        }
        total.added += added
        total.replaced += replaced
        total.same += one.bars - added - replaced
        if (block.hash !== before) changed.push(one.month)
      }
      open = again
    }
  }
  return { ...total, changed }
}

/** Only months that have another block already; a new one is stored as it came. */
async function mergeWith(tools: MonthTools, incoming: readonly NewBlock[], stored: ReadonlyMap<string, string>, keep: AddOptions['keep']): Promise<Map<string, Merged>> {
  const both = incoming.flatMap((block) => {
    const before = stored.get(block.month)
    return before === undefined || before === block.hash ? [] : [{ block, before }]
  })
  if (both.length === 0) return new Map()
  const old = await tools.series.blocks(both.map(({ before }) => before))
  const reply = await tools.compute({
    step: 'merge_months', input: { months: both.map(({ block }) => block.month), keep }, divisible: false, userCode: false,
    bytes: Object.fromEntries(both.flatMap(({ block }, i) => [[`new:${block.month}`, block.bytes], [`old:${block.month}`, old[i] ?? new Uint8Array()]])),
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
  return { month: facts.month, hash: facts.hash, bars: facts.bars, firstTime: facts.first_time, lastTime: facts.last_time, bytes }
}

/** In order, as many together as fit a batch; at least one. */
export function batches<Item>(items: readonly Item[], sizeBytes: (item: Item) => number): Item[][] {
  const all: Item[][] = []
  let room = 0
  for (const item of items) {
    const last = all.at(-1)
    const size = sizeBytes(item)
    if (last === undefined || size > room) {
      all.push([item])
      room = BATCH_BYTES - size
    } else {
      last.push(item)
      room -= size
    }
  }
  return all
}

export function nameOf({ exchange, symbol, timeframe }: SeriesKey): string {
  return `${exchange}/${symbol}/${timeframe}`
}
