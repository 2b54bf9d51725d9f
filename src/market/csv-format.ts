/**
 * Which kind of CSV a file is, by its first lines: its separator, where its rows begin, which field holds which column, how
 * its times are written, whose rows are read.
 *
 * With a header the names decide (column-names.ts), in any order, unknown ones ignored; lines before it are passed over.
 * Without one the number of fields decides: 12 is a Binance kline dump, 7 a Bybit one, 6 and 5 are time, open, high, low,
 * close and maybe volume; where the second field is a time of day, there is one more.
 */
import { SweepmillError } from '../base/errors.js'
import { chooseColumns } from './column-names.js'
import type { FieldName, FoundColumns } from './column-names.js'
import { cellsOf, lineText, nextLine, separatorOf } from './csv-lines.js'
import type { Line } from './csv-lines.js'
import { timesOf } from './csv-times.js'
import type { CsvTimes, TimeCell } from './csv-times.js'
import { compileDateFormat, readingsOf } from './date-format.js'
import { columnsOfTicker, tickerLines } from './ticker-columns.js'
import { parseTime } from './parse-time.js'
import type { Reading } from './reading.js'
import { parseTimeOfDay } from './time-of-day.js'

export interface CsvFormat {
  readonly separator: number
  /** Column of each field, or null for a field that is passed over. */
  readonly fields: readonly (FieldName | null)[]
  readonly hasVolume: boolean
  readonly hasAdjclose: boolean
  readonly times: CsvTimes
  readonly decimal: '.' | ','
  /** What stands in the field of tickers in every row that is read; null without such a field. */
  readonly ticker: string | null
  /** Rows of other tickers are passed over, and not refused. */
  readonly passOthers: boolean
  /** Names of columns that are not read. */
  readonly unread: readonly string[]
  /** Where the rows begin in the bytes that were looked at, and the number of the line there. */
  readonly dataAt: number
  readonly dataLine: number
  readonly warnings: readonly string[]
}

/** So many lines may stand before the header. */
const MOST_BEFORE = 20
const LONGEST_LOOK = 4096
const BARE: readonly FieldName[] = ['time', 'open', 'high', 'low', 'close', 'volume']

/**
 * Looks at the first lines, all of them whole. Null where more are needed to know, and where there is none. Throws DATA_FORMAT with what was found
 * and what is understood, DATA_INVALID for dates of which it is not clear which number is the day.
 */
