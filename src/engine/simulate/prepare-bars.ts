/**
 * The bars a spec asks for: cut to its dates, and adjusted if it says so. Cutting gives views, adjusting copies.
 * Doing it twice changes nothing: adjusted bars carry their own close as adjclose, so their ratio is 1.
 * Warnings say what a trader would want to know about the bars as they stand.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { DAY_MS, formatIsoTime, isDateOnly, parseIsoTime } from '../calendar/iso-time.js'
import type { DateRange } from './date-coverage.js'
import { uncoveredWarnings } from './date-coverage.js'

/** adjclose ÷ close may move this much, relative, before it counts as a change: files round their prices. */
const RATIO_TOLERANCE = 1e-4

export interface BarsRequest {
  readonly startDate?: string
  readonly endDate?: string
  readonly adjust?: boolean
}

/** Throws DATA_INVALID for bars that hold no numbers, DATA_EMPTY where no bar lies between the dates, DATA_FORMAT. */
export function prepareBars(bars: BarColumns, request: BarsRequest): { bars: BarColumns; warnings: string[] } {
  const warnings: string[] = []
  refuseNonNumbers(bars)
  const range = rangeOf(request)
  warnings.push(...uncoveredWarnings(bars.time, range, request))
  let prepared = cut(bars, request, range)
  if (request.adjust === true) {
    prepared = adjusted(prepared)
  } else if (request.adjust === undefined && ratioChanges(prepared)) {
    warnings.push('adjclose / close changes within the bars (splits or dividends), and the prices are used as they stand; set "adjust": true to trade adjusted prices, or "adjust": false to keep them and drop this warning.')
  }
  return { bars: prepared, warnings }
}

const COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume', 'adjclose'] as const

/** Files are checked when they are read; bars that a program made itself are not. Cost: an addition a value. */
function refuseNonNumbers(bars: BarColumns): void {
  for (const name of COLUMNS) {
    const column = bars[name]
    if (column === undefined) continue
    // One NaN or infinity makes the sum of differences from themselves NaN.
    let sum = 0
    for (let i = 0; i < column.length; i++) sum += column[i]! - column[i]!
    if (sum === 0) continue
    const bar = column.findIndex((value) => !Number.isFinite(value))
    throw new SweepmillError('DATA_INVALID', `${name} of bar ${bar} is ${String(column[bar])}, which is no number; correct or leave out that bar.`, { details: { column: name, bar } })
  }
}

/** Bars [from, to) as views over the same memory. */
export function sliceBars(bars: BarColumns, from: number, to: number): BarColumns {
  if (from === 0 && to === bars.length) return bars
  return {
    length: to - from,
    time: bars.time.subarray(from, to), open: bars.open.subarray(from, to), high: bars.high.subarray(from, to),
    low: bars.low.subarray(from, to), close: bars.close.subarray(from, to), volume: bars.volume.subarray(from, to),
    ...(bars.adjclose === undefined ? {} : { adjclose: bars.adjclose.subarray(from, to) }),
  }
}

/** Both ends are inclusive; an end that names only a day takes the whole day. */
function rangeOf({ startDate, endDate }: BarsRequest): DateRange {
  return {
    startMs: startDate === undefined ? -Infinity : boundary('start_date', startDate),
    endMs: endDate === undefined ? Infinity : boundary('end_date', endDate) + (isDateOnly(endDate) ? DAY_MS : 1),
  }
}

function cut(bars: BarColumns, { startDate, endDate }: BarsRequest, { startMs, endMs }: DateRange): BarColumns {
  const from = firstAtOrAfter(bars.time, startMs)
  const to = endMs === Infinity ? bars.length : firstAtOrAfter(bars.time, endMs - 0.5)
  if (to <= from) {
    const range = bars.length === 0 ? 'there are none at all' : `they run from ${formatIsoTime(bars.time[0] ?? 0)} to ${formatIsoTime(bars.time[bars.length - 1] ?? 0)}`
    throw new SweepmillError('DATA_EMPTY',
      `No bar lies between ${startDate ?? 'the start'} and ${endDate ?? 'the end'}: ${range}. Change start_date or end_date.`,
      { details: { start_date: startDate ?? null, end_date: endDate ?? null, bars: bars.length } })
  }
  return sliceBars(bars, from, to)
}

function boundary(key: string, text: string): number {
  const time = parseIsoTime(text)
  if (time === undefined) throw new SweepmillError('SPEC_INVALID', `${key} is "${text}", but must be a time such as "2020-01-31".`, { details: { path: key } })
  return time
}

function firstAtOrAfter(time: Float64Array, at: number): number {
  let low = 0
  let high = time.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (time[middle]! < at) low = middle + 1
    else high = middle
  }
  return low
}

function ratioChanges({ adjclose, close }: BarColumns): boolean {
  if (adjclose === undefined) return false
  let least = Infinity
  let most = -Infinity
  for (let i = 0; i < close.length; i++) {
    const ratio = adjclose[i]! / close[i]!
    if (ratio < least) least = ratio
    if (ratio > most) most = ratio
  }
  return most - least > RATIO_TOLERANCE * most
}

function adjusted(bars: BarColumns): BarColumns {
  const { adjclose } = bars
  if (adjclose === undefined) {
    throw new SweepmillError('DATA_FORMAT', '"adjust": true needs an adjclose column, and these bars have none; remove adjust or add the column.', { details: { column: 'adjclose' } })
  }
  const { length } = bars
  const open = new Float64Array(length)
  const high = new Float64Array(length)
  const low = new Float64Array(length)
  const close = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const ratio = adjclose[i]! / bars.close[i]!
    open[i] = bars.open[i]! * ratio
    high[i] = bars.high[i]! * ratio
    low[i] = bars.low[i]! * ratio
    close[i] = bars.close[i]! * ratio
  }
  return { length, time: bars.time, open, high, low, close, volume: bars.volume, adjclose: close }
}
