/**
 * Which kind of CSV a file is: its separator, whether it has a header, and which field holds which column.
 *
 * With a header the names decide, in any order, unknown ones ignored. Without one the number of fields decides:
 * 12 is a Binance kline dump, 7 a Bybit one, 6 and 5 are time, open, high, low, close and maybe volume.
 */
import { SweepmillError } from '../base/errors.js'
import type { ColumnName } from './layout.js'
import { textOf } from './parse-number.js'

export interface CsvFormat {
  readonly separator: number
  readonly hasHeader: boolean
  /** Column of each field, or null for a field that is passed over. */
  readonly fields: readonly (ColumnName | null)[]
  readonly hasVolume: boolean
  readonly hasAdjclose: boolean
}

const NAMES: Readonly<Record<ColumnName, readonly string[]>> = {
  time: ['date', 'datetime', 'time', 'timestamp', 'opentime', 'starttime', 'start', 'openTime', 'unix', 't'],
  open: ['open', 'o', 'openprice'],
  high: ['high', 'h', 'highprice'],
  low: ['low', 'l', 'lowprice'],
  close: ['close', 'c', 'last', 'closeprice'],
  volume: ['volume', 'v', 'vol', 'basevolume'],
  adjclose: ['adjclose', 'adjustedclose', 'closeadj'],
}
/** pandas writes its index under an empty name, under "index" after reset_index, and reads it back as "Unnamed: 0". */
const INDEX_NAMES: ReadonlySet<string> = new Set(['', 'index', 'unnamed'])
const REQUIRED: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close']
const BARE: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close', 'volume']
const SEPARATORS = [',', ';', '\t']

/** Looks at the first line, `bytes[from, to)`. Throws DATA_FORMAT with what was found and what is understood. */
export function detectFormat(bytes: Uint8Array, from: number, to: number, source: string): CsvFormat {
  refuseOtherKinds(bytes, source)
  const line = textOf(bytes, from, Math.min(to, from + 4096))
  if (line.includes('\u0000') || line.includes('\uFFFD')) throw refuse(source, 'it is not text')
  const separator = SEPARATORS.reduce((best, one) => (cellsOf(line, one).length > cellsOf(line, best).length ? one : best), ',')
  const cells = cellsOf(line, separator)
  const isNumber = (cell: string): boolean => cell !== '' && Number.isFinite(Number(cell))
  // A row of data has a number in its second field; a header never has.
  const hasHeader = cells.length < 2 || !isNumber(cells[1] ?? '')
  const fields = hasHeader ? byName(cells, source) : byCount(cells.length, source)
  return {
    separator: separator.charCodeAt(0), hasHeader, fields,
    hasVolume: fields.includes('volume'), hasAdjclose: fields.includes('adjclose'),
  }
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

function refuseOtherKinds(bytes: Uint8Array, source: string): void {
  for (const [kind, advice, magic] of OTHER_KINDS) {
    if (magic.some((byte, i) => bytes[i] !== byte)) continue
    throw new SweepmillError('DATA_FORMAT', `${source} is ${kind}, not plain CSV text. ${advice}`, { details: { file: source, line: 1, kind } })
  }
}

/** A quoted cell may hold the separator. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (const character of line) {
    if (character === '"') quoted = !quoted
    else if (character === separator && !quoted) {
      cells.push(cell.trim())
      cell = ''
    } else cell += character
  }
  return [...cells, cell.trim()]
}

/** Which column each name stands for, and the required ones that none does. */
export function columnsByName(cells: readonly string[]): { fields: (ColumnName | null)[]; missing: ColumnName[] } {
  const names = cells.map((cell) => cell.toLowerCase().replace(/[^a-z]/g, ''))
  const fields: (ColumnName | null)[] = cells.map(() => null)
  for (const column of Object.keys(NAMES) as ColumnName[]) {
    let at = -1
    for (const alias of NAMES[column]) {
      at = names.indexOf(alias.toLowerCase())
      if (at >= 0) break
    }
    if (at < 0 && column === 'time' && INDEX_NAMES.has(names[0] ?? '')) at = 0
    if (at >= 0) fields[at] = column
  }
  return { fields, missing: REQUIRED.filter((column) => !fields.includes(column)) }
}

function byName(cells: readonly string[], source: string): (ColumnName | null)[] {
  const { fields, missing } = columnsByName(cells)
  if (missing.length > 0) {
    throw refuse(source, `its first line names ${cells.map((cell) => JSON.stringify(cell)).join(', ').slice(0, 200)}, and no column for ${missing.join(', ')}`)
  }
  return fields
}

function byCount(count: number, source: string): (ColumnName | null)[] {
  if (![5, 6, 7, 12].includes(count)) throw refuse(source, `its first line has ${count} fields and no header`)
  return Array.from({ length: count }, (_, i) => BARE[i] ?? null)
}

function refuse(source: string, why: string): SweepmillError {
  return new SweepmillError('DATA_FORMAT', `${source} is not a CSV of bars that is understood: ${why}. Give it a header such as date,open,high,low,close,volume.`, { details: { file: source, line: 1 } })
}
