/**
 * Several tickers in one file. Beside each other, as yfinance writes them, the header has more lines: of the tickers, above
 * or below that of the columns, and of the index's name. Under each other, a column tells them apart.
 */
import { SweepmillError } from '../base/errors.js'
import { isTimeName, nameOf } from './column-names.js'

const LISTED = 20

export interface TickerLines {
  /** Ticker of each column. */
  readonly tickers: readonly string[]
  /** Lines above and below that of the columns which belong to it. */
  readonly above: number
  readonly below: number
  /** The header, with its first cell named as what it is. */
  readonly timeNamed: (cells: readonly string[]) => readonly string[]
}

/** What the lines around one say, where they belong to it; else null. */
export function tickerLines(lineAt: (at: number) => readonly string[] | undefined, at: number): TickerLines | null {
  const cells = lineAt(at) ?? []
  const isOfTickers = (line: readonly string[] | undefined): line is readonly string[] => line !== undefined && line.length === cells.length && line.length > 1
    && ['', 'ticker', 'tickers', 'symbol', 'symbols'].includes(nameOf(line[0] ?? '')) && line.slice(1).every((cell) => cell !== '' && !Number.isFinite(Number(cell)))
  const isOfIndex = (line: readonly string[] | undefined): boolean => line !== undefined && line.length > 1 && isTimeName(nameOf(line[0] ?? '')) && line.slice(1).every((cell) => cell === '')
  const timeNamed = (header: readonly string[]): readonly string[] => ['time', ...header.slice(1)]
  const below = lineAt(at + 1)
  if (['', 'price', 'attributes'].includes(nameOf(cells[0] ?? '')) && isOfTickers(below)) return { tickers: below, above: 0, below: isOfIndex(lineAt(at + 2)) ? 2 : 1, timeNamed }
  const above = lineAt(at - 1)
  const byTicker = isOfTickers(above) && ['', 'price', 'attributes', 'date', 'datetime'].includes(nameOf(cells[0] ?? ''))
  if (byTicker) return { tickers: above, above: 1, below: isOfIndex(below) ? 1 : 0, timeNamed }
  return null
}

/** The header with the columns of other tickers unnamed. Throws DATA_FORMAT where it is not clear which is meant. */
export function columnsOfTicker(names: readonly string[], tickers: readonly string[], wanted: string | undefined, source: string): readonly string[] {
  const all = [...new Set(tickers.slice(1))]
  if (wanted === undefined && all.length > 1) throw severalTickers(all, source)
  if (wanted !== undefined && !all.includes(wanted)) throw noSuchTicker(wanted, all, source)
  return names.map((name, k) => (k === 0 || tickers[k] === (wanted ?? all[0]) ? name : '-'))
}

export function severalTickers(tickers: Iterable<string>, source: string, advice?: string): SweepmillError {
  const all = [...tickers]
  return new SweepmillError('DATA_FORMAT', `${source} has bars of several tickers: ${listed(all)}. ${advice ?? `Say which one with --ticker ${all[0]} (reading.ticker in a spec).`}`, { details: { file: source, tickers: all.slice(0, 1000) } })
}

export function noSuchTicker(wanted: string, tickers: Iterable<string>, source: string): SweepmillError {
  const all = [...tickers]
  return new SweepmillError('DATA_EMPTY', `${source} has no bar of the ticker ${JSON.stringify(wanted)}, but of ${listed(all)}.`, { details: { file: source, tickers: all.slice(0, 1000) } })
}

function listed(all: readonly string[]): string {
  return `${all.slice(0, LISTED).map((name) => (name === '' ? '""' : name)).join(', ')}${all.length > LISTED ? ` and ${all.length - LISTED} more` : ''}`
}
