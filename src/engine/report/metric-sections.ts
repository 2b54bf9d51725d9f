/**
 * Every figure of a summary, in sections a reader looks for, each with its unit and its definition on hover. Keys it
 * has never heard of find their place by their words and their format by their stated unit, so that a metric added to
 * the engine is in the report from the same day.
 */
import { DASH, escapeHtml, formatMetric, formatNumber, label, table } from './markup.js'
import type { Cell } from './markup.js'

type Summary = Readonly<Record<string, unknown>>

const SECTIONS = ['Returns', 'Risk', 'Drawdown', 'Trades', 'Costs', 'Benchmark', 'Run'] as const
type Section = (typeof SECTIONS)[number]

/** In the order of a reader's interest, not of the keys: a result that came through jsonb has its keys by length. */
const PLACES: Readonly<Record<Section, readonly string[]>> = {
  Returns: ['total_return', 'annual_return', 'cagr', 'final_equity', 'initial_cash', 'best_month', 'worst_month', 'best_year', 'worst_year'],
  Risk: ['sharpe_ratio', 'sortino_ratio', 'calmar_ratio', 'omega_ratio', 'tail_ratio', 'volatility', 'value_at_risk', 'conditional_value_at_risk', 'skew', 'kurtosis', 'probabilistic_sharpe_ratio'],
  Drawdown: ['max_drawdown', 'avg_drawdown', 'max_drawdown_duration_bars', 'max_drawdown_duration_days', 'avg_drawdown_duration_bars', 'avg_drawdown_duration_days', 'ulcer_index'],
  Trades: ['total_trades', 'win_rate', 'profit_factor', 'payoff_ratio', 'expectancy', 'sqn', 'kelly', 'exposure', 'rejected_entries',
    'best_trade', 'worst_trade', 'avg_trade', 'median_trade', 'avg_win', 'avg_loss', 'max_consecutive_wins', 'max_consecutive_losses',
    'long_trades', 'long_win_rate', 'long_pnl', 'short_trades', 'short_win_rate', 'short_pnl',
    'avg_trade_bars', 'avg_winning_trade_bars', 'avg_losing_trade_bars', 'longest_trade_bars', 'avg_mae', 'worst_mae', 'avg_mfe', 'best_mfe'],
  Costs: ['fees_paid', 'funding_paid', 'interest_paid', 'turnover'],
  Benchmark: ['buy_and_hold_return', 'alpha', 'beta',
    ...['total_return', 'excess_return', 'annual_return', 'cagr', 'volatility', 'sharpe_ratio', 'max_drawdown', 'correlation', 'tracking_error', 'information_ratio', 'up_capture', 'down_capture'].map((name) => `benchmark.${name}`)],
  Run: ['bars'],
}

/** Read in this order: `avg_drawdown_duration` is of drawdowns before it is of anything else. */
const WORDS: readonly (readonly [Section, RegExp])[] = [
  ['Benchmark', /benchmark|buy_and_hold|alpha|beta|information|tracking|capture|active_return|treynor|r_squared/],
  ['Drawdown', /drawdown|ulcer|underwater|recovery|pain|martin/],
  ['Costs', /fee|cost|slippage|funding|interest|turnover|spread|commission|borrow/],
  ['Trades', /trade|win|won|loss|losing|long|short|profit|sqn|kelly|expectancy|streak|exposure|entries|position|payoff|hold|mae|mfe|consecutive/],
  ['Risk', /ratio|volatility|risk|deviation|skew|kurt|sharpe|sortino|omega|calmar|tail|variance|stability/],
  ['Returns', /return|cagr|growth|equity|cash|month|year|day/],
]

const DEFINITIONS: Readonly<Record<string, string>> = {
  initial_cash: 'currency', funding_paid: 'currency, negative when more was received', interest_paid: 'currency',
  'benchmark.excess_return': 'percent: total return minus the benchmark\'s', 'benchmark.tracking_error': 'percent a year: sample deviation of the differences of returns × √periods_per_year',
  'benchmark.up_capture': 'percent: sum of returns ÷ the benchmark\'s, over the bars on which it rose', 'benchmark.down_capture': 'percent: sum of returns ÷ the benchmark\'s, over the bars on which it fell',
  bars: 'bars that the run covers', rejected_entries: 'entries not taken: they could not be paid or came to 0 units',
}
/** Shown elsewhere on the page, or no figures. */
const ELSEWHERE = new Set(['conventions', 'null_reasons', 'warnings', 'strategy', 'open_position', 'parity', 'monthly_returns', 'yearly_returns', 'seed', 'data_hash', 'spec_hash', 'engine_version'])

interface Figure {
  readonly key: string
  readonly name: string
  readonly value: number | boolean | null
  readonly definition: string
  readonly reason: string
}

export function metricSections(summary: Summary): string {
  const sections = new Map<Section, Figure[]>(SECTIONS.map((section) => [section, []]))
  for (const figure of figuresOf(summary)) sections.get(sectionOf(figure.key))?.push(figure)
  const place = (section: Section, { key }: Figure): number => {
    const at = PLACES[section].indexOf(key)
    return at === -1 ? PLACES[section].length : at
  }
  return `<div class="metrics">${SECTIONS.map((section) => {
    const figures = (sections.get(section) ?? []).sort((a, b) => place(section, a) - place(section, b))
    return figures.length === 0 ? '' : `<section><h3>${section}</h3><dl>${figures.map(figureHtml).join('')}</dl></section>`
  }).join('')}</div>`
}

