/**
 * data_sync: plan → sync_bars → fill_gaps → check_series → save_results. Klines of an exchange into the series they belong to.
 *
 * The plan fixes what is missing, so that a run that is resumed asks for the same pages. Pages are fetched in groups; a
 * group's bars are merged into its months, and then a checkpoint says that its time is covered: a crash costs the pages in
 * flight. Gaps that are left are asked for once more; what is missing then, the exchange does not have.
 */
import { batches } from '../base/batches.js'
import { SweepmillError } from '../base/errors.js'
import type { QualityReport } from '../market/quality.js'
import { parseTimeframe } from '../market/timeframe.js'
import type { Timeframe } from '../market/timeframe.js'
import { defineSaga } from '../saga/saga-step.js'
import type { StepRetry } from '../saga/saga-step.js'
import type { NewBlock, Series } from '../tasks/bar-series.js'
import type { KlineSource } from '../tasks/kline-source.js'
import { leaseLost } from '../tasks/lease-lost.js'
import { TaskType } from '../tasks/task.js'
import type { Attempt, Progress as TaskProgress } from '../tasks/task.js'
import { parseDataSyncSpec, seriesKeyOf } from './data-sync-spec.js'
import type { DataSyncSpec } from './data-sync-spec.js'
import { inLanes } from './in-lanes.js'
import { KlinePages } from './kline-pages.js'
import type { KlinePage } from './kline-pages.js'
import { addMonths, BATCH_BYTES, newBlock, unfinishedBar } from './series-months.js'
import type { MonthFacts } from './series-months.js'
import { cut, subtract, unite } from './time-ranges.js'
import type { TimeRange } from './time-ranges.js'
import type { Workflow, WorkflowTools } from './workflow.js'

/** Pages whose bars are committed together, and requests that are under way at once. */
const GROUP_PAGES = 8
const AT_ONCE = 4
/** Of one sync, for gaps: an exchange that was down for a year is not asked for every minute of it again. */
const MOST_GAP_PAGES = 200
const LISTED_GAPS = 100
/**
 * A sync that goes on from the last stored bar asks once more for that many before it, and may correct the last ones of
 * them: exchanges do, soon after a bar is closed. Where those before differ too, the series is not this exchange's.
 */
const ASKED_AGAIN_BARS = 10
const CORRECTED_BARS = 3
/** Going on from the last checkpoint costs less than undoing it all: an exchange may be away for some minutes. */
const PATIENCE: StepRetry = { tries: 6, pauseMs: 5000 }

interface Plan {
  readonly from: number
  readonly to: number
  readonly missing: readonly TimeRange[]
  /** Stored bars from here on may be replaced. Absent in a plan of an older version, and where nothing was stored. */
  readonly corrected_from?: number
}

/** What the result tells of the way: kept with every checkpoint, so that a resumed run counts on. */
interface Tally {
  readonly bars_replaced: number
  readonly pages: number
}

interface Progress {
  readonly covered: readonly TimeRange[]
  readonly tally: Tally
}

const NOTHING: Progress = { covered: [], tally: { bars_replaced: 0, pages: 0 } }

interface SyncContext {
  readonly attempt: Attempt
  readonly tools: WorkflowTools
  readonly spec: DataSyncSpec
  readonly timeframe: Timeframe
  readonly pages: KlinePages
  readonly source: KlineSource
  plan: Plan | null
  tally: Tally
  /** Reported last. */
  progress: TaskProgress
}

/** Whoever puts a task into the queue by hand has not been at the door, where specs are checked. */
function checked({ data }: Attempt, tools: WorkflowTools): { readonly spec: DataSyncSpec; readonly source: KlineSource } {
  const found = tools.exchanges.find(({ name }) => name === data['exchange'])
  // A newer version may know it.
  if (found === undefined && typeof data['exchange'] === 'string') throw new SweepmillError('NOT_RESOLVABLE', `This worker cannot ask ${data['exchange']}.`)
  const spec = parseDataSyncSpec(data, tools.exchanges)
  if (found === undefined) throw new SweepmillError('INVARIANT', 'A spec without an exchange was accepted.')
  return { spec, source: found }
}

