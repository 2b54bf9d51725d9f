/** A finished backtest for people: the headline metrics, the benchmark, the years, warnings. The JSON has all of it. */
import { formatNumber, textPairs } from './text-table.js'
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
  ['bars', 'bars', 'number'],
]

export function backtestSummary(result: unknown): string {
  const values = asRecord(result)
  const nullReasons = asRecord(values['null_reasons'])
  const pairs = HEADLINE.flatMap(([key, label, unit]): (readonly [string, Cell])[] => {
    const value = values[key]
    if (typeof value === 'number') return [[label, inUnit(value, unit)]]
    if (value === null) return [[label, typeof nullReasons[key] === 'string' ? `- (${nullReasons[key]})` : '-']]
    return []
  })
  const position = asRecord(values['open_position'])
  if (typeof position['units'] === 'number') pairs.push(['open position', `${formatNumber(position['units'])} units ${textOr(position['side'])}`.trimEnd()])
  return [textPairs(pairs), ...benchmarkOf(values), ...yearsOf(values), ...warningsOf(result)].join('\n')
}

const BENCHMARK: readonly (readonly [key: string, label: string, unit: Unit])[] = [
  ['total_return', 'return', 'percent'], ['volatility', 'volatility', 'percent'], ['sharpe_ratio', 'Sharpe', 'number'], ['max_drawdown', 'max drawdown', 'percent'],
  ['correlation', 'correlation', 'number'], ['tracking_error', 'tracking error', 'percent'], ['information_ratio', 'information ratio', 'number'],
]

function benchmarkOf(values: Readonly<Record<string, unknown>>): string[] {
  const benchmark = asRecord(values['benchmark'])
  const cells = BENCHMARK.flatMap(([key, label, unit]) => (typeof benchmark[key] === 'number' ? [`${label} ${inUnit(benchmark[key], unit)}`] : []))
  return cells.length === 0 ? [] : ['  against buy and hold:', ...inLines(cells, 3, 24)]
}

const SHOWN_YEARS = 12

function yearsOf(values: Readonly<Record<string, unknown>>): string[] {
  const years = Array.isArray(values['yearly_returns']) ? values['yearly_returns'].map(asRecord) : []
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

function round(value: number, digits: number): number {
  const scale = 10 ** digits
  return Math.round(value * scale) / scale
}
