/** The report of one backtest: headline, equity and drawdown, every metric, every trade, the conventions. */
import { executionFacts, identityFacts, warningList } from './conventions.js'
import { escapeHtml, facts, formatMetric, formatNumber, label, table } from './markup.js'
import type { Cell } from './markup.js'
import { renderPage } from './page.js'
import type { ReportAssets } from './page.js'
import { drawdown, thinOut } from './series.js'
import { span } from './sweep-report.js'

export interface BacktestReportInput {
  readonly taskId: string
  readonly source: string
  readonly spec: Readonly<Record<string, unknown>>
  readonly summary: Readonly<Record<string, unknown>>
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly close: Float64Array
  /** The trades as CSV, header first. */
  readonly tradesCsv: string
}

const HEADLINE = ['total_return', 'buy_and_hold_return', 'sharpe_ratio', 'max_drawdown', 'total_trades', 'win_rate', 'final_equity'] as const
const IDENTITY = ['data_hash', 'spec_hash', 'engine_version', 'seed'] as const
/** A result that came through jsonb has its keys by length; readers look for returns beside returns. What is not named here comes last. */
const ORDER = [
  'initial_cash', 'annual_return', 'cagr', 'volatility', 'sortino_ratio', 'calmar_ratio', 'omega_ratio', 'tail_ratio', 'alpha', 'beta',
  'avg_drawdown', 'max_drawdown_duration_bars', 'max_drawdown_duration_days', 'avg_drawdown_duration_bars', 'avg_drawdown_duration_days', 'ulcer_index',
  'value_at_risk', 'conditional_value_at_risk', 'skew', 'kurtosis',
  'best_trade', 'worst_trade', 'avg_trade', 'avg_trade_bars', 'longest_trade_bars', 'profit_factor', 'expectancy', 'sqn', 'kelly',
  'exposure', 'turnover', 'fees_paid', 'rejected_entries', 'bars',
]

export function renderBacktestReport(input: BacktestReportInput, assets: ReportAssets): string {
  const { summary, spec, time, equity, close } = input
  const strategy = spec['strategy'] as { name?: string; params?: Record<string, unknown> } | undefined
  const name = strategy?.name ?? ''
  const params = Object.entries(strategy?.params ?? {}).map(([key, value]) => `${key} ${String(value)}`).join(', ')
  const initial = Number((spec['execution'] as { initial_cash?: unknown } | undefined)?.initial_cash ?? equity[0] ?? 1)
  const shown = new Set<string>([...HEADLINE, ...IDENTITY])
  const place = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length)
  const rest = Object.entries(summary).filter(([key, value]) => !shown.has(key) && (typeof value === 'number' || (value === null && key !== 'open_position')))
    .sort(([a], [b]) => place(a) - place(b))
  const { periods_per_year: periods, periods_per_year_reason: reason, returns } = (summary['conventions'] ?? {}) as Record<string, unknown>
  const warnings = Array.isArray(summary['warnings']) ? summary['warnings'].map(String) : []
  const body = [
    `<h1>${escapeHtml(name)}${params === '' ? '' : `, ${escapeHtml(params)}`} on ${escapeHtml(input.source)}</h1>`,
    `<p class="soft">${formatNumber(equity.length, 0)} bars, ${span(time)}.</p>`,
    `<dl class="tiles">${HEADLINE.map((key) => `<div><dt>${label(key)}</dt><dd>${formatMetric(key, summary[key])}</dd></div>`).join('')}</dl>`,
    warningList(warnings),
    '<h2>Equity</h2><button class="toggle" id="log" type="button">Logarithmic</button><div class="chart" id="equity" data-log="0" role="img" aria-label="Equity and buy and hold"></div><div class="chart" id="drawdown" role="img" aria-label="Drawdown in percent"></div>',
    `<h2>Metrics</h2>${facts(rest.map(([key, value]) => [label(key), formatMetric(key, value)]))}`,
    `<h2>Trades</h2>${tradesTable(input.tradesCsv)}`,
    `<h2>How these numbers were made</h2>${identityFacts({ task: input.taskId, ...Object.fromEntries(IDENTITY.map((key) => [key.replaceAll('_', ' '), summary[key]])),
      'periods per year': periods, 'because': reason, 'returns': returns })}${executionFacts(spec)}`,
  ].join('\n')
  const hold = close.map((price) => (initial * price) / (close[0] ?? 1))
  return renderPage({
    title: `${name}: backtest`, body,
    data: { name, equity: thinOut(time, equity, [hold]), drawdown: thinOut(time, drawdown(equity), []) },
  }, assets)
}

function tradesTable(csv: string): string {
  const [header = '', ...lines] = csv.trim().split('\n')
  if (lines.length === 0) return '<p class="soft">No trade was closed.</p>'
  const headings = header.split(',')
  const rows = lines.map((line) => line.split(',').map((text, i): Cell => {
    const value = Number(text)
    const isText = text === '' || Number.isNaN(value)
    const heading = headings[i] ?? ''
    if (isText) return { html: escapeHtml(heading.endsWith('_time') ? text.replace('T', ' ').replace(/(:00)?(\.000)?Z$/, '').replace(/ 00:00$/, '') : text), sort: text, left: true }
    return { html: heading === 'return' ? formatNumber(value * 100) + '\u202f%' : formatNumber(value, heading.endsWith('_bar') ? 0 : 2), sort: value }
  }))
  return table(headings.map(label), rows, true)
}
