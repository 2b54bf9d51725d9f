/** Series of bars as people use them: files go in, and all of a series is checked. Threads do what touches a bar. */
import { batches } from '../base/batches.js'
import type { ByteSink, TableFormat } from '../base/table-format.js'
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import type { FilledRange, QualityReport } from '../market/quality.js'
import type { AddedBars, BarSeriesStore, ExportedSeries, IncomingMonth, NewBlock, RevisedSeries, RevisionView, Series, SeriesBlock, SeriesDesk, SeriesFile, SeriesHistory, SeriesKey, SeriesView } from '../tasks/bar-series.js'
import type { ComputePool, ComputeReply } from '../tasks/compute-pool.js'
import { addMonths, BAR_BYTES, BATCH_BYTES, nameOf, newBlock, unfinishedBar } from '../workflows/series-months.js'
import type { AddOptions, MonthFacts, MonthSource } from '../workflows/series-months.js'
import { inLanes } from '../workflows/in-lanes.js'
import type { StepRequest } from '../workflows/workflow.js'
import { streamTable } from './table-stream.js'

export interface StoredSeriesParts {
  readonly store: BarSeriesStore
  readonly revisions: SeriesHistory
  readonly pool: ComputePool
  readonly clock: Clock
}

/** Batches of months that are being stored at once: while one is sent, Postgres writes the other. */
const LANES = 2
/** Of a file that is written: what is in memory of it at a time, about. */
const PAGE_BYTES = 4 * 2 ** 20
/** Names that a message lists. */
const LISTED = 20
/** With more of them a series is torn, not damaged; and their marks are read with each task. */
const MOST_GAPS = 10_000

export class StoredSeries implements SeriesDesk {
  readonly #parts: StoredSeriesParts

  constructor(parts: StoredSeriesParts) {
    this.#parts = parts
  }