/** What the series has between two times, and where it has nothing. */
interface Coverage {
  readonly bars: number
  readonly firstTime: number | null
  readonly lastTime: number | null
  readonly holes: readonly TimeRange[]
}

async function coverage({ tools, spec, timeframe }: SyncContext, series: Series | null, from: number, to: number): Promise<Coverage> {
  let atMs = timeframe.startOf(from) < from ? timeframe.next(timeframe.startOf(from)) : from
  let bars = 0
  let firstTime: number | null = null
  let lastTime: number | null = null
  const holes: TimeRange[] = []
  // 48 bytes a bar: what a thread gets at a time is bounded.
  for (const batch of batches(series?.blocks.filter((block) => block.lastTime >= from && block.firstTime < to) ?? [], (block) => block.bars * 48, BATCH_BYTES)) {
    const bytes = await tools.series.blocks(batch.map(({ hash }) => hash))
    const reply = await tools.compute({
      step: 'find_holes', input: { timeframe: spec.timeframe, from_ms: from, to_ms: to, at_ms: atMs, months: batch.length },
      bytes: Object.fromEntries(bytes.map((one, i) => [`month:${i}`, one])), divisible: true, userCode: false,
    })
    const found = JSON.parse(reply.json) as { at_ms: number; bars: number; first_time: number | null; last_time: number | null; holes: TimeRange[] }
    atMs = found.at_ms
    bars += found.bars
    firstTime ??= found.first_time
    lastTime = found.last_time ?? lastTime
    holes.push(...found.holes)
  }
  if (atMs < to) holes.push([atMs, to])
  return { bars, firstTime, lastTime, holes: unite(holes) }
}

async function plan(context: SyncContext): Promise<Plan> {
  const { tools, spec, timeframe } = context
  const from = Date.parse(spec.start_date)
  // A bar that is not closed yet is not asked for.
  const closed = timeframe.startOf(tools.clock.wallMs())
  const to = Math.min(closed, spec.end_date === undefined ? closed : Date.parse(spec.end_date))
  if (to <= from) throw new SweepmillError('SPEC_INVALID', `No bar of ${spec.timeframe} is closed yet after ${spec.start_date}.`, { details: { path: 'start_date' } })
  const series = await tools.series.find(seriesKeyOf(spec))
  const { holes } = await coverage(context, series, from, to)
  const last = series?.blocks.at(-1)?.lastTime
  if (last === undefined) return { from, to, missing: holes }
  const back = (bars: number): number => last - (bars - 1) * timeframe.stepMs
  const next = timeframe.next(timeframe.startOf(last))
  const goesOn = holes.some(([start, end]) => start <= next && next < end) || unfinishedBar(series?.quality as QualityReport | null) === last
  const again: TimeRange[] = goesOn && last < to ? [[Math.max(from, timeframe.startOf(back(ASKED_AGAIN_BARS))), Math.min(to, next)]] : []
  return { from, to, missing: unite([...holes, ...again.filter(([start, end]) => start < end)]), corrected_from: back(CORRECTED_BARS) }
}

/** Fetches what is not covered yet, group by group. */
async function syncRanges(context: SyncContext, step: string, ranges: readonly TimeRange[]): Promise<void> {
  const { tools, timeframe, source } = context
  const pageMs = timeframe.stepMs * source.pageBars
  const before = await tools.lastCheckpoint<Progress>(step)
  if (before !== null) context.tally = before.tally
  let covered = unite(before?.covered ?? [])
  const windows = cut(subtract(ranges, covered), pageMs)
  for (let at = 0; at < windows.length; at += GROUP_PAGES) {
    const group = windows.slice(at, at + GROUP_PAGES)
    report(context, { step, done: at, total: windows.length })
    const pages = await inLanes(group, AT_ONCE, (window) => fetchPage(context, window))
    await merge(context, pages)
    covered = unite([...covered, ...group])
    await tools.checkpoint(step, { covered, tally: context.tally } satisfies Progress)
  }
  report(context, { step, done: windows.length, total: windows.length })
}