export function detectFormat(head: Uint8Array, source: string, reading: Reading, complete: boolean): CsvFormat | null {
  refuseNoText(head, source)
  const lines = firstLines(head)
  if (lines.length === 0) return null
  if (/^(\[\s*[[{]|\{\s*"|[[{]$)/.test(lineText(head, lines[0]!))) throw refuse(source, 'it is JSON')
  const texts = lines.map((line) => lineText(head, { ...line, to: Math.min(line.to, line.from + LONGEST_LOOK) }))
  const at = beginning(texts, source, reading, complete || lines.length > MOST_BEFORE)
  if (at === null) return null
  const { first, separator, header } = at
  const rowAt = header === null ? first : first + 1 + header.below
  const begin = lines[rowAt]
  const firstRow = begin === undefined ? null : cellsOf(texts[rowAt] ?? '', separator)
  if (firstRow === null && !complete) return null
  const { date_format: format } = reading
  const parse = format === undefined ? timeOf : compileDateFormat(format)
  const names = header?.names ?? null
  const { fields, unknown, choices } = names === null ? byCount(firstRow ?? [], source) : chooseColumns(names, firstRow, reading.columns, parse)
  if (names === null && reading.columns !== undefined) throw refuse(source, 'it has no header, and reading.columns (--columns) names columns by theirs')
  if (unknown.length > 0) throw refuse(source, `reading.columns (--columns) names ${list(unknown)}, and the columns are ${list(names ?? [])}`)
  const timeField = fields.indexOf('time')
  const times = timesOf(() => cellsFrom(head, begin, separator, timeField), source, reading, complete)
  if (times === null) return null
  const tickerField = fields.indexOf('ticker')
  if (reading.ticker !== undefined && tickerField < 0 && header?.ofTicker !== true) throw refuse(source, `reading.ticker (--ticker) is ${JSON.stringify(reading.ticker)}, and no column tells tickers apart. Leave it out, or name the column with --columns ticker=…`)
  return {
    separator: separator.charCodeAt(0), fields, hasVolume: fields.includes('volume'), hasAdjclose: fields.includes('adjclose'),
    times, decimal: reading.decimal ?? '.', ticker: tickerField < 0 ? null : reading.ticker ?? firstRow?.[tickerField] ?? null, passOthers: reading.ticker !== undefined,
    unread: (names ?? []).filter((name, field) => fields[field] === null && name !== ''),
    dataAt: begin?.from ?? head.length, dataLine: begin?.line ?? 1,
    warnings: [
      ...choices.map((text) => `${source} ${text}`), ...times.warnings,
      ...(first > 0 && header?.above !== first ? [`${first === 1 ? 'The first line' : `The first ${first} lines`} of ${source} (${JSON.stringify(texts[0]?.slice(0, 80))}) ${first === 1 ? 'is' : 'are'} passed over: the ${header === null ? 'rows begin' : 'header is'} in line ${lines[first]?.line}.`] : []),
    ],
  }
}

function timeOf(text: string): number {
  const bytes = new TextEncoder().encode(text)
  return parseTime(bytes, 0, bytes.length)
}

function* linesFrom(head: Uint8Array, at: number, number: number): Generator<Line> {
  for (let line = nextLine(head, at, head.length, number); line !== null; line = nextLine(head, line.next, head.length, line.line + 1)) yield line
}

function firstLines(head: Uint8Array): Line[] {
  const lines: Line[] = []
  for (const line of linesFrom(head, 0, 1)) {
    lines.push(line)
    if (lines.length > MOST_BEFORE + 4) break
  }
  return lines
}

/** Fields of one column, from the first row on. */
function* cellsFrom(head: Uint8Array, begin: Line | undefined, separator: string, field: number): Generator<TimeCell> {
  if (begin === undefined) return
  for (const line of linesFrom(head, begin.from, begin.line)) yield { text: cellsOf(lineText(head, line), separator)[field] ?? '', line: line.line }
}

interface Beginning {
  /** Among the lines that are not blank: the header, or the first row where there is none. */
  readonly first: number
  readonly separator: string
  readonly header: {
    readonly names: readonly string[]
    /** Lines above and below it that belong to it. */
    readonly above: number
    readonly below: number
    /** Its columns are those of one ticker. */
    readonly ofTicker: boolean
  } | null
}

/** Null where more lines are needed. */
function beginning(texts: readonly string[], source: string, reading: Reading, enough: boolean): Beginning | null {
  let nearest: { readonly cells: readonly string[]; readonly found: FoundColumns } | null = null
  let hint: string | null = null
  for (const [first, text] of texts.slice(0, MOST_BEFORE).entries()) {
    // Excel says its separator in a line of its own.
    const said = /^"?sep=(.)"?$/i.exec(text)?.[1]
    if (said !== undefined) hint = said
    const separator = hint ?? separatorOf(text)
    const cells = cellsOf(text, separator)
    if (isRow(cells)) {
      if (nearest !== null && nearest.cells.length >= Math.min(cells.length - 1, 4)) break
      return { first, separator, header: null }
    }
    const around = tickerLines((k) => (texts[k] === undefined ? undefined : cellsOf(texts[k], separator)), first)
    const named = chooseColumns(around === null ? cells : around.timeNamed(cells), null, reading.columns)
    if (named.missing.length === 0) {
      // Lines that belong to the header may follow.
      if (!enough && texts.length < first + 4 && !texts.slice(first + 1).some((later) => isRow(cellsOf(later, separator)))) return null
      const names = around === null ? cells : columnsOfTicker(around.timeNamed(cells), around.tickers, reading.ticker, source)
      return { first, separator, header: { names, above: around?.above ?? 0, below: around?.below ?? 0, ofTicker: around !== null && reading.ticker !== undefined } }
    }
    if (nearest === null || named.missing.length < nearest.found.missing.length || (named.missing.length === nearest.found.missing.length && cells.length > nearest.cells.length)) nearest = { cells, found: named }
    if (!enough && first === texts.length - 1) return null
  }
  if (nearest === null) return enough ? { first: 0, separator: ',', header: null } : null
  const { cells, found } = nearest
  if (found.unknown.length > 0) throw refuse(source, `reading.columns (--columns) names ${list(found.unknown)}, and the columns are ${list(cells)}`)
  throw refuse(source, `its first line names ${list(cells)}, and no column for ${found.missing.join(', ')}`, ' Or say which columns they are: --columns open=…,close=… (reading.columns in a spec).')
}

/** A row of data has a number in its second field, or begins with a time; a header never does. */
function isRow(cells: readonly string[]): boolean {
  const [first = '', second = ''] = cells
  if (cells.length < 2) return false
  return (second !== '' && Number.isFinite(Number(second))) || (/^\d/.test(first) && (Number.isFinite(timeOf(first)) || readingsOf(first) !== null))
}

function byCount(firstRow: readonly string[], source: string): FoundColumns {
  const second = new TextEncoder().encode(firstRow[1] ?? '')
  // A price of 100000 could be ten o'clock, but its time would not be a whole day.
  const clocked = Number.isFinite(parseTimeOfDay(second, 0, second.length)) && /:|^0\d{3,5}$/.test(firstRow[1] ?? '')
  const columns: readonly FieldName[] = clocked ? ['time', 'clock', ...BARE.slice(1)] : BARE
  const count = firstRow.length - (clocked ? 1 : 0)
  // Exchanges count; behind a date the sixth field may be an adjusted close as well.
  const choices = count === 7 && !/^\d{9,}/.test(firstRow[0] ?? '') ? [`has 7 fields and no header: the 6th is taken as volume and the 7th left. If that is wrong give it a header.`] : []
  if (![5, 6, 7, 12].includes(count)) throw refuse(source, `its first line has ${firstRow.length} fields and no header`)
  return { fields: firstRow.map((_, i) => columns[i] ?? null), missing: [], unknown: [], choices }
}

/** Files that are handed over instead of the CSV inside them, by their first bytes. */
const OTHER_KINDS: readonly (readonly [kind: string, advice: string, bytes: readonly number[]])[] = [
  ['gzip', 'Unpack it first (gunzip).', [0x1f, 0x8b]],
  ['zip', 'Unpack it first (unzip).', [0x50, 0x4b, 0x03, 0x04]],
  ['zstandard', 'Unpack it first (unzstd).', [0x28, 0xb5, 0x2f, 0xfd]],
  ['Parquet', 'Write it as CSV first.', [0x50, 0x41, 0x52, 0x31]],
  ['UTF-16', 'Save it as UTF-8.', [0xff, 0xfe]],
  ['UTF-16', 'Save it as UTF-8.', [0xfe, 0xff]],
]

/** Throws DATA_FORMAT for what is another kind of file by its first bytes. */
export function refuseNoText(bytes: Uint8Array, source: string): void {
  for (const [kind, advice, magic] of OTHER_KINDS) {
    if (magic.some((byte, i) => bytes[i] !== byte)) continue
    throw new SweepmillError('DATA_FORMAT', `${source} is ${kind}, not plain CSV text. ${advice}`, { details: { file: source, line: 1, kind } })
  }
  // Tabs and line ends are all that text has of these.
  const end = bytes.indexOf(10)
  const line = bytes.subarray(0, Math.min(LONGEST_LOOK, end < 0 ? bytes.length : end))
  if (line.some((byte) => byte < 9 || (byte > 13 && byte < 32))) throw refuse(source, 'it is not text')
}

function list(cells: readonly string[]): string {
  return cells.map((cell) => JSON.stringify(cell)).join(', ').slice(0, 200)
}

function refuse(source: string, why: string, more = ''): SweepmillError {
  return new SweepmillError('DATA_FORMAT', `${source} is not a CSV of bars that is understood: ${why}. Give it a header such as date,open,high,low,close,volume.${more}`, { details: { file: source, line: 1 } })
}
