/**
 * Bars of a spec that names a symbol: which stored series is meant, and which of its months are needed. A timeframe that is
 * not stored is made of the longest stored one that divides it. A thread cuts and makes the bars; nothing is decoded here.
 */
import { SweepmillError } from '../base/errors.js'
import { parseIsoTime } from '../engine/index.js'
import { isDateOnly } from '../engine/calendar/iso-time.js'
import { coverageOf } from '../market/coverage.js'
import type { QualityReport } from '../market/quality.js'
import { DAY_MS, divides, parseTimeframe } from '../market/timeframe.js'
import type { Timeframe } from '../market/timeframe.js'
import type { BarSeriesStore, Series } from '../tasks/bar-series.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { BAR_BYTES, nameOf } from '../workflows/series-months.js'
import { parsedBars } from './parsed-bars.js'
import type { BarSource } from './parsed-bars.js'

/** The keys of a spec that say which bars. */
export interface WantedSeries {
  readonly symbol: string
  readonly timeframe: string
  readonly exchange?: string
  readonly start_date?: string
  readonly end_date?: string
}

/** Throws SERIES_NOT_FOUND, DATA_EMPTY, and SPEC_INVALID where several series are meant. Their months are read when the bars are. */
export async function findStored(wanted: WantedSeries, store: BarSeriesStore, pool: ComputePool): Promise<BarSource> {
  const timeframe = parseTimeframe(wanted.timeframe)
  const ofSymbol = await store.list(wanted.symbol)
  const series = choose(ofSymbol, wanted, timeframe)
  if (series === null) throw notStored(ofSymbol.length > 0 ? ofSymbol : await store.list(), ofSymbol.length > 0, wanted, timeframe)
  const stored = parseTimeframe(series.timeframe)
  const { fromMs, toMs } = rangeOf(wanted)
  const quality = series.quality as QualityReport | null
  const covered = coverageOf(series.blocks[0]?.firstTime ?? 0, series.blocks.at(-1)?.lastTime ?? 0, stored, quality)
  // Bars of the wanted timeframe may begin after the range does and end after it.
  const lastMs = toMs === null ? Infinity : timeframe.next(timeframe.startOf(toMs))
  const months = series.blocks.filter((block) => block.lastTime >= (fromMs ?? -Infinity) && block.firstTime < lastMs)
  if (months.length === 0) {
    const range = series.blocks.length === 0 ? 'it has no bars' : `its bars run from ${iso(covered.fromMs)} to ${iso(series.blocks.at(-1)?.lastTime ?? 0)}`
    throw new SweepmillError('DATA_EMPTY', `No bar of ${nameOf(series)} lies between ${wanted.start_date ?? 'the start'} and ${wanted.end_date ?? 'the end'}: ${range}. Change start_date or end_date, or import more.`, {
      details: { start_date: wanted.start_date ?? null, end_date: wanted.end_date ?? null },
    })
  }
  const named = { exchange: series.exchange, symbol: series.symbol, timeframe: timeframe.name }
  const input = {
    source: nameOf(named), symbol: series.symbol, stored: stored.name, wanted: timeframe.name, from_ms: fromMs, to_ms: toMs,
    covered_from_ms: covered.fromMs, covered_to_ms: covered.toMs, sessions: quality?.calendar === 'sessions', days: quality?.days ?? null,
    filled: quality?.repaired_ranges ?? [], warnings: [...covered.warnings, ...(stored.name === timeframe.name ? [] : covered.madeWarnings)], months: months.length,
  }
  return {
    columnBytes: months.reduce((sum, { bars }) => sum + bars, 0) * BAR_BYTES, pinned: named,
    read: async () => {
      const blocks = await store.blocks(months.map(({ hash }) => hash))
      return parsedBars(await pool.run({
        step: 'cut_series', priority: 'high', divisible: false, userCode: false, moves: true, bytes: Object.fromEntries(blocks.map((block, i) => [`month:${i}`, block])), input,
      }), named)
    },
  }
}

/** Both ends of a spec are included; an end that names only a day takes the whole day. */
function rangeOf({ start_date: start, end_date: end }: WantedSeries): { fromMs: number | null; toMs: number | null } {
  const endMs = end === undefined ? undefined : parseIsoTime(end)
  return {
    fromMs: start === undefined ? null : parseIsoTime(start) ?? null,
    toMs: endMs === undefined ? null : endMs + (isDateOnly(end ?? '') ? DAY_MS : 1),
  }
}

/** Null where none is meant. */
function choose(all: readonly Series[], wanted: WantedSeries, timeframe: Timeframe): Series | null {
  const named = all.filter(({ symbol, exchange }) => symbol === wanted.symbol && (wanted.exchange === undefined || exchange === wanted.exchange))
  const exact = named.filter((one) => one.timeframe === timeframe.name)
  const usable = exact.length > 0 ? exact : named.filter((one) => divides(parseTimeframe(one.timeframe), timeframe))
  const exchanges = [...new Set(usable.map(({ exchange }) => exchange))]
  if (exchanges.length > 1) {
    throw new SweepmillError('SPEC_INVALID', `${wanted.symbol} ${timeframe.name} is stored from several exchanges: ${exchanges.join(', ')}. Say which with exchange.`, { details: { path: 'exchange', exchanges } })
  }
  // The longest bars that divide the wanted ones: the fewest to read.
  const [best] = usable.toSorted((a, b) => parseTimeframe(b.timeframe).stepMs - parseTimeframe(a.timeframe).stepMs)
  return best ?? null
}

const LISTED = 20

function notStored(listed: readonly Series[], ofSymbol: boolean, { symbol, exchange }: WantedSeries, timeframe: Timeframe): SweepmillError {
  const names = listed.map(nameOf)
  const stored = names.length === 0 ? 'Nothing is stored yet.' : `Stored ${ofSymbol ? 'of it ' : ''}are ${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ''}.`
  return new SweepmillError('SERIES_NOT_FOUND',
    `There are no stored bars of ${exchange === undefined ? '' : `${exchange} `}${symbol} of ${timeframe.name}, and none of which they could be made. ${stored} Import a file with \`sweepmill import FILE --exchange ${exchange ?? 'NAME'} --symbol ${symbol} --timeframe ${timeframe.name}\`.`,
    { details: { symbol, timeframe: timeframe.name, exchange: exchange ?? null, stored: names.slice(0, 1000) } })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
