/**
 * A Parquet file of bars to columns, by hyparquet: a row group at a time and of it one column, so that besides the columns
 * only a piece of one is in memory. The names of columns are those of a CSV's header; every row is checked like a CSV's.
 */
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import type { AsyncBuffer, DecodedArray, FileMetaData, ParquetParsers, SchemaElement } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { problemOfOrder, problemOfRow, runsBackwards, turnRound } from './check-rows.js'
import type { RowProblem } from './check-rows.js'
import { chooseColumns as columnsOfNames } from './column-names.js'
import { GrowingColumns } from './growing-columns.js'
import type { ColumnName } from './layout.js'
import { parseTime, TIME_FORMS, timeOfNumber } from './parse-time.js'
import type { ReadBars, RowWatcher } from './read-csv.js'
import { severalTickers } from './ticker-columns.js'

/** 24 GiB of columns: no file of bars has more. */
const MOST_ROWS = 500_000_000
/** From 1653 to 2286: what lies beyond is no time of a bar. */
const FARTHEST_MS = 1e13
/** Between a count of microseconds and one of nanoseconds a whole number can only be the digits of a calendar. */
const MOST_OF_EPOCHS = 10n ** 16n
const MOST_TICKERS = 1000
/** What pandas calls an index that has no name. */
const PANDAS_INDEX = '__index_level_0__'

/** Times as milliseconds instead of a Date for each row. */
const PARSERS: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => Number(millis),
  timestampFromMicroseconds: (micros) => Math.floor(Number(micros) / 1000),
  timestampFromNanoseconds: (nanos) => Number(nanos / 1_000_000n),
  dateFromDays: (days) => days * 86_400_000,
}

/** `file` reads ranges of the file; `source` names it. Throws DATA_EMPTY, DATA_FORMAT, DATA_INVALID, DATA_ORDER. */
export async function readParquet(file: AsyncBuffer, source: string, onRows?: RowWatcher): Promise<ReadBars> {
  const metadata = await damaged(source, () => parquetMetadataAsync(file, { parsers: PARSERS }))
  const rowCount = Number(metadata.num_rows)
  if (rowCount === 0) throw new SweepmillError('DATA_EMPTY', `${source} has columns but no row of data.`, { details: { file: source } })
  if (!(rowCount <= MOST_ROWS)) throw new SweepmillError('DATA_FORMAT', `${source} says that it has ${rowCount} rows; at most ${MOST_ROWS} are read.`, { details: { file: source } })
  const { chosen, ticker, choices } = chooseColumns(metadata, source)
  if (ticker !== null) await damaged(source, () => refuseSeveralTickers(file, metadata, ticker, source))
  const rows = new GrowingColumns(chosen.some(({ column }) => column === 'adjclose'))
  for (const group of metadata.row_groups) {
    const from = rows.count
    const rowEnd = Math.min(rowCount - rows.dropped, from + Number(group.num_rows))
    // Without a watcher all rows stay: room for them is made once. With one they may, and then each of many small groups must not copy them all.
    const room = onRows === undefined ? rowCount : Math.min(rowCount - rows.dropped, 2 * rows.capacity)
    if (rowEnd > rows.capacity) rows.reserve(Math.max(rowEnd, room))
    for (const part of chosen) await damaged(source, () => readColumn(file, metadata, part, rows, rowEnd, source))
    for (let row = from; row < rowEnd; row += 1) {
      const problem = problemOfRow(rows.columns, row, rows.hasAdjclose)
      if (problem !== null) throw bad('DATA_INVALID', source, rows.dropped + row, problem)
    }
    rows.count = rowEnd
    if (onRows !== undefined) rows.drop(onRows(rows.written()))
  }
  const columns = rows.written()
  const { dropped } = rows
  const backwards = dropped === 0 && runsBackwards(columns.time)
  const disorder = problemOfOrder(columns.time, (row) => `row ${dropped + row + 1}`, backwards)
  if (disorder !== null) throw bad('DATA_ORDER', source, dropped + disorder.row, disorder)
  const warnings = choices.map((text) => `${source} ${text}`)
  if (backwards) {
    turnRound(columns)
    warnings.push(`The rows of ${source} run from new to old and were turned round.`)
  }
  if (!chosen.some(({ column }) => column === 'volume')) warnings.push(`${source} has no volume; it counts as 0.`)
  return { columns, warnings }
}

interface ChosenColumn {
  readonly element: SchemaElement
  readonly column: ColumnName
}

interface Chosen {
  readonly chosen: readonly ChosenColumn[]
  /** The column that tells rows of several tickers apart. */
  readonly ticker: SchemaElement | null
  readonly choices: readonly string[]
}

