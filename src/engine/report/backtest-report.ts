/**
 * The report of one backtest: headline, equity over its drawdown, price with trades and indicators, calendar returns,
 * the shape of the trades, every metric, every trade, and how the numbers were made.
 */
import type { BarColumns } from '../../market/layout.js'
import { backtestCharts } from './backtest-charts.js'
import { BACKTEST_SCRIPT } from './backtest-script.js'
import { calendarReturns } from './calendar-returns.js'
import type { ChartGrid } from './chart-grid.js'
import { executionFacts, identityFacts, warningList } from './conventions.js'
import type { IndicatorRecord } from './indicator-record.js'
import { definitionList, metricSections, parityTable } from './metric-sections.js'
import { escapeHtml, formatExact, formatMetric, formatNumber, label } from './markup.js'
import { measuredRows } from './measured-rows.js'
import { monthTable } from './month-table.js'
import { renderPage } from './page.js'
import type { ReportAssets } from './page.js'
import { span } from './sweep-report.js'
import { symbolTable } from './symbol-table.js'
import { numbersOf, readTrades } from './trade-rows.js'
import type { TradeRows } from './trade-rows.js'
import { excursionSvg, histogram, histogramSvg, scatterShare } from './trade-shape.js'
import { tradeSplit, tradeTable } from './trade-table.js'

export interface BacktestReportInput {
  readonly taskId: string
  readonly source: string
  readonly spec: Readonly<Record<string, unknown>>
  readonly summary: Readonly<Record<string, unknown>>
  readonly time: Float64Array
  readonly equity: Float64Array
  /** What buying and holding is measured by: the closes, or an index of a portfolio's symbols. */
  readonly close: Float64Array
  /** Null for a portfolio, which has no one price. */
  readonly bars: BarColumns | null
  /** The trades as CSV, header first. */
  readonly tradesCsv: string
  /** The lines that the strategy looked at, on the grid that they are drawn on. */
  readonly indicators?: (grid: ChartGrid) => IndicatorRecord
}

const HEADLINE = ['total_return', 'buy_and_hold_return', 'sharpe_ratio', 'max_drawdown', 'total_trades', 'win_rate', 'final_equity'] as const
const IDENTITY = ['data_hash', 'spec_hash', 'engine_version', 'seed'] as const
const NO_LINES: IndicatorRecord = { lines: [], left: [], note: null }

