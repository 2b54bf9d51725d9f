/** Klines as an exchange sends them, and the months of a series that a data sync makes of them and takes back. */
import { shownTime } from '../../src/base/time-span.js'
import { decodeColumns, encodeBlocks } from '../../src/market/blocks.js'
import type { BarColumns } from '../../src/market/layout.js'
import { mergeBars, takeBack } from '../../src/market/merge.js'
import { parseTimeframe } from '../../src/market/timeframe.js'
import { monthsReply } from '../month-blocks.js'
import { payload, stopped, utf8Text } from '../step.js'
import type { Step, StepContext, StepResult } from '../step.js'

/** Bybit v5: strings, newest first. */
interface BybitAnswer {
  readonly retCode?: number
  readonly retMsg?: string
  readonly result?: { readonly list?: readonly (readonly string[])[] }
  /** The exchange's own clock, milliseconds. */
  readonly time?: number
}

/** Too many requests, of this account or this address. */
const LIMITED: ReadonlySet<number> = new Set([10006, 10018])
/** Trouble of the server itself. */
const AGAIN: ReadonlySet<number> = new Set([10000, 10016, 10019])

/**
 * {exchange, category, timeframe, from_ms, to_ms} and `page` → {kind: 'bars', bars, months: [MONTH]} and block:MONTH for each,
 * or {kind: 'again' | 'limited' | 'refused' | 'invalid', why}. Bars that are not closed by the exchange's clock are left out.
 * `invalid`: a whole answer with a bar that was not asked for or cannot be; asking again would bring it again.
 */
export const parseKlines: Step = (context) => {
  const { category, timeframe: name, from_ms: fromMs, to_ms: toMs } = context.input as { category: string; timeframe: string; from_ms: number; to_ms: number }
  const verdict = (kind: 'again' | 'limited' | 'refused' | 'invalid', why: string): StepResult => ({ json: { kind, why } })
  let answer: BybitAnswer
  try {
    answer = JSON.parse(utf8Text(payload(context, 'page'))) as BybitAnswer
  } catch {
    return verdict('again', 'an answer that is no JSON')
  }
  const { retCode, retMsg = '', result, time: nowMs = Number.POSITIVE_INFINITY } = answer ?? {}
  if (typeof retCode === 'number' && LIMITED.has(retCode)) return verdict('limited', `${retCode} ${retMsg}`)
  if (typeof retCode !== 'number' || AGAIN.has(retCode)) return verdict('again', `${String(retCode)} ${retMsg}`)
  if (retCode !== 0) return verdict('refused', `${retMsg} (${retCode}).`)
  const rows = result?.list
  if (!Array.isArray(rows)) return verdict('again', 'an answer without a list')
  const timeframe = parseTimeframe(name)
  const bars: number[][] = []
  for (const row of rows as unknown[]) {
    const values = Array.isArray(row) ? row.slice(0, 7).map(numberOf) : []
    const [start = Number.NaN, ...rest] = values
    if (values.length < 7 || values.some((value) => !Number.isFinite(value)) || timeframe.startOf(start) !== start) return verdict('invalid', `a kline that cannot be read: ${JSON.stringify(row)?.slice(0, 120)}`)
    if (start < fromMs || start >= toMs) return verdict('invalid', `klines of ${shownTime(start)}, which were not asked for`)
    if (rest.some((value, i) => (i < 4 ? value <= 0 : value < 0))) return verdict('invalid', `a kline with a price that cannot be: ${JSON.stringify(row).slice(0, 120)}`)
    if (timeframe.next(start) <= nowMs) bars.push(values)
  }
  const columns = columnsOf(bars, category === 'inverse')
  const blocks = encodeBlocks(columns)
  return { json: { kind: 'bars', bars: columns.length, months: blocks.map(({ month }) => month) }, bytes: monthsReply(blocks).bytes }
}

/** An empty text is no number, and null is none, though `Number` makes 0 of both. */
function numberOf(value: unknown): number {
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}

/** Oldest first, each time once. Contracts that settle in the coin count their volume in dollars, and their turnover in coins. */
function columnsOf(rows: readonly (readonly number[])[], inverse: boolean): BarColumns {
  const ascending = rows.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0)).filter((row, i, all) => row[0] !== all[i - 1]?.[0])
  const column = (index: number): Float64Array => Float64Array.from(ascending, (row) => row[index] ?? Number.NaN)
  return { length: ascending.length, time: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(inverse ? 6 : 5) }
}

/** {months: [MONTH]} and payloads part:0… → one block a month, of all its parts; where two have a bar, the later part's stands. */
export const joinMonths: Step = (context) => {
  const { months } = context.input as { months: readonly string[] }
  const joined = new Map<string, BarColumns>()
  months.forEach((month, i) => {
    if (context.pulse.beat(i, months.length)) throw stopped()
    joined.set(month, mergeBars(joined.get(month) ?? null, decodeColumns(payload(context, `part:${i}`))).columns)
  })
  return monthsReply([...joined.values()].flatMap(encodeBlocks))
}

/**
 * {timeframe, from_ms, to_ms, at_ms, months: count} and payloads month:0… in order → {at_ms, bars, first_time, last_time,
 * holes: [[from, to]…]}: where bars are missing from `at_ms` on. `at_ms` of the reply is where the next call goes on.
 */
export const findHoles: Step = (context) => {
  const { timeframe: name, from_ms: fromMs, to_ms: toMs, at_ms: fromAtMs, months } = context.input as { timeframe: string; from_ms: number; to_ms: number; at_ms: number; months: number }
  const timeframe = parseTimeframe(name)
  const holes: [number, number][] = []
  let atMs = fromAtMs
  let bars = 0
  let firstTime: number | null = null
  let lastTime: number | null = null
  for (let i = 0; i < months; i += 1) {
    if (context.pulse.beat(i, months)) throw stopped()
    for (const time of decodeColumns(payload(context, `month:${i}`)).time) {
      if (time < fromMs || time >= toMs) continue
      if (time > atMs) holes.push([atMs, time])
      atMs = timeframe.next(time)
      bars += 1
      firstTime ??= time
      lastTime = time
    }
  }
  return { json: { at_ms: atMs, bars, first_time: firstTime, last_time: lastTime, holes } }
}

/** Payloads `current`, `after` and, if there was one, `before` → the month without what the change brought; no month when nothing is left. */
export const takeBackMonth: Step = (context) => {
  const left = takeBack(columns(context, 'current'), context.bytes['before'] === undefined ? null : columns(context, 'before'), columns(context, 'after'))
  return monthsReply(left === null ? [] : encodeBlocks(left))
}

function columns(context: StepContext, name: string): BarColumns {
  return decodeColumns(payload(context, name))
}
