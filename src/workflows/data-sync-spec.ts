/** The spec of a data sync: which bars of which exchange, from when to when. Flat JSON; unknown keys are refused by name. */
import { z } from 'zod'
import { SweepmillError } from '../base/errors.js'
import { isInSpan, LATEST_MS } from '../base/time-span.js'
import { parseOrRefuse, refuseUnknownKeys, requireObject } from '../engine/specs/refuse.js'
import { parseTime } from '../market/parse-time.js'
import { DAY_MS, parseTimeframe } from '../market/timeframe.js'
import type { SeriesKey } from '../tasks/bar-series.js'
import type { ExchangeOffer } from '../tasks/kline-source.js'

const text = (what: string): z.ZodString => z.string(`must be ${what}`).regex(/^[\w./:-]{1,40}$/, `must be ${what}`)
const schema = z.object({
  exchange: text('an exchange such as "bybit"'),
  symbol: text('a symbol such as "BTCUSDT"'),
  timeframe: text('a timeframe such as "1h"'),
  start_date: z.string('must be a date or an ISO 8601 time'),
  end_date: z.string('must be a date or an ISO 8601 time').optional(),
  category: z.string('must be a text').optional(),
})

export interface DataSyncSpec {
  readonly exchange: string
  readonly symbol: string
  readonly timeframe: string
  /** ISO 8601, UTC. */
  readonly start_date: string
  /** The first moment that is not wanted; absent: up to the last closed bar when the task starts. */
  readonly end_date?: string
  readonly category: string
}

/** SPEC_INVALID names the key. */
export function parseDataSyncSpec(json: unknown, offers: readonly ExchangeOffer[]): DataSyncSpec {
  const raw = requireObject(json, '')
  refuseUnknownKeys(raw, Object.keys(schema.shape), '')
  const spec = parseOrRefuse(schema, raw, '')
  const exchange = spec.exchange.toLowerCase()
  const offer = offers.find(({ name }) => name === exchange)
  if (offer === undefined) throw invalid('exchange', `There are no bars to be had from "${spec.exchange}"; choose one of: ${offers.map(({ name }) => name).join(', ')}.`)
  const timeframe = parseTimeframe(spec.timeframe).name
  if (!offer.timeframes.includes(timeframe)) throw invalid('timeframe', `${exchange} has no bars of ${timeframe}; choose one of: ${offer.timeframes.join(', ')}.`)
  const category = spec.category ?? offer.categories[0] ?? ''
  if (!offer.categories.includes(category)) throw invalid('category', `${exchange} has no category "${category}"; choose one of: ${offer.categories.join(', ')}.`)
  const start = timeOf('start_date', spec.start_date)
  // As in a backtest, a day that is named as the end belongs to it.
  const end = spec.end_date === undefined ? null : Math.min(LATEST_MS, timeOf('end_date', spec.end_date) + (spec.end_date.length === 10 ? DAY_MS : 0))
  if (end !== null && end <= start) throw invalid('end_date', 'end_date is not after start_date.')
  return {
    exchange, symbol: spec.symbol.toUpperCase(), timeframe, start_date: new Date(start).toISOString(),
    ...(end === null ? {} : { end_date: new Date(end).toISOString() }), category,
  }
}

/**
 * Where the bars are kept. Futures have names of their own, but BTCUSDT is a spot market as well, with other prices: in one
 * series each would pass for the other, and what one has would never be fetched for the other.
 */
export function seriesKeyOf({ exchange, symbol, timeframe, category }: DataSyncSpec): SeriesKey {
  return { exchange: category === 'spot' ? `${exchange}-spot` : exchange, symbol, timeframe }
}

function timeOf(key: string, value: string): number {
  const bytes = new TextEncoder().encode(value)
  const ms = parseTime(bytes, 0, bytes.length)
  if (isInSpan(ms)) return ms
  throw invalid(key, `${key} is "${value}"; write a date such as 2024-01-31 or a time such as 2024-01-31T12:00:00Z.`)
}

function invalid(path: string, message: string): SweepmillError {
  return new SweepmillError('SPEC_INVALID', message, { details: { path } })
}