function report(context: SyncContext, progress: TaskProgress): void {
  context.progress = progress
  context.tools.report(progress)
}

function fetchPage({ pages, spec }: SyncContext, [fromMs, toMs]: TimeRange): Promise<KlinePage> {
  return pages.fetch({ category: spec.category, symbol: spec.symbol, timeframe: spec.timeframe, fromMs, toMs })
}

async function merge(context: SyncContext, pages: readonly KlinePage[]): Promise<void> {
  const { attempt, tools, spec, tally } = context
  context.tally = { ...tally, pages: tally.pages + pages.length }
  const parts = pages.flatMap((page) => page.months)
  if (parts.length === 0) return
  const reply = await tools.compute({
    step: 'join_months', input: { months: parts.map(({ month }) => month) }, bytes: Object.fromEntries(parts.map(({ bytes }, i) => [`part:${i}`, bytes])), divisible: true, userCode: false,
  })
  const { months } = JSON.parse(reply.json) as { months: MonthFacts[] }
  const total = await addMonths(tools, seriesKeyOf(spec), [{ name: spec.exchange, months: months.map((facts): NewBlock => newBlock(facts, reply)) }], {
    writer: { taskId: attempt.taskId, attempt: attempt.attempt }, kind: 'sync', keep: 'newer', replaceFromMs: planOf(context).corrected_from ?? -Infinity,
  })
  context.tally = { ...context.tally, bars_replaced: context.tally.bars_replaced + total.replaced }
}

/** Takes back, latest first, what this task changed; what others changed since stays. */
async function takeBackAll({ attempt, tools, spec }: SyncContext): Promise<void> {
  const writer = { taskId: attempt.taskId, attempt: attempt.attempt }
  for (let [change] = await tools.series.changesOf(attempt.taskId); change !== undefined; [change] = await tools.series.changesOf(attempt.taskId)) {
    const { changeId, seriesId, month, before, after } = change
    const current = (await tools.series.find(seriesKeyOf(spec)))?.blocks.find((block) => block.month === month)?.hash ?? null
    const named = { current, before, after }
    const hashes = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== null)
    const bytes = await tools.series.blocks(hashes.map(([, hash]) => hash))
    const reply = current === null ? null : await tools.compute({
      step: 'take_back_month', input: {}, bytes: Object.fromEntries(hashes.map(([name], i) => [name, bytes[i] ?? new Uint8Array()])), divisible: true, userCode: false,
    })
    const facts = reply === null ? undefined : (JSON.parse(reply.json) as { months: MonthFacts[] }).months[0]
    const left = reply === null || facts === undefined ? null : newBlock(facts, reply)
    if (left !== null) await tools.series.keep([left])
    // On 'changed' somebody else wrote the month meanwhile: looked at again.
    if (await tools.series.undo(changeId, { seriesId, month, before: current, after: left }, writer) === 'fenced') throw leaseLost(attempt.taskId, 'series')
  }
  for (const step of ['sync_bars', 'fill_gaps']) await tools.checkpoint(step, NOTHING)
}

const undo = { name: 'delete_synced_bars', undo: (context: SyncContext) => takeBackAll(context) }

const outputOf = ({ tally }: SyncContext): string => JSON.stringify(tally)
function restore(context: SyncContext, output: string): Promise<void> {
  context.tally = JSON.parse(output) as Tally
  return Promise.resolve()
}

