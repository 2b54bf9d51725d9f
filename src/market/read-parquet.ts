/**
 * A Parquet file of bars to columns, with pieces of hyparquet: a row group at a time and of it one column, so that besides the columns
 * only a piece of one is in memory. The names of columns are those of a CSV's header; every row is checked like a CSV's.
 */
import { unzipSync } from 'node:zlib'
import { parquetSchema } from 'hyparquet'
import type { AsyncBuffer, DecodedArray, FileMetaData, ParquetParsers, RowGroup, SchemaElement, SchemaTree, Statistics } from 'hyparquet'
import { compressors as packed, decompressZstd } from 'hyparquet-compressors'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { machineTrouble, SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { problemOfOrder, problemOfRow, runsBackwards, turnRound } from './check-rows.js'
import type { RowProblem } from './check-rows.js'
import { chooseColumns as columnsOfNames } from './column-names.js'
import { DataRoom } from './data-room.js'
import { GrowingColumns } from './growing-columns.js'
import type { ColumnName } from './layout.js'
import { readChunk, UnpackAllowance } from './parquet-column.js'
import { placeOf, readFooter, ReadPlaces, topColumns } from './parquet-footer.js'
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

const ALL_PARSERS: ParquetParsers = { ...DEFAULT_PARSERS, ...PARSERS }
/** Into as much room as the page's header says, and no more; Node.js's gzip verifies the checksum, too. */
const compressors = {
  ...packed,
  GZIP: (input: Uint8Array, length: number) => unzipSync(input, { maxOutputLength: length }),
  ZSTD: (input: Uint8Array, length: number) => decompressZstd(input, new Uint8Array(length)),
}

/** `file` reads ranges of the file; `source` names it; `alive` is called now and then. Throws DATA_EMPTY, _FORMAT, _INVALID, _ORDER, _TOO_LARGE. */
export async function readParquet(file: AsyncBuffer, source: string, onRows?: RowWatcher, dataRoom = new DataRoom(), alive: () => void = () => undefined): Promise<ReadBars> {
  const { metadata, dataEnd } = await damaged(source, '', () => readFooter(file, PARSERS))
  const rowCount = Number(metadata.num_rows)
  if (rowCount === 0) throw new SweepmillError('DATA_EMPTY', `${source} has columns but no row of data.`, { details: { file: source } })
  if (!(rowCount <= MOST_ROWS)) throw new SweepmillError('DATA_FORMAT', `${source} says that it has ${rowCount} rows; at most ${MOST_ROWS} are read.`, { details: { file: source } })
  const { chosen, ticker, choices } = chooseColumns(metadata, source)
  const rows = new GrowingColumns(chosen.some(({ column }) => column === 'adjclose'), dataRoom)
  const opened = { file, source, dataEnd, root: parquetSchema(metadata), places: new ReadPlaces(), allowance: new UnpackAllowance(file.byteLength), alive }
  if (ticker !== null) await refuseSeveralTickers(opened, metadata, ticker)
  for (const [i, group] of metadata.row_groups.entries()) {
    const from = rows.count
    const rowEnd = from + Number(group.num_rows)
    // Without a watcher all rows stay: room for them is made once. With one they may, and then each of many small groups must not copy them all.
    const room = onRows === undefined ? rowCount : Math.min(rowCount - rows.dropped, 2 * rows.capacity)
    if (rowEnd > rows.capacity) rows.reserve(Math.max(rowEnd, room), rowEnd)
    for (const part of chosen) await readColumn(opened, i, group, part, rows)
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
  if (disorder !== null) throw bad(disorder.code, source, dropped + disorder.row, disorder)
  const warnings = choices.map((text) => `${source} ${text}`)
  if (backwards) {
    turnRound(columns)
    warnings.push(`The rows of ${source} run from new to old and were turned round.`)
  }
  if (!chosen.some(({ column }) => column === 'volume')) warnings.push(`${source} has no volume; it counts as 0.`)
  return { columns, warnings }
}

interface ChosenColumn {
  readonly node: SchemaTree
  readonly column: ColumnName
}

interface Chosen {
  readonly chosen: readonly ChosenColumn[]
  /** The column that tells rows of several tickers apart. */
  readonly ticker: SchemaTree | null
  readonly choices: readonly string[]
}

function chooseColumns(metadata: FileMetaData, source: string): Chosen {
  const flat = topColumns(metadata)
  const names = flat.map(({ element: { name } }) => (name === PANDAS_INDEX ? 'index' : name))
  // An index without a name stands last, and is the time only where nothing else is.
  const index = names.indexOf('index')
  if (index > 0) {
    flat.unshift(...flat.splice(index, 1))
    names.unshift(...names.splice(index, 1))
  }
  const { fields, missing, choices } = columnsOfNames(names, null)
  if (missing.length > 0) {
    throw new SweepmillError('DATA_FORMAT', `${source} is not a Parquet file of bars that is understood: it has the columns ${flat.map(({ element }) => JSON.stringify(element.name)).join(', ').slice(0, 200)}, and none for ${missing.join(', ')}. Name them time, open, high, low, close, volume.`, { details: { file: source } })
  }
  const chosen = flat.flatMap((node, i) => {
    const column = fields[i]
    return column === null || column === undefined || column === 'clock' || column === 'ticker' ? [] : [{ node, column }]
  })
  // Of a CSV flags may say another; here the column that is not wanted has to go.
  return { chosen, ticker: flat[fields.indexOf('ticker')] ?? null, choices: choices.map((text) => text.replace(/ Name another with .*$/, ' Rename or drop the one that is not meant.')) }
}

/** Rows of several tickers would repeat times, or pass for one market. Throws DATA_FORMAT with their names. */
async function refuseSeveralTickers(opened: OpenedFile, metadata: FileMetaData, node: SchemaTree): Promise<void> {
  const tickers = new Set<string>()
  for (const [i, group] of metadata.row_groups.entries()) {
    await readPages(opened, i, group, node, (values) => { for (const value of values) if (tickers.size < MOST_TICKERS) tickers.add(String(value)) })
  }
  if (tickers.size > 1) throw severalTickers(tickers, opened.source, 'Write those of one ticker to a file of their own.')
}

interface OpenedFile {
  readonly file: AsyncBuffer
  readonly source: string
  readonly dataEnd: number
  readonly root: SchemaTree
  readonly places: ReadPlaces
  readonly allowance: UnpackAllowance
  readonly alive: () => void
}

/** The values of one column of a group, page by page, and then `check` of what the file says of them. */
function readPages({ file, source, dataEnd, root, places, allowance, alive }: OpenedFile, i: number, group: RowGroup, node: SchemaTree,
  take: (values: DecodedArray, from: number) => void, check: (statistics: Statistics | undefined) => void = () => undefined): Promise<void> {
  const { element, path } = node
  return damaged(source, `, row group ${i + 1}, column ${JSON.stringify(element.name)},`, async () => {
    const place = placeOf(group, node, dataEnd)
    places.add(place)
    const { type, codec, statistics } = place.metadata
    const decoder = { pathInSchema: path, type, element, schemaPath: [root, node], codec, parsers: ALL_PARSERS, compressors }
    readChunk(await file.slice(place.start, place.end), Number(group.num_rows), decoder, allowance, (values, from) => {
      alive()
      take(values, from)
    })
    check(statistics)
  })
}

/** The rows of the group, behind those that are there already. */
async function readColumn(opened: OpenedFile, i: number, group: RowGroup, { node, column }: ChosenColumn, rows: GrowingColumns): Promise<void> {
  const { dropped, count } = rows
  const into = rows.columns[column]
  const valueOf = column === 'time' ? timeReader(node.element) : numberOf
  await readPages(opened, i, group, node, (values, from) => {
    const wrong = copyValues(values, into.subarray(count + from), valueOf)
    if (wrong >= 0) throw unreadable(values[wrong], opened.source, dropped + count + from + wrong, column)
  }, (statistics) => {
    const [least, most] = [valueOf(statistics?.min_value), valueOf(statistics?.max_value)]
    const last = count + Number(group.num_rows)
    for (let row = count; row < last; row += 1) {
      if (into[row]! < least || into[row]! > most) throw new Error(`row ${dropped + row + 1} has ${into[row]!}, which is not between its least value ${least} and its greatest ${most}`)
    }
  })
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

async function damaged<T>(source: string, where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof SweepmillError) throw cause
    throw machineTrouble(cause) ?? new SweepmillError('DATA_FORMAT', `${source}${where} cannot be read as Parquet: ${cause instanceof Error ? cause.message : String(cause)}. Write it anew, or as CSV.`, { cause, details: { file: source } })
  }
}

function bad(code: ErrorCode, source: string, row: number, { what, column, value }: RowProblem): SweepmillError {
  return new SweepmillError(code, `${source}, row ${row + 1} ${what}. Correct or remove the row.`, { details: { file: source, row: row + 1, column, value: value.slice(0, 200) } })
}
