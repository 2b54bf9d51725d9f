/** What each symbol of a portfolio did: a row a symbol, from the summary's own figures. */
import { escapeHtml, formatMetric, formatNumber, label, table } from './markup.js'
import type { Cell } from './markup.js'

const COLUMNS = ['bars', 'total_trades', 'win_rate', 'realized_pnl', 'unrealized_pnl', 'fees_paid', 'best_trade', 'worst_trade', 'buy_and_hold_return'] as const

export function symbolTable(summary: Readonly<Record<string, unknown>>): string {
  const { symbols } = summary
  if (!Array.isArray(symbols) || symbols.length === 0) return ''
  const rows = (symbols as readonly Readonly<Record<string, unknown>>[]).map((one): Cell[] => [
    { html: escapeHtml(String(one['symbol'])), left: true },
    ...COLUMNS.map((name): Cell => {
      const value = one[name]
      return { html: name.endsWith('pnl') ? formatNumber(value) : formatMetric(name, value), sort: typeof value === 'number' ? value : null }
    }),
  ])
  return `<h2>Symbols</h2>${table(['Symbol', ...COLUMNS.map(label)], rows, true)}`
}