  async add(key: SeriesKey, files: SeriesFile | AsyncIterable<SeriesFile>, replace = false): Promise<AddedBars> {
    const stored = new Set((await this.#parts.store.find(key))?.blocks.map(({ hash }) => hash))
    const sources: MonthSource[] = []
    for await (const { name, months: read } of 'months' in files ? [files] : files) {
      const months: IncomingMonth[] = []
      await inLanes(read, LANES, async (some) => {
        // Also those that will be put together with a stored month: in memory they would be as much as the file.
        const fresh = some.filter(({ hash }) => !stored.has(hash))
        // In their order, whichever lane is done first.
        months.push(...some.map((one) => ({ ...one, bytes: null })))
        if (fresh.length > 0) await this.#parts.store.keep(fresh)
      })
      sources.push({ name, months })
    }
    return this.#add(key, sources, { kind: 'import', keep: 'newer', replaceFromMs: replace ? -Infinity : null })
  }

  async check(key: SeriesKey): Promise<QualityReport> {
    for (;;) {
      const series = await this.#series(key)
      const before = qualityOf(series)
      const report = await this.#scan(series, before)
      // Bars that somebody made up while this was reading must not lose their mark.
      const now = qualityOf(await this.#series(key))
      if (JSON.stringify(now?.repaired_ranges ?? []) !== JSON.stringify(before?.repaired_ranges ?? [])) continue
      await this.#parts.store.saveQuality(series.seriesId, report)
      return report
    }
  }

  async repair(key: SeriesKey): Promise<{ filled: number; quality: QualityReport }> {
    const checked = await this.check(key)
    if (checked.gaps.count > MOST_GAPS) {
      throw new SweepmillError('DATA_INVALID', `The bars are stored, but nothing was repaired: ${nameOf(key)} has ${checked.gaps.count} gaps, and --repair fills a series of at most ${MOST_GAPS}. Import the missing bars, or use a longer timeframe.`, { details: { gaps: checked.gaps.count } })
    }
    const { blocks, ranges } = await this.#fills(await this.#series(key), checked)
    if (blocks.length === 0) return { filled: 0, quality: checked }
    // Marked first: whatever happens between the two, a bar that was made up is known as one.
    const { seriesId } = await this.#series(key)
    await this.#parts.store.saveQuality(seriesId, { ...checked, repaired_ranges: [...checked.repaired_ranges, ...ranges].toSorted((a, b) => a.from - b.from) })
    // A bar that came meanwhile is a real one, and stands.
    const { added } = await this.#add(key, [{ name: '--repair', months: blocks }], { kind: 'repair', keep: 'older', replaceFromMs: null })
    return { filled: added, quality: await this.check(key) }
  }

  async list(): Promise<readonly SeriesView[]> {
    return (await this.#parts.store.list()).map(toView)
  }

  async show(key: SeriesKey): Promise<SeriesView> {
    return toView(await this.#series(key))
  }

  async export(key: SeriesKey, format: TableFormat, write: ByteSink): Promise<ExportedSeries> {
    const series = await this.#series(key)
    const quality = qualityOf(series)
    const { store, pool } = this.#parts
    // A month without it would leave holes in the column.
    let months = 0
    await this.#eachPart(series, 'name_columns', () => ({}), ({ json }) => { months += (JSON.parse(json) as { adjclose: number }).adjclose })
    const adjclose = months === series.blocks.length
    const unfinished = unfinishedBar(quality)
    const toMs = unfinished === series.blocks.at(-1)?.lastTime ? unfinished : null
    const pages = async function* pages(): AsyncGenerator<readonly Uint8Array[]> {
      for (const part of batches(series.blocks, ({ bars }) => bars * BAR_BYTES, PAGE_BYTES)) yield store.blocks(part.map(({ hash }) => hash))
    }
    await streamTable(pool, { step: 'export_series', input: { adjclose, to_ms: toMs }, pages: pages() }, format, write)
    return {
      bars: series.blocks.reduce((sum, { bars }) => sum + bars, 0) - (toMs === null ? 0 : 1),
      notes: [
        ...(toMs === null ? [] : [`The last bar (${new Date(toMs).toISOString()}) was not finished when it was imported and is left out.`]),
        ...((quality?.repaired ?? 0) > 0 ? [`${quality?.repaired === 1 ? '1 bar was' : `${quality?.repaired} bars were`} made up by --repair; the file does not tell which.`] : []),
        ...(months > 0 && !adjclose ? ['Not all months have adjclose, so the file has none.'] : []),
      ],
    }
  }

  async history(key: SeriesKey): Promise<readonly RevisionView[]> {
    const revisions = await this.#parts.revisions.history(key)
    if (revisions === null || revisions.length === 0) throw await this.#unknown(key)
    return revisions
  }

  async restore(key: SeriesKey, revision: number): Promise<RevisedSeries> {
    const restored = await this.#parts.revisions.restore(key, revision)
    if (restored === null) throw await this.#unknown(key)
    return restored
  }

  async remove(key: SeriesKey): Promise<RevisedSeries> {
    const removed = await this.#parts.revisions.remove(key)
    if (removed === null) throw await this.#unknown(key)
    return removed
  }

  async #scan(series: Series, before: QualityReport | null): Promise<QualityReport> {
    let state: unknown = null
    let report: QualityReport | null = null
    await this.#eachPart(series, 'scan_months', (isLast) => ({
      state, timeframe: series.timeframe, filled: before?.repaired_ranges ?? [], now_ms: isLast ? this.#parts.clock.wallMs() : null, before,
    }), (reply) => {
      const found = JSON.parse(reply.json) as { state?: unknown; report?: QualityReport }
      state = found.state ?? null
      report = found.report ?? null
    })
    if (report === null) throw new SweepmillError('DATA_EMPTY', `The series ${nameOf(series)} has no bars. Import a file into it first.`)
    return report
  }

  async #fills(series: Series, { calendar, days }: QualityReport): Promise<{ blocks: NewBlock[]; ranges: FilledRange[] }> {
    const blocks: NewBlock[] = []
    const ranges: FilledRange[] = []
    let last: unknown = null
    await this.#eachPart(series, 'fill_months', () => ({ timeframe: series.timeframe, sessions: calendar === 'sessions', days, before: last }), (reply) => {
      const found = JSON.parse(reply.json) as { ranges: FilledRange[]; last: unknown; months: MonthFacts[] }
      last = found.last
      ranges.push(...found.ranges)
      blocks.push(...found.months.map((facts) => newBlock(facts, reply)))
    })
    return { blocks, ranges }
  }

  /** A step over all months of a series, some at a time, in their order. */
  async #eachPart(series: Series, step: string, input: (isLast: boolean) => Record<string, unknown>, take: (reply: ComputeReply) => void): Promise<void> {
    const parts = batches(series.blocks, ({ bars }) => bars * BAR_BYTES, BATCH_BYTES)
    const fetch = (part: readonly SeriesBlock[] | undefined): Promise<readonly Uint8Array[]> => {
      const blocks = this.#parts.store.blocks(part?.map(({ hash }) => hash) ?? [])
      // Nobody waits for it where a step fails before.
      blocks.catch(() => undefined)
      return blocks
    }
    let next = fetch(parts[0])
    for (const [i, part] of parts.entries()) {
      const blocks = await next
      // Postgres reads the next ones while a thread looks at these.
      next = fetch(parts[i + 1])
      take(await this.#compute({
        step, divisible: false, userCode: false, moves: true, bytes: Object.fromEntries(blocks.map((block, k) => [`month:${k}`, block])),
        input: { ...input(i === parts.length - 1), months: part.length },
      }))
    }
  }

  #add(key: SeriesKey, sources: readonly MonthSource[], options: Omit<AddOptions, 'writer'>): Promise<AddedBars> {
    return addMonths({ series: this.#parts.store, compute: (request) => this.#compute(request) }, key, sources, { ...options, writer: null })
  }

  async #series(key: SeriesKey): Promise<Series> {
    const series = await this.#parts.store.find(key)
    if (series === null || series.blocks.length === 0) throw await this.#unknown(key)
    return series
  }

  /** SERIES_NOT_FOUND, with what there is: series of the symbol before others. */
  async #unknown(key: SeriesKey): Promise<SweepmillError> {
    const ofSymbol = await this.#parts.store.list(key.symbol)
    const names = (ofSymbol.length > 0 ? ofSymbol : await this.#parts.store.list()).map(nameOf)
    const removed = (await this.#parts.revisions.history(key) ?? []).length > 0
      ? `It was removed; \`sweepmill series history ${nameOf(key)}\` shows what can be restored. ` : ''
    const stored = names.length === 0 ? 'Nothing is stored yet; `sweepmill import` puts a file into the store.'
      : `Stored are ${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ''}.`
    return new SweepmillError('SERIES_NOT_FOUND', `There is no series ${nameOf(key)}. ${removed}${stored}`, { details: { series: nameOf(key), stored: names.slice(0, 1000) } })
  }

  #compute(request: StepRequest): Promise<ComputeReply> {
    return this.#parts.pool.run({ ...request, priority: 'high' })
  }
}

function toView(series: Series): SeriesView {
  const { exchange, symbol, timeframe, blocks } = series
  const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    exchange, symbol, timeframe, bars: blocks.reduce((sum, { bars }) => sum + bars, 0), first_time: iso(blocks[0]?.firstTime), last_time: iso(blocks.at(-1)?.lastTime),
    months: blocks.map(({ month, bars, firstTime, lastTime, hash }) => ({ month, bars, first_time: iso(firstTime) ?? '', last_time: iso(lastTime) ?? '', block_hash: hash })),
    quality: qualityOf(series),
  }
}

function qualityOf({ quality }: Series): QualityReport | null {
  return quality as QualityReport | null
}
