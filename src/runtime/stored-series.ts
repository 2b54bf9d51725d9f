/** Series of bars as people use them: files go in, and all of a series is checked. Threads do what touches a bar. */
import { basename } from 'node:path'
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import type { QualityReport } from '../market/quality.js'
import type { AddedBars, BarSeriesStore, Series, SeriesDesk, SeriesFile, SeriesKey } from '../tasks/bar-series.js'
import type { ComputePool, ComputeReply } from '../tasks/compute-pool.js'
import { addMonths, batches, nameOf, newBlock } from '../workflows/series-months.js'
import type { MonthFacts } from '../workflows/series-months.js'
import type { StepRequest } from '../workflows/workflow.js'

export interface StoredSeriesParts {
  readonly store: BarSeriesStore
  readonly pool: ComputePool
  readonly clock: Clock
}

/** A bar's columns, at most: what a block of so many bars takes. */
const BAR_BYTES = 56

export async function readSeriesFile(pool: ComputePool, file: string, timeframe: string): Promise<SeriesFile> {
  const reply = await pool.run({ step: 'read_series_file', input: { file, source: basename(file), timeframe }, priority: 'high', divisible: false, userCode: false })
  const { bars, warnings, notes, months } = JSON.parse(reply.json) as { bars: number; warnings: string[]; notes: string[]; months: MonthFacts[] }
  return { bars, warnings, notes, months: months.map((facts) => newBlock(facts, reply)) }
}

export class StoredSeries implements SeriesDesk {
  readonly #parts: StoredSeriesParts

  constructor(parts: StoredSeriesParts) {
    this.#parts = parts
  }

  add(key: SeriesKey, file: SeriesFile): Promise<AddedBars> {
    return addMonths({ series: this.#parts.store, compute: (request) => this.#compute(request) }, key, file.months, { writer: null, keep: 'newer' })
  }

  async check(key: SeriesKey): Promise<QualityReport> {
    const { store, clock } = this.#parts
    const series = await this.#series(key)
    const before = series.quality as QualityReport | null
    const filled = before?.repaired_ranges ?? []
    const parts = batches(series.blocks, ({ bars }) => bars * BAR_BYTES)
    let state: unknown = null
    for (const [i, part] of parts.entries()) {
      const blocks = await store.blocks(part.map(({ hash }) => hash))
      const reply = await this.#compute({
        step: 'scan_months', divisible: false, userCode: false, moves: true, bytes: Object.fromEntries(blocks.map((block, k) => [`month:${k}`, block])),
        input: { state, timeframe: key.timeframe, filled, months: part.length, now_ms: i === parts.length - 1 ? clock.wallMs() : null, before },
      })
      const found = JSON.parse(reply.json) as { state?: unknown; report?: QualityReport }
      state = found.state ?? null
      if (found.report === undefined) continue
      await store.saveQuality(series.seriesId, found.report)
      return found.report
    }
    throw new SweepmillError('DATA_EMPTY', `The series ${nameOf(key)} has no bars. Import a file into it first.`)
  }

  async #series(key: SeriesKey): Promise<Series> {
    const series = await this.#parts.store.find(key)
    if (series === null) throw new SweepmillError('SERIES_NOT_FOUND', `There is no series ${nameOf(key)}. List them with \`sweepmill series list\`.`)
    return series
  }

  #compute(request: StepRequest): Promise<ComputeReply> {
    return this.#parts.pool.run({ ...request, priority: 'high' })
  }
}
