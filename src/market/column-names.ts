/**
 * Which column of a file is which, by the names of its header and what the first row holds.
 *
 * Where two may mean the same, one is taken by a rule and a warning names both:
 * 1. A time: what is called a start or opening before any other, then one with day and time of day before a day alone, then
 *    by the order of the names below. A day and a time of day beside it are the time together.
 * 2. A volume: one without a unit, then that of the ticker's own unit, then one that is not of a currency, then the first;
 *    ticks where the volume beside them is 0 in the first row.
 * 3. Others: by the order of the names below.
 */
import { readingsOf } from './date-format.js'
import type { ColumnName } from './layout.js'
import { parseTime } from './parse-time.js'
import type { ColumnKey } from './reading.js'
import { parseTimeOfDay } from './time-of-day.js'

/** What a field of a row is: a column of bars, the time of day that belongs to a day, or the name by which rows are told apart. */
export type FieldName = ColumnName | 'clock' | 'ticker'

const STARTS = ['timeperiodstart', 'windowstart', 'periodstart', 'opentime', 'timeopen', 'starttime', 'start', 'candlebegintime', 'begin', 'opentimestamp']
const TIMES = ['date', 'datetime', 'time', 'timestamp', 'dateutc', 'datetimeutc', 'timestamputc', 'timeutc', 'gmttime', 'utctime', 'localtime', 'day', 'dtyyyymmdd', 'tradedate', 'unix', 'unixtime', 'unixtimestamp', 'ts', 't']
/** Never the time by themselves. */
const CLOCKS = ['timeofday', 'clock', 'hhmm', 'hhmmss']
const TICK_VOLUMES = ['tickvolume', 'tickvol']
const NAMES: Readonly<Record<Exclude<FieldName, 'time' | 'clock'>, readonly string[]>> = {
  open: ['open', 'o', 'openprice', 'priceopen'],
  high: ['high', 'h', 'highprice', 'pricehigh'],
  low: ['low', 'l', 'lowprice', 'pricelow'],
  close: ['close', 'c', 'last', 'closeprice', 'priceclose', 'closelast', 'price'],
  volume: ['volume', 'v', 'vol', 'basevolume', 'volumetraded', 'volumefrom', ...TICK_VOLUMES],
  adjclose: ['adjclose', 'adjustedclose', 'closeadj'],
  ticker: ['ticker', 'symbol', 'tic', 'instrument', 'secid', 'pair', 'asset', 'coin', 'security', 'stock', 'code', 'isin', 'ric', 'figi', 'instrumentid', 'symbolid', 'tickersymbol', 'stockcode', 'stocksymbol', 'tradingpair', 'currencypair', 'productid', 'tscode', 'name'],
}
/** pandas writes its index under an empty name, under "index" after reset_index, and reads it back as "Unnamed: 0". */
const INDEX_NAMES: ReadonlySet<string> = new Set(['', 'index', 'unnamed'])
const REQUIRED: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close']
const PRICE_OF_UNIT = /^(open|high|low|close)\s*[([]\s*\S+\s*[)\]]$/i
const VOLUME_OF_UNIT = /^volume[\s_]+\(?\s*([A-Za-z]{2,10})\s*\)?$|^volume\s*\(\s*([A-Za-z]{2,10})\s*\)$/i
const MONEY: ReadonlySet<string> = new Set(['USD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'DAI', 'EUR', 'GBP', 'JPY', 'CNY', 'KRW', 'CURRENCY', 'QUOTE'])

export interface FoundColumns {
  readonly fields: readonly (FieldName | null)[]
  /** Required ones that no field has. */
  readonly missing: readonly ColumnName[]
  /** Of `columns`, those whose header is not there. */
  readonly unknown: readonly string[]
  /** Ends of sentences about two columns of one meaning, which begin with the file. */
  readonly choices: readonly string[]
}

export type NamedColumns = Readonly<Partial<Record<ColumnKey, string>>>

/** `firstRow` has the texts of the first row, if there is one; `parse` reads a time as the file has them. */
export function chooseColumns(cells: readonly string[], firstRow: readonly string[] | null, named: NamedColumns = {}, parse: (text: string) => number = timeOfText): FoundColumns {
  const names = cells.map(nameOf)
  const fields: (FieldName | null)[] = cells.map(() => null)
  const choices: string[] = []
  const unknown: string[] = []
  const take = (field: FieldName, all: readonly number[], key: string = field): void => {
    const [first, ...others] = all.filter((at) => fields[at] === null)
    if (first === undefined) return
    fields[first] = field
    if (others.length > 0) choices.push(choice(cells, [first], others, key))
  }
  const explicit = (key: ColumnKey, field: FieldName): boolean => {
    const header = named[key]
    if (header === undefined) return false
    if (header === '') return true
    const at = headerAt(cells, header)
    if (at < 0) unknown.push(header)
    else fields[at] = field
    return true
  }
  const byHand = new Set<string>()
  for (const key of ['open', 'high', 'low', 'close', 'volume', 'adjclose', 'ticker'] as const) if (explicit(key, key)) byHand.add(key)
  const bothTimes = named.date !== undefined && named.date !== '' && named.time !== undefined && named.time !== ''
  const timeByHand = [explicit('date', 'time'), explicit('time', bothTimes ? 'clock' : 'time')].includes(true)
  const header = { cells, names, fields, firstRow, parse }
  if (!timeByHand) chooseTime(header, choices)
  else if (named.time === undefined) chooseClock(header)
  const every = (field: keyof typeof NAMES): number[] => NAMES[field].flatMap((alias) => names.flatMap((name, at) => (name === alias ? [at] : [])))
  for (const field of ['open', 'high', 'low', 'close'] as const) {
    if (byHand.has(field)) continue
    const plain = every(field)
    take(field, plain.length > 0 ? plain : cells.flatMap((cell, at) => (PRICE_OF_UNIT.exec(cell.trim())?.[1]?.toLowerCase() === field ? [at] : [])))
  }
  if (!byHand.has('adjclose')) take('adjclose', every('adjclose'))
  if (!byHand.has('ticker')) {
    // A name beside a symbol is that of the firm.
    const [first] = every('ticker').filter((at) => fields[at] === null)
    if (first !== undefined) fields[first] = 'ticker'
  }
  if (named.time === undefined) choices.push(...clocksLeft(header))
  choices.push(...zonesLeft(header))
  if (!byHand.has('volume')) take('volume', volumes(cells, every('volume'), names, firstRow, fields.indexOf('ticker')))
  return { fields, missing: REQUIRED.filter((column) => !fields.includes(column)), unknown, choices }
}

export function nameOf(cell: string): string {
  return cell.toLowerCase().replace(/[^a-z]/g, '')
}

export function isTimeName(name: string): boolean {
  return STARTS.includes(name) || TIMES.includes(name)
}

function headerAt(cells: readonly string[], header: string): number {
  const exact = cells.indexOf(header.trim())
  return exact >= 0 ? exact : cells.findIndex((cell) => cell.toLowerCase() === header.trim().toLowerCase())
}

interface Header {
  readonly cells: readonly string[]
  readonly names: readonly string[]
  readonly fields: (FieldName | null)[]
  readonly firstRow: readonly string[] | null
  readonly parse: (text: string) => number
}

function chooseTime({ cells, names, fields, firstRow, parse }: Header, choices: string[]): void {
  const at = (aliases: readonly string[]): number[] => aliases.flatMap((alias) => names.flatMap((name, k) => (name === alias && fields[k] === null ? [k] : [])))
  const starts = at(STARTS)
  const candidates = [...starts, ...at(TIMES)]
  const kinds = new Map([...candidates, ...at(CLOCKS)].map((k) => [k, kindOf(firstRow?.[k] ?? '', parse)]))
  const first = (kind: TimeKind): number | undefined => [...kinds.keys()].find((k) => kinds.get(k) === kind)
  const day = first('day') ?? candidates.find((k) => names[k]?.startsWith('d') === true && kinds.get(k) === 'unknown')
  const clock = first('clock') ?? candidates.find((k) => k !== day && names[k] === 'time' && kinds.get(k) === 'unknown')
  const full = starts.find((k) => kinds.get(k) === 'full') ?? first('full')
  const told = [...kinds.values()].some((kind) => kind !== 'unknown')
  const taken = !told ? [candidates[0] ?? -1] : full !== undefined ? [full] : day !== undefined && clock !== undefined && (kinds.get(day) === 'day' || kinds.get(clock) === 'clock') ? [day, clock] : [day ?? candidates[0] ?? -1]
  const [time = -1, ofDay] = taken
  if (time >= 0) fields[time] = 'time'
  else if (INDEX_NAMES.has(names[0] ?? '') && fields[0] === null) fields[0] = 'time'
  if (ofDay !== undefined) fields[ofDay] = 'clock'
  const left = [...kinds.keys()].filter((k) => !taken.includes(k))
  if (time >= 0 && left.length > 0) choices.push(choice(cells, taken, left, 'time'))
}

/** The time of day beside a day that was named by hand. */
function chooseClock({ names, fields, firstRow, parse }: Header): void {
  if (kindOf(firstRow?.[fields.indexOf('time')] ?? '', parse) !== 'day') return
  const clock = names.findIndex((name, k) => fields[k] === null && ['time', ...CLOCKS].includes(name) && kindOf(firstRow?.[k] ?? '', parse) === 'clock')
  if (clock >= 0) fields[clock] = 'clock'
}

/** Days alone, and beside them what looks like a time of day under a name that is not known: it would be lost without a word. */
function clocksLeft({ cells, fields, firstRow, parse }: Header): string[] {
  const time = fields.indexOf('time')
  if (firstRow === null || time < 0 || fields.includes('clock') || kindOf(firstRow[time] ?? '', parse) !== 'day') return []
  const left = cells.findIndex((_, k) => fields[k] === null && /^\d{1,2}:\d{2}/.test(firstRow[k] ?? '') && kindOf(firstRow[k] ?? '', parse) === 'clock')
  return left < 0 ? [] : [`has ${JSON.stringify(firstRow[left])} under ${JSON.stringify(cells[left])}, which is not read. If it is the time of day of ${JSON.stringify(cells[time])} say --columns date=${cells[time]},time=${cells[left]} (reading.columns in a spec).`]
}

const ZONES = ['offset', 'utcoffset', 'gmtoffset', 'tz', 'zone', 'timezone', 'tzoffset']

/** A zone in a column of its own is not read: the times beside it would be taken for UTC without a word. */
function zonesLeft({ cells, names, fields, firstRow }: Header): string[] {
  const time = firstRow?.[fields.indexOf('time')] ?? ''
  const at = names.findIndex((name, k) => ZONES.includes(name) && fields[k] === null)
  const zone = firstRow?.[at] ?? ''
  // A count since 1970 and a time that says its offset need none.
  if (zone === '' || /^(utc|gmt|z|[+-]?0+(:?00)?|etc\/utc)$/i.test(zone) || /^\d{9,}|(Z|\d{2}:\d{2}.*[+-]\d{2}:?\d{0,2})$/.test(time)) return []
  return [`has ${JSON.stringify(zone)} under ${JSON.stringify(cells[at])}, which is not read: its times are taken as UTC. Write the offset behind each time, such as 2020-01-31 09:30-05:00.`]
}

type TimeKind = 'full' | 'day' | 'clock' | 'unknown'

function kindOf(text: string, parse: (text: string) => number): TimeKind {
  const isTime = (some: string): boolean => Number.isFinite(parse(some)) || (readingsOf(some)?.length ?? 0) > 0
  // What a time of day may follow has none yet.
  if (isTime(text)) return isTime(`${text} 09:30`) ? 'day' : 'full'
  const bytes = new TextEncoder().encode(text)
  return Number.isFinite(parseTimeOfDay(bytes, 0, bytes.length)) ? 'clock' : 'unknown'
}

function timeOfText(text: string): number {
  const bytes = new TextEncoder().encode(text)
  return parseTime(bytes, 0, bytes.length)
}

/** The best first. */
function volumes(cells: readonly string[], plain: readonly number[], names: readonly string[], firstRow: readonly string[] | null, ticker: number): number[] {
  const isTicks = (at: number): boolean => TICK_VOLUMES.includes(names[at] ?? '')
  const ticks = plain.filter(isTicks)
  if (plain.length > ticks.length) {
    const [best = 0] = plain
    const isEmpty = Number(firstRow?.[best]) === 0 && ticks.some((at) => Number(firstRow?.[at]) > 0)
    return isEmpty ? [...ticks, ...plain.filter((at) => !isTicks(at))] : [...plain]
  }
  if (ticks.length > 0) return [...ticks]
  const units = cells.flatMap((cell, at) => {
    const found = VOLUME_OF_UNIT.exec(cell.trim())
    return found === null ? [] : [{ at, unit: (found[1] ?? found[2] ?? '').toUpperCase() }]
  })
  const symbol = (firstRow?.[ticker] ?? '').toUpperCase()
  const rank = (unit: string): number => (symbol.startsWith(unit) ? 0 : MONEY.has(unit) ? 2 : 1)
  return units.toSorted((a, b) => rank(a.unit) - rank(b.unit)).map(({ at }) => at)
}

function choice(cells: readonly string[], taken: readonly number[], left: readonly number[], key: string): string {
  const list = (some: readonly number[]): string => some.map((at) => JSON.stringify(cells[at])).join(' and ')
  return `has several columns that may be its ${key}: ${list(taken)} ${taken.length > 1 ? 'are' : 'is'} taken and ${list(left)} left. Name another with --columns ${key}=… (reading.columns in a spec).`
}