/** A list of what each figure is, for print, for touch and for who reads without a pointer. */
export function definitionList(summary: Summary): string {
  const known = figuresOf(summary).filter(({ definition }) => definition !== '')
  if (known.length === 0) return ''
  return `<details class="definitions"><summary>What each figure is</summary><dl class="defs">${known.map(({ name, definition }) => `<div><dt>${name}</dt><dd>${escapeHtml(definition)}</dd></div>`).join('')}</dl></details>`
}

/** The same run measured by other libraries' definitions: keys such as `sharpe.backtesting_py`. */
export function parityTable(summary: Summary): string {
  const parity = summary['parity']
  if (typeof parity !== 'object' || parity === null) return ''
  const metrics = new Map<string, Map<string, unknown>>()
  const libraries: string[] = []
  const add = (metric: string, library: string, value: unknown): void => {
    if (!libraries.includes(library)) libraries.push(library)
    const row = metrics.get(metric) ?? new Map<string, unknown>()
    metrics.set(metric, row.set(library, value))
  }
  for (const [key, value] of Object.entries(parity)) {
    if (typeof value === 'object' && value !== null) for (const [inner, one] of Object.entries(value)) add(key, inner, one)
    else add(key.split('.')[0] ?? key, key.split('.').slice(1).join('.') || 'value', value)
  }
  if (metrics.size === 0) return ''
  libraries.sort()
  const rows = [...metrics].sort(([a], [b]) => (a < b ? -1 : 1)).map(([metric, row]): Cell[] => [
    { html: label(metric), left: true },
    ...libraries.map((library) => ({ html: row.has(library) ? parityValue(row.get(library)) : '' })),
  ])
  return `<details class="definitions"><summary>The same run by other libraries' definitions (units: docs/metrics.md)</summary>${table(['', ...libraries.map((library) => escapeHtml(library))], rows)}</details>`
}

function parityValue(value: unknown): string {
  if (typeof value === 'string') return escapeHtml(value)
  return formatNumber(value, typeof value === 'number' && Math.abs(value) < 1000 && !Number.isInteger(value) ? 5 : 2)
}

function figuresOf(summary: Summary): Figure[] {
  const units = record(record(summary['conventions'])['units'])
  const reasons = record(summary['null_reasons'])
  const out: Figure[] = []
  const add = (key: string, name: string, value: unknown): void => {
    if (typeof value !== 'number' && typeof value !== 'boolean' && value !== null) return
    const last = key.split('.').at(-1) ?? key
    out.push({ key, name, value, definition: textOf(units[key] ?? units[last] ?? DEFINITIONS[key]), reason: textOf(reasons[key] ?? reasons[last]) })
  }
  for (const [key, value] of Object.entries(summary)) {
    if (ELSEWHERE.has(key)) continue
    if (typeof value !== 'object' || value === null) add(key, label(key), value)
    // A group such as `benchmark` or `long_trades`: each of its figures, named after the group where that is news.
    else if (!Array.isArray(value)) for (const [inner, one] of Object.entries(value)) add(`${key}.${inner}`, key === 'benchmark' ? label(inner) : `${label(key)}: ${label(inner).toLowerCase()}`, one)
  }
  return out
}

function sectionOf(key: string): Section {
  const exact = SECTIONS.find((section) => PLACES[section].includes(key))
  if (exact !== undefined) return exact
  return WORDS.find(([, words]) => words.test(key))?.[0] ?? 'Run'
}

function figureHtml({ key, name, value, definition, reason }: Figure): string {
  const last = key.split('.').at(-1) ?? key
  const shown = formatByUnit(last, value, definition)
  const title = definition === '' ? '' : ` title="${escapeHtml(definition)}"`
  return `<div><dt${title}>${name}</dt><dd${shown === DASH && reason !== '' ? ` title="${escapeHtml(reason)}"` : ''}>${shown}${shown === DASH && reason !== '' ? ` <small>${escapeHtml(reason)}</small>` : ''}</dd></div>`
}

/** By the unit that the result states, else by the name. */
function formatByUnit(name: string, value: unknown, definition: string): string {
  if (typeof value !== 'number') return formatMetric(name, value)
  const unit = definition.toLowerCase()
  if (unit.startsWith('percent')) return `${formatNumber(value)}\u202f%`
  if (unit.startsWith('fraction')) return `${formatNumber(value * 100, 1)}\u202f%`
  if (unit.startsWith('currency')) return formatNumber(value)
  if (/^(calendar )?days/.test(unit)) return formatNumber(value, Number.isInteger(value) ? 0 : 1)
  if (/^(bars|closed trades|count|trades)/.test(unit)) return formatNumber(value, Number.isInteger(value) ? 0 : 1)
  return formatMetric(name, value)
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? value as Readonly<Record<string, unknown>> : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
