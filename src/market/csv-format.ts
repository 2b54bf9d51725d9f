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
const REQUIRED: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close']
const BARE: readonly ColumnName[] = ['time', 'open', 'high', 'low', 'close', 'volume']
const SEPARATORS = [',', ';', '\t']

/** Looks at the first line, `bytes[from, to)`. Throws DATA_FORMAT with what was found and what is understood. */
export function detectFormat(bytes: Uint8Array, from: number, to: number, source: string): CsvFormat {
  const line = textOf(bytes, from, Math.min(to, from + 4096))
  if (line.includes('\u0000') || line.includes('\uFFFD')) throw refuse(source, 'it is not text')
  const separator = SEPARATORS.reduce((best, one) => (line.split(one).length > line.split(best).length ? one : best), ',')
  const cells = line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
  const isNumber = (cell: string): boolean => cell !== '' && Number.isFinite(Number(cell))
  // A row of data has a number in its second field; a header never has.
  const hasHeader = cells.length < 2 || !isNumber(cells[1] ?? '')
  const fields = hasHeader ? byName(cells, source) : byCount(cells.length, source)
  return {
    separator: separator.charCodeAt(0), hasHeader, fields,
    hasVolume: fields.includes('volume'), hasAdjclose: fields.includes('adjclose'),
  }
}

function byName(cells: readonly string[], source: string): (ColumnName | null)[] {
  const names = cells.map((cell) => cell.toLowerCase().replace(/[^a-z]/g, ''))
  const fields: (ColumnName | null)[] = cells.map(() => null)
  for (const column of Object.keys(NAMES) as ColumnName[]) {
    let at = -1
    for (const alias of NAMES[column]) {
      at = names.indexOf(alias.toLowerCase())
      if (at >= 0) break
    }
    // pandas writes its index under an empty name.
    if (at < 0 && column === 'time' && cells[0] === '') at = 0
    if (at >= 0) fields[at] = column
  }
  const missing = REQUIRED.filter((column) => !fields.includes(column))
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