export function renderBacktestReport(input: BacktestReportInput, assets: ReportAssets): string {
  const { summary, spec, time, equity } = input
  const { name, params } = strategyOf(spec)
  const initialCash = Number((spec['execution'] as { initial_cash?: unknown } | undefined)?.initial_cash ?? equity[0] ?? 1)
  const { periods_per_year: periods, periods_per_year_reason: reason, returns, risk_free: riskFree } = (summary['conventions'] ?? {}) as Record<string, unknown>
  const warnings = Array.isArray(summary['warnings']) ? summary['warnings'].map(String) : []
  const listed = readTrades(input.tradesCsv)
  const trades = input.bars === null ? listed : measuredRows(listed, input.bars, (spec['execution'] ?? {}) as Record<string, unknown>)
  let record = NO_LINES
  const made = backtestCharts({
    name, holdName: input.bars === null ? 'Equal weights' : 'Buy and hold', hold: input.close, time, equity, initialCash, trades, bars: input.bars,
    periodsPerYear: typeof periods === 'number' ? periods : 252, riskFree: typeof riskFree === 'number' ? riskFree : 0,
    indicators: (grid) => {
      record = input.indicators?.(grid) ?? NO_LINES
      return record.lines
    },
  })
  const { barsPerPoint } = made.charts
  const body = [
    `<h1>${escapeHtml(name)}${params === '' ? '' : `, ${params}`} on ${escapeHtml(input.source)}</h1>`,
    `<p class="soft">${formatNumber(equity.length, 0)} bars, ${span(time)}.</p>`,
    `<dl class="tiles">${HEADLINE.map((key) => `<div><dt>${label(key)}</dt><dd>${formatMetric(key, summary[key])}</dd></div>`).join('')}</dl>`,
    warningList(warnings),
    `<h2>Equity</h2><div class="bar"><p class="soft">Drag over a chart to look closer, double-click to see all.${barsPerPoint > 1 ? ` Each point is ${formatNumber(barsPerPoint, 0)} bars; the shade behind a line runs from their lowest to their highest value.` : ''}</p><button class="toggle" id="log" type="button">Logarithmic</button></div>`,
    '<div class="chart" id="equity" data-log="0" role="img" aria-label="Equity beside buying and holding"></div><div class="chart" id="drawdown" role="img" aria-label="Drawdown in percent"></div>',
    made.sharpeWindow === null ? '' : `<h3>Sharpe ratio of the last ${formatNumber(made.sharpeWindow, 0)} returns</h3><div class="chart" id="sharpe" role="img" aria-label="Rolling Sharpe ratio"></div>`,
    input.bars === null ? '' : priceSection(record, made.markedTrades, trades.rows.length),
    symbolTable(summary),
    `<h2>Returns by month</h2>${monthTable(calendarReturns(time, equity, initialCash))}`,
    `<h2>Trades</h2>${tradeSplit(trades)}${tradeShapes(trades)}`,
    `<h2>Metrics</h2>${metricSections(summary)}${definitionList(summary)}${parityTable(summary)}`,
    `<h2>Every trade</h2>${tradeTable(trades, true)}`,
    `<h2>How these numbers were made</h2>${identityFacts({ task: input.taskId, ...Object.fromEntries(IDENTITY.map((key) => [key.replaceAll('_', ' '), summary[key]])),
      'periods per year': periods, 'because': reason, 'returns': returns })}${executionFacts(spec)}`,
  ].join('\n')
  return renderPage({ title: `${name}: backtest`, body, data: made.charts, script: BACKTEST_SCRIPT }, assets)
}

function strategyOf(spec: BacktestReportInput['spec']): { name: string; params: string } {
  const { name = '', params = {} } = (spec['strategy'] ?? {}) as { name?: string; params?: Record<string, number | string | boolean> }
  return { name, params: Object.entries(params).map(([key, value]) => `${escapeHtml(key)} ${formatExact(value)}`).join(', ') }
}

function priceSection({ lines, left, note }: IndicatorRecord, marked: number, trades: number): string {
  const panels = [...new Set(lines.flatMap(({ panel }) => (panel === null ? [] : [panel])))]
  const said = [
    'Full triangles are entries, hollow ones exits; those that point up buy.',
    ...(marked < trades ? [`${formatNumber(marked, 0)} of ${formatNumber(trades, 0)} trades are marked: the first, the last, and the largest wins and losses.`] : []),
    ...(left.length > 0 ? [`Not drawn: ${left.map(escapeHtml).join('; ')}.`] : []),
    ...(note === null ? [] : [escapeHtml(note)]),
  ]
  return `<h2>Price</h2><p class="soft">${said.join(' ')}</p><div class="chart" id="price" role="img" aria-label="Price with trades and indicators"></div><p id="mark" aria-live="polite"></p>${
    panels.map((panel, i) => `<div class="chart panel" id="panel-${i}" data-panel="${escapeHtml(panel)}" role="img" aria-label="${escapeHtml(panel)}"></div>`).join('')}`
}

function tradeShapes(trades: TradeRows): string {
  const returns = numbersOf(trades, 'return')
  const shape = returns === null ? null : histogram(returns.map((value) => value * 100))
  if (returns === null || shape === null) return ''
  const mae = numbersOf(trades, 'mae'), mfe = numbersOf(trades, 'mfe')
  const excursions = mae === null || mfe === null ? '' : excursionSvg(mae, mfe, returns)
  return `<div class="pair"><div><h3>Returns of the trades</h3>${histogramSvg(shape, returns.length)}</div>${
    excursions === '' ? '' : `<div><h3>How far they went against and for (${scatterShare(returns.length)})</h3>${excursions}</div>`}</div>`
}
