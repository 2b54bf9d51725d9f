/** A finished backtest for people: the headline metrics, the benchmark, the years, warnings. The JSON has all of it. */
import { formatNumber, textPairs, textTable } from './text-table.js'
import type { Cell } from './text-table.js'

type Unit = 'percent' | 'fraction' | 'number'

/** Keys of the result in the order of interest; one that is absent is left out. */
const HEADLINE: readonly (readonly [key: string, label: string, unit: Unit])[] = [
  ['final_equity', 'final equity', 'number'],
  ['total_return', 'total return', 'percent'],
  ['buy_and_hold_return', 'buy and hold', 'percent'],
  ['cagr', 'CAGR', 'percent'],
  ['volatility', 'volatility', 'percent'],
  ['sharpe_ratio', 'Sharpe', 'number'],
  ['sortino_ratio', 'Sortino', 'number'],
  ['calmar_ratio', 'Calmar', 'number'],
  ['max_drawdown', 'max drawdown', 'percent'],
  ['exposure', 'exposure', 'fraction'],
  ['total_trades', 'trades', 'number'],
  ['win_rate', 'win rate', 'fraction'],
  ['profit_factor', 'profit factor', 'number'],
  ['fees_paid', 'fees paid', 'number'],
  ['funding_paid', 'funding paid', 'number'],
  ['interest_paid', 'interest paid', 'number'],
]

/** Nothing of a market without them. */
const ONLY_WHERE_PAID = new Set(['funding_paid', 'interest_paid'])

export function backtestSummary(result: unknown): string {
  const values = asRecord(result)
  const nullReasons = asRecord(values['null_reasons'])
  const pairs: (readonly [string, Cell])[] = whatRan(values)
  for (const [key, label, unit] of HEADLINE) {
    const value = values[key]
    if (value === 0 && ONLY_WHERE_PAID.has(key)) continue
    if (typeof value === 'number') pairs.push([label, inUnit(value, unit)])
    if (value === null) pairs.push([label, typeof nullReasons[key] === 'string' ? `- (${nullReasons[key]})` : '-'])
  }
  for (const position of [values['open_position'], ...listOf(values['open_positions'])].map(asRecord)) {
    if (typeof position['units'] !== 'number') continue
    pairs.push(['open position', `${formatNumber(position['units'])} units ${textOr(position['side'])} ${textOr(position['symbol'])}`.trimEnd()])
  }
  return [textPairs(pairs), ...symbolsOf(values), ...benchmarkOf(values), ...yearsOf(values), ...warningsOf(result)].join('\n')
}

/** The strategy with every parameter, those left to their defaults too, and the bars: what a figure is a figure of. */
function whatRan(values: Readonly<Record<string, unknown>>): (readonly [string, Cell])[] {
  const { name, params } = asRecord(values['strategy'])
  const settings = Object.entries(asRecord(params)).map(([key, value]) => `${key} ${String(value)}`)
  const span = ['start_time', 'end_time'].map((key) => textOr(values[key]))
  const [first, last] = span.every((time) => time.endsWith('T00:00:00Z')) ? span.map((time) => time.slice(0, -10)) : span
  return [
    ...(typeof name === 'string' ? [['strategy', [name, ...settings].join(', ')] as const] : []),
    ...(typeof values['bars'] === 'number' ? [['bars', `${formatNumber(values['bars'])}, ${first ?? ''} to ${last ?? ''}`] as const] : []),
  ]
}

/** Of a portfolio: what each symbol did. */
function symbolsOf(values: Readonly<Record<string, unknown>>): string[] {
  const rows = listOf(values['symbols']).map(asRecord).map((one): Cell[] => [
    textOr(one['symbol']), ...['total_trades', 'realized_pnl', 'unrealized_pnl', 'buy_and_hold_return'].map((key) => numberOr(one[key])),
  ])
  return rows.length === 0 ? [] : [textTable(['symbol', 'trades', 'realized', 'unrealized', 'buy and hold %'], rows, '  ')]
}

const BENCHMARK: readonly (readonly [key: string, label: string, unit: Unit])[] = [
  ['total_return', 'return', 'percent'], ['volatility', 'volatility', 'percent'], ['sharpe_ratio', 'Sharpe', 'number'], ['max_drawdown', 'max drawdown', 'percent'],
  ['correlation', 'correlation', 'number'], ['tracking_error', 'tracking error', 'percent'], ['information_ratio', 'information ratio', 'number'],
]

function benchmarkOf(values: Readonly<Record<string, unknown>>): string[] {
  const benchmark = asRecord(values['benchmark'])
  const cells = BENCHMARK.flatMap(([key, label, unit]) => (typeof benchmark[key] === 'number' ? [`${label} ${inUnit(benchmark[key], unit)}`] : []))
  return cells.length === 0 ? [] : [`  against ${benchmark['name'] === undefined || benchmark['name'] === 'buy_and_hold' ? 'buy and hold' : textOr(benchmark['name'])}:`, ...inLines(cells, 3, 24)]
}

const SHOWN_YEARS = 12

function yearsOf(values: Readonly<Record<string, unknown>>): string[] {
  const years = listOf(values['yearly_returns']).map(asRecord)
  if (years.length < 2) return []
  const cells = years.slice(-SHOWN_YEARS).map((year) => `${textOf(year['year'])} ${typeof year['return'] === 'number' ? `${year['return'].toFixed(1).padStart(7)} %` : '-'}`)
  const older = years.length > SHOWN_YEARS ? `, the last ${SHOWN_YEARS} of ${years.length}` : ''
  return [`  years${older}:`, ...inLines(cells, 4, 16)]
}

function inLines(cells: readonly string[], columns: number, width: number): string[] {
  const lines: string[] = []
  for (let at = 0; at < cells.length; at += columns) lines.push(`    ${cells.slice(at, at + columns).map((cell) => cell.padEnd(width)).join(' ')}`.trimEnd())
  return lines
}

export function warningsOf(result: unknown): string[] {
  const warnings = asRecord(result)['warnings']
  return Array.isArray(warnings) ? warnings.map((warning) => `  ! ${String(warning)}`) : []
}

export function inUnit(value: number, unit: Unit): string {
  if (unit === 'percent') return `${formatNumber(round(value, 2))} %`
  if (unit === 'fraction') return `${formatNumber(round(100 * value, 2))} %`
  return formatNumber(value)
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string { return typeof value === 'number' || typeof value === 'string' ? String(value) : '' }

function textOr(value: unknown): string { return typeof value === 'string' ? value : '' }

function numberOr(value: unknown): number | null { return typeof value === 'number' ? value : null }

function listOf(value: unknown): readonly unknown[] { return Array.isArray(value) ? value : [] }

function round(value: number, digits: number): number {
  const scale = 10 ** digits
  return Math.round(value * scale) / scale
}
