/**
 * The bars of a spec, wherever they come from: first what all of them will take, then, when there is room for that, the bars
 * themselves. Nothing is read before, and whoever waits for room holds none.
 */
import { basename } from 'node:path'
import { hasCode, SweepmillError } from '../base/errors.js'
import type { SymbolSpec } from '../engine/index.js'
import type { SubmitRequest } from '../tasks/backend.js'
import type { BarSeriesStore } from '../tasks/bar-series.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { findFile } from './data-files.js'
import { estimateColumns } from './file-estimate.js'
import type { IntakePlace, IntakeRoom } from './intake-room.js'
import { joinedBars, withCompanions } from './joined-bars.js'
import { parsedBars } from './parsed-bars.js'
import type { BarSource, ParsedBars } from './parsed-bars.js'
import { findStored } from './stored-bars.js'
import type { WantedSeries } from './stored-bars.js'

export interface SourceParts {
  readonly pool: ComputePool
  readonly series?: BarSeriesStore
}

type Spec = Readonly<Record<string, unknown>>

export interface AdmittedBars {
  readonly bars: ParsedBars
  readonly place: IntakePlace
}

/** Who gets them leaves the place. */
export async function admittedBars(spec: Spec, request: SubmitRequest, parts: SourceParts, room: IntakeRoom, signal: AbortSignal): Promise<AdmittedBars> {
  const symbols = spec['symbols'] as readonly SymbolSpec[] | undefined
  const own: BarSource[] = []
  for (const one of symbols ?? [{}]) own.push(await sourceOf(symbols === undefined ? spec : { ...spec, exchange: spec['exchange'], ...one, reading: readingOf(spec, one) }, request, parts))
  const finer = symbols === undefined ? spec['finer'] as Spec | undefined : undefined
  const inside = finer === undefined ? null : await sourceOf({ ...spec, ...own[0]?.pinned, ...finer, reading: readingOf(spec, finer) }, request, parts)
  const benchmark = await benchmarkOf(spec, request, parts)
  const all = [...own, ...(inside === null ? [] : [inside]), ...(benchmark === null ? [] : [benchmark])]
  // Several become one frame, beside their own.
  let wanted = all.reduce((sum, { columnBytes }) => sum + columnBytes, 0) * (all.length > 1 ? 2 : 1)
  for (;;) {
    const place = await room.enter(wanted, signal)
    let left = place.columnBytes
    const read = async (source: BarSource): Promise<ParsedBars> => {
      const bars = await source.read(left)
      left = Math.max(0, left - bars.dataset.sizeBytes)
      return bars
    }
    try {
      const bars: ParsedBars[] = []
      for (const source of own) bars.push(await read(source))
      const insideBars = inside === null ? null : await read(inside)
      const compared = benchmark === null ? null : await read(benchmark)
      const [first] = bars
      const joined = symbols === undefined && first !== undefined ? await withCompanions(first, insideBars, compared, parts.pool) : await joinedBars(symbols ?? [], bars, compared, parts.pool)
      return { bars: joined, place }
    } catch (thrown) {
      place.leave()
      const needed = neededBytes(thrown)
      if (needed === null) throw thrown
      if (place.columnBytes >= room.budgetBytes || needed > room.budgetBytes) throw room.tooLarge(Math.max(needed, place.columnBytes))
      // It was more than its size had said: once more, with twice the room.
      wanted = Math.min(room.budgetBytes, Math.max(2 * place.columnBytes, needed))
    }
  }
}

/** Bars of its own, read in its own way; of the spec's timeframe where it names none. */
async function benchmarkOf(spec: Spec, request: SubmitRequest, parts: SourceParts): Promise<BarSource | null> {
  const benchmark = spec['benchmark'] as Spec | undefined
  if (benchmark === undefined) return null
  const { timeframe, start_date: from, end_date: to } = spec
  return sourceOf({ timeframe, start_date: from, end_date: to, ...benchmark }, request, parts)
}

/** That of one file, key by key before that of the spec. */
function readingOf(spec: Spec, one: object): unknown {
  return { ...spec['reading'] as object | undefined, ...(one as { readonly reading?: object }).reading }
}

async function sourceOf(spec: Spec, { roots }: SubmitRequest, { pool, series }: SourceParts): Promise<BarSource> {
  const { file, reading } = spec
  if (typeof file !== 'string') {
    if (series === undefined) throw new SweepmillError('INVARIANT', 'Bars by symbol were asked for without the bar store.')
    return findStored(spec as unknown as WantedSeries, series, pool)
  }
  const path = findFile(file, roots, 'The data file')
  const source = basename(file)
  return {
    columnBytes: await estimateColumns(path, source), pinned: {},
    read: async (mostBytes) => parsedBars(await pool.run({
      step: 'parse_bars', input: { file: path, source, reading, ...(Number.isFinite(mostBytes) ? { most_bytes: mostBytes } : {}) }, priority: 'high', divisible: false, userCode: false,
    })),
  }
}

/** Null for another error. */
function neededBytes(thrown: unknown): number | null {
  const { details } = thrown as { details?: { needed_bytes?: unknown } }
  return hasCode(thrown, 'DATA_TOO_LARGE') && typeof details?.needed_bytes === 'number' ? details.needed_bytes : null
}
