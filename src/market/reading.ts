/**
 * How a file of bars is to be read where the file does not say it: what stands under `reading` in a spec, and what the
 * flags --ticker, --date-format, --columns, --decimal and --skip-bad make. All doors take this one form.
 */
import { SweepmillError } from '../base/errors.js'
import { compileDateFormat } from './date-format.js'

/** Columns that may be named: `date` and `time` are day and time of day where both are given, else each is the time. */
export const COLUMN_KEYS = ['date', 'time', 'open', 'high', 'low', 'close', 'volume', 'adjclose', 'ticker'] as const
export type ColumnKey = (typeof COLUMN_KEYS)[number]

export interface Reading {
  /** Which of several tickers in the file. */
  readonly ticker?: string
  /** Such as MM/DD/YYYY; see date-format.ts. */
  readonly date_format?: string
  /** Header of each column that has a name of its own; an empty one: the file has no such column. */
  readonly columns?: Readonly<Partial<Record<ColumnKey, string>>>
  /** The sign before decimals: a point unless it is said. */
  readonly decimal?: '.' | ','
  /** Leave rows out that cannot be bars: true for a tenth at most, or the share itself. */
  readonly skip_bad?: boolean | number
}

const KEYS = ['ticker', 'date_format', 'columns', 'decimal', 'skip_bad']

/** Throws SPEC_INVALID with the path of what is wrong. */
export function parseReading(raw: unknown, path = 'reading'): Reading {
  const given = objectOf(raw, path)
  refuseUnknown(Object.keys(given), KEYS, path)
  const { ticker, date_format: format, columns, decimal, skip_bad: skipBad } = given
  if (ticker !== undefined && (typeof ticker !== 'string' || ticker === '')) throw invalid(`${path}.ticker`, ticker, 'the name of a ticker, such as "AAPL"')
  if (format !== undefined && typeof format !== 'string') throw invalid(`${path}.date_format`, format, 'a text such as "MM/DD/YYYY"')
  if (format !== undefined) compileDateFormat(format, `${path}.date_format`)
  if (decimal !== undefined && decimal !== '.' && decimal !== ',') throw invalid(`${path}.decimal`, decimal, '"." or ","')
  if (skipBad !== undefined && typeof skipBad !== 'boolean' && !(typeof skipBad === 'number' && skipBad >= 0 && skipBad < 1)) {
    throw invalid(`${path}.skip_bad`, skipBad, 'true, false or the share of rows that may be bad, from 0 to below 1')
  }
  if (columns !== undefined) {
    const named = objectOf(columns, `${path}.columns`)
    refuseUnknown(Object.keys(named), COLUMN_KEYS, `${path}.columns`)
    for (const [key, header] of Object.entries(named)) if (typeof header !== 'string') throw invalid(`${path}.columns.${key}`, header, 'the header of a column')
  }
  return given
}

function objectOf(raw: unknown, path: string): Record<string, unknown> {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>
  throw invalid(path, raw, 'an object such as {"date_format": "MM/DD/YYYY"}')
}

function refuseUnknown(keys: readonly string[], known: readonly string[], path: string): void {
  const unknown = keys.find((key) => !known.includes(key))
  if (unknown !== undefined) throw new SweepmillError('SPEC_INVALID', `Unknown key "${path}.${unknown}". Known here: ${known.join(', ')}.`, { details: { path: `${path}.${unknown}`, known } })
}

function invalid(path: string, value: unknown, what: string): SweepmillError {
  return new SweepmillError('SPEC_INVALID', `${path} is ${JSON.stringify(value)?.slice(0, 80)}, but must be ${what}.`, { details: { path } })
}
