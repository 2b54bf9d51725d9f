/** Text into HTML, safely, and numbers into text, sparingly. Nothing user-supplied reaches a page any other way. */

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}

/** JSON that may stand inside a script element: no tag can be closed or opened, no line separator breaks it. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

export const DASH = '–'

/** At most `decimals` decimals, thousands grouped; a dash for what is not a number. */
export function formatNumber(value: unknown, decimals = 2): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return DASH
  const [whole = '0', fraction] = Math.abs(value).toFixed(decimals).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f')
  const sign = value < 0 && Number(value.toFixed(decimals)) !== 0 ? '\u2212' : ''
  return `${sign}${grouped}${fraction === undefined ? '' : `.${fraction}`}`
}

/** A parameter: all that was written of it, in the same style; texts as they are. */
export function formatExact(value: number | string | boolean | undefined): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return escapeHtml(value === undefined ? '' : String(value))
  const [mantissa = '', power] = String(Math.abs(value)).split('e')
  const text = formatNumber(Number(mantissa), mantissa.split('.')[1]?.length ?? 0)
  return `${value < 0 ? '\u2212' : ''}${text}${power === undefined ? '' : `e${power.replace('+', '').replace('-', '\u2212')}`}`
}

/** Metrics whose value is percent already, and those that are fractions; the rest are plain numbers. */
const PERCENT = new Set(['total_return', 'annual_return', 'cagr', 'volatility', 'annual_volatility', 'max_drawdown', 'avg_drawdown', 'buy_and_hold_return', 'best_trade', 'worst_trade', 'avg_trade', 'ulcer_index', 'alpha', 'value_at_risk', 'conditional_value_at_risk',
  'excess_return', 'tracking_error', 'up_capture', 'down_capture', 'median_trade', 'avg_win', 'avg_loss', 'avg_mae', 'avg_mfe', 'worst_mae', 'best_mfe'])
const FRACTION = new Set(['win_rate', 'exposure', 'kelly', 'long_win_rate', 'short_win_rate', 'probabilistic_sharpe_ratio'])
const COUNT = new Set(['total_trades', 'bars', 'trial', 'trials', 'rejected_entries', 'max_drawdown_duration_days', 'long_trades', 'short_trades', 'max_consecutive_wins', 'max_consecutive_losses'])
const SPELLINGS = new Map([['cagr', 'CAGR'], ['sqn', 'SQN'], ['pnl', 'P&L'], ['mae', 'MAE'], ['mfe', 'MFE'], ['sharpe', 'Sharpe'], ['sortino', 'Sortino'], ['calmar', 'Calmar']])

export function formatMetric(name: string, value: unknown): string {
  if (typeof value === 'string') return escapeHtml(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (PERCENT.has(name)) return suffixed(formatNumber(value), '%')
  if (FRACTION.has(name)) return suffixed(formatNumber(typeof value === 'number' ? value * 100 : value, 1), '%')
  if (COUNT.has(name) || name.endsWith('_bars')) return formatNumber(value, 0)
  return formatNumber(value, typeof value === 'number' && Math.abs(value) < 10 ? 3 : 2)
}

function suffixed(text: string, unit: string): string {
  return text === DASH ? text : `${text}\u202f${unit}`
}

/** `sharpe_ratio` → `Sharpe ratio`. */
export function label(name: string): string {
  const words = name.split('_').map((word) => SPELLINGS.get(word) ?? word).join(' ')
  return escapeHtml(words.charAt(0).toUpperCase() + words.slice(1))
}

export interface Cell {
  readonly html: string
  /** Sorts by this where it is given. */
  readonly sort?: number | string | null
  readonly left?: boolean
}

export interface ColumnGroup {
  readonly title: string
  readonly columns: number
}

/** A table in a box that scrolls by itself; `sortable` columns are sorted by a click on their heading. `groups` stand above them. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[], sortable = false, groups: readonly ColumnGroup[] = []): string {
  const above = groups.length === 0 ? '' : `<tr>${groups.map(({ title, columns }) => `<th scope="colgroup" class="group" colspan="${columns}">${title}</th>`).join('')}</tr>`
  const head = headings.map((one, i) => `<th scope="col"${rows[0]?.[i]?.left === true ? ' class="l"' : ''}>${one}</th>`).join('')
  const body = rows.map((row) => `<tr>${row.map((cell) =>
    `<td${cell.left === true ? ' class="l"' : ''}${cell.sort === undefined ? '' : ` data-sort="${escapeHtml(String(cell.sort ?? ''))}"`}>${cell.html}</td>`).join('')}</tr>`).join('\n')
  return `<div class="scroll"><table${sortable ? ' class="sortable"' : ''}><thead>${above}<tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`
}

/** Name and value pairs. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  return `<dl class="facts">${pairs.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`
}