export const dataSyncWorkflow: Workflow<SyncContext> = {
  taskType: TaskType.DATA_SYNC,
  begin: (attempt, tools) => {
    const { spec, source } = checked(attempt, tools)
    const context: SyncContext = {
      attempt, tools, spec, source, timeframe: parseTimeframe(spec.timeframe), plan: null, tally: NOTHING.tally, progress: { step: 'sync_bars', done: 0, total: 1 },
      pages: new KlinePages({ source, clock: tools.clock, signal: tools.signal, compute: (request) => tools.compute(request), onWait: (waits) => tools.report({ ...context.progress, waits }) }),
    }
    return context
  },
  end: () => undefined,
  definition: defineSaga<SyncContext>({
    type: TaskType.DATA_SYNC,
    version: 1,
    steps: [
      {
        name: 'plan',
        kind: 'read-only',
        run: async (context) => {
          context.plan = await plan(context)
          return JSON.stringify(context.plan)
        },
        resume: (context, output) => {
          context.plan = JSON.parse(output) as Plan
          return Promise.resolve()
        },
      },
      {
        name: 'sync_bars',
        kind: 'compensatable',
        retry: PATIENCE,
        run: async (context) => {
          await syncRanges(context, 'sync_bars', planOf(context).missing)
          return outputOf(context)
        },
        resume: restore,
        compensation: undo,
      },
      {
        name: 'fill_gaps',
        kind: 'compensatable',
        retry: PATIENCE,
        run: async (context) => {
          const { from, to } = planOf(context)
          const { holes, firstTime } = await coverage(context, await context.tools.series.find(seriesKeyOf(context.spec)), from, to)
          // Before its first bar a market was not there yet.
          const gaps = subtract(holes, firstTime === null ? [[from, to]] : [[from, firstTime]])
          const pageMs = context.timeframe.stepMs * context.source.pageBars
          await syncRanges(context, 'fill_gaps', cut(gaps, pageMs).slice(0, MOST_GAP_PAGES))
          return outputOf(context)
        },
        resume: restore,
        compensation: undo,
      },
      {
        // What is stored is what it is, whether this task can be saved or not: there is nothing to undo.
        name: 'check_series',
        kind: 'read-only',
        run: async ({ tools, spec }) => {
          const key = seriesKeyOf(spec)
          if ((await tools.series.find(key))?.blocks.length) await tools.checkSeries(key)
          return 'null'
        },
      },
      {
        name: 'save_results',
        kind: 'pivot',
        endsRun: true,
        run: async (context) => {
          const { from, to } = planOf(context)
          const { tools, attempt } = context
          const found = await coverage(context, await tools.series.find(seriesKeyOf(context.spec)), from, to)
          await tools.commit({ kind: 'completed', resultJson: JSON.stringify(resultOf(context, { from, to, ...found }, await tools.series.addedBy(attempt.taskId))) })
          return 'null'
        },
      },
    ],
  }),
}

function planOf({ plan: made }: SyncContext): Plan {
  if (made === null) throw new SweepmillError('INVARIANT', 'A sync ran before it was planned.')
  return made
}

function resultOf({ spec, timeframe, tally }: SyncContext, { from, to, bars, firstTime, lastTime, holes }: Coverage & { from: number; to: number }, barsAdded: number): Record<string, unknown> {
  const gaps = subtract(holes, firstTime === null ? [[from, to]] : [[from, firstTime]])
  const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
  const missing = gaps.map(([gapFrom, gapTo]) => ({ from: at(gapFrom), to: at(gapTo), bars: Math.round((gapTo - gapFrom) / timeframe.stepMs) }))
  return {
    ...seriesKeyOf(spec), category: spec.category, from: at(from), to: at(to), bars_added: barsAdded, ...tally,
    bars, first_time: at(firstTime), last_time: at(lastTime), gaps: missing.slice(0, LISTED_GAPS), gaps_total: missing.length,
    bars_missing: missing.reduce((sum, gap) => sum + gap.bars, 0),
  }
}