function chooseColumns(metadata: FileMetaData, source: string): Chosen {
  const flat = parquetSchema(metadata).children.filter(({ children }) => children.length === 0).map(({ element }) => element)
  const names = flat.map(({ name }) => (name === PANDAS_INDEX ? 'index' : name))
  // An index without a name stands last, and is the time only where nothing else is.
  const index = names.indexOf('index')
  if (index > 0) {
    flat.unshift(...flat.splice(index, 1))
    names.unshift(...names.splice(index, 1))
  }
  const { fields, missing, choices } = columnsOfNames(names, null)
  if (missing.length > 0) {
    throw new SweepmillError('DATA_FORMAT', `${source} is not a Parquet file of bars that is understood: it has the columns ${flat.map(({ name }) => JSON.stringify(name)).join(', ').slice(0, 200)}, and none for ${missing.join(', ')}. Name them time, open, high, low, close, volume.`, { details: { file: source } })
  }
  const chosen = flat.flatMap((element, i) => {
    const column = fields[i]
    return column === null || column === undefined || column === 'clock' || column === 'ticker' ? [] : [{ element, column }]
  })
  // Of a CSV flags may say another; here the column that is not wanted has to go.
  return { chosen, ticker: flat[fields.indexOf('ticker')] ?? null, choices: choices.map((text) => text.replace(/ Name another with .*$/, ' Rename or drop the one that is not meant.')) }
}

/** Rows of several tickers would repeat times, or pass for one market. Throws DATA_FORMAT with their names. */
async function refuseSeveralTickers(file: AsyncBuffer, metadata: FileMetaData, { name }: SchemaElement, source: string): Promise<void> {
  const tickers = new Set<string>()
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    await parquetRead({
      file, metadata, columns: [name], rowStart, rowEnd, compressors, parsers: PARSERS,
      onChunk: ({ columnData }) => { for (const value of columnData) if (tickers.size < MOST_TICKERS) tickers.add(String(value)) },
    })
    rowStart = rowEnd
  }
  if (tickers.size > 1) throw severalTickers(tickers, source, 'Write those of one ticker to a file of their own.')
}

/** The rows behind those that are there already, up to `rowEnd`. */
async function readColumn(file: AsyncBuffer, metadata: FileMetaData, { element, column }: ChosenColumn, rows: GrowingColumns, rowEnd: number, source: string): Promise<void> {
  const { dropped, count } = rows
  const into = rows.columns[column]
  const valueOf = column === 'time' ? timeReader(element) : numberOf
  let problem: SweepmillError | null = null
  await parquetRead({
    file, metadata, columns: [element.name], rowStart: dropped + count, rowEnd: dropped + rowEnd, compressors, parsers: PARSERS,
    // hyparquet drops what a callback throws.
    onChunk: ({ columnData, rowStart }) => {
      const wrong = problem === null ? copyValues(columnData, into.subarray(rowStart - dropped), valueOf) : -1
      if (wrong >= 0) problem = unreadable(columnData[wrong], source, rowStart + wrong, column)
    },
  })
  if (problem !== null) throw problem as SweepmillError
}

/** The first value that is no number, or -1. */
function copyValues(data: DecodedArray, into: Float64Array, valueOf: (value: unknown) => number): number {
  for (let i = 0; i < data.length; i += 1) {
    const value = valueOf(data[i])
    if (!Number.isFinite(value)) return i
    into[i] = value
  }
  return -1
}

function unreadable(found: unknown, source: string, row: number, column: ColumnName): SweepmillError {
  const text = found === null || found === undefined ? 'nothing' : typeof found === 'object' ? 'an object' : String(found as string | bigint)
  return bad('DATA_INVALID', source, row, { what: `has ${text.slice(0, 200)} as ${column}, which is ${column === 'time' ? `not a time; write a timestamp, ${TIME_FORMS}` : 'not a number'}`, column, value: text })
}

/** A timestamp or date has been made milliseconds; whole numbers tell their unit by their size, texts are read as a CSV's. */
function timeReader({ converted_type: converted, logical_type: logical, type }: SchemaElement): (value: unknown) => number {
  const isTimestamp = logical?.type === 'TIMESTAMP' || logical?.type === 'DATE' || converted === 'DATE'
    || converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS' || type === 'INT96'
  if (isTimestamp) return (value) => (typeof value === 'number' && Math.abs(value) < FARTHEST_MS ? value : Number.NaN)
  return (value) => {
    if (typeof value === 'number') return timeOfNumber(value)
    // 20200102093000123 is more than a double holds.
    if (typeof value === 'bigint' && !(value >= MOST_OF_EPOCHS && value < 10n ** 17n)) return timeOfNumber(Number(value))
    if (typeof value !== 'string' && typeof value !== 'bigint') return Number.NaN
    const bytes = new TextEncoder().encode(String(value))
    return parseTime(bytes, 0, bytes.length)
  }
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}

async function damaged<T>(source: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof SweepmillError) throw cause
    throw new SweepmillError('DATA_FORMAT', `${source} cannot be read as Parquet: ${cause instanceof Error ? cause.message : String(cause)}. Write it anew, or as CSV.`, { cause, details: { file: source } })
  }
}

function bad(code: ErrorCode, source: string, row: number, { what, column, value }: RowProblem): SweepmillError {
  return new SweepmillError(code, `${source}, row ${row + 1} ${what}. Correct or remove the row.`, { details: { file: source, row: row + 1, column, value: value.slice(0, 200) } })
}
