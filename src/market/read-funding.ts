/**
 * Funding rates of a perpetual from a CSV, as exchanges publish them: a time and a rate a row, by the names of the header or,
 * without one, in this order. Small files: three rates a day. Throws DATA_EMPTY, DATA_FORMAT, DATA_INVALID, DATA_ORDER.
 */
import { SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { isInSpan } from '../base/time-span.js'
import { parseNumber } from './parse-number.js'
import { parseTime, TIME_FORMS } from './parse-time.js'

export interface FundingRate {
  readonly timeMs: number
  /** Fraction of the notional that longs pay to shorts. */
  readonly rate: number
}

const TIME_NAMES = ['time', 'timestamp', 'date', 'datetime', 'fundingtime', 'fundingratetimestamp', 'calctime']
const RATE_NAMES = ['rate', 'fundingrate', 'lastfundingrate', 'funding']

/** Oldest first, whichever way the file runs. `source` names it in errors. */
export function parseFunding(bytes: Uint8Array, source: string): FundingRate[] {
  const lines = new TextDecoder().decode(bytes).replace(/^\uFEFF/, '').split(/\r?\n/)
  const first = lines.findIndex((line) => line.trim() !== '')
  if (first < 0) throw problem('DATA_EMPTY', source, 1, 'there is nothing in it')
  const cells = cellsOf(lines[first] ?? '')
  const names = cells.map((cell) => cell.toLowerCase().replace(/[^a-z]/g, ''))
  const hasHeader = Number.isNaN(timeOf(cells[0] ?? ''))
  const [timeAt, rateAt] = hasHeader ? [names.findIndex((name) => TIME_NAMES.includes(name)), names.findIndex((name) => RATE_NAMES.includes(name))] : [0, 1]
  if (timeAt < 0 || rateAt < 0) throw problem('DATA_FORMAT', source, first + 1, `its header names no ${timeAt < 0 ? `time (${TIME_NAMES.join(', ')})` : `rate (${RATE_NAMES.join(', ')})`}`)
  const rates: FundingRate[] = []
  lines.forEach((line, i) => {
    if (i < first + (hasHeader ? 1 : 0) || line.trim() === '') return
    const row = cellsOf(line)
    const timeMs = timeOf(row[timeAt] ?? '')
    if (!isInSpan(timeMs)) throw problem('DATA_INVALID', source, i + 1, `${JSON.stringify(row[timeAt] ?? '')} is not a time; write ${TIME_FORMS}`)
    const text = new TextEncoder().encode(row[rateAt] ?? '')
    const rate = parseNumber(text, 0, text.length)
    if (!(Math.abs(rate) < 1)) throw problem('DATA_INVALID', source, i + 1, `${JSON.stringify(row[rateAt] ?? '')} is not a rate between -1 and 1; 0.0001 is 0.01 %`)
    rates.push({ timeMs, rate })
  })
  if (rates.length === 0) throw problem('DATA_EMPTY', source, first + 1, 'it has a header but no row of data')
  if ((rates[0]?.timeMs ?? 0) > (rates.at(-1)?.timeMs ?? 0)) rates.reverse()
  const wrong = rates.findIndex(({ timeMs }, i) => i > 0 && timeMs <= (rates[i - 1]?.timeMs ?? -Infinity))
  if (wrong >= 0) throw problem('DATA_ORDER', source, null, `the time ${new Date(rates[wrong]?.timeMs ?? 0).toISOString()} stands twice or out of order`)
  return rates
}

function cellsOf(line: string): string[] {
  return line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
}

function timeOf(text: string): number {
  const bytes = new TextEncoder().encode(text)
  return parseTime(bytes, 0, bytes.length)
}

function problem(code: ErrorCode, source: string, line: number | null, what: string): SweepmillError {
  return new SweepmillError(code, `${source}${line === null ? '' : `, line ${line}`}: ${what}. A file of funding rates has rows such as 2024-01-01T08:00:00Z,0.0001.`, { details: { file: source, ...(line === null ? {} : { line }) } })
}
