/** The trades as a table that sorts and filters, and what they come to by side and by the reason of their exit. */
import { parseIsoTime } from '../calendar/iso-time.js'
import { escapeHtml, formatNumber, label, table } from './markup.js'
import type { Cell } from './markup.js'
import { chosenTrades, numbersOf, textsOf } from './trade-rows.js'
import type { TradeRows } from './trade-rows.js'

/** So many rows a page takes whole; beyond it a part of them, chosen in a stated way. */
const ROW_LIMIT = 1500
const ROWS_AT_ENDS = 300
const ROWS_OF_EXTREMES = 300
/** Columns that hold fractions; the table shows percent. */
const FRACTIONS = new Set(['return', 'mae', 'mfe'])
const PERCENT = '\u202f%'

/** `hasChart`: the page draws the price, so that a trade's number shows it there. */
export function tradeTable(trades: TradeRows, hasChart: boolean): string {
  const { headings, rows } = trades
  if (rows.length === 0) return '<p class="soft">No trade was closed.</p>'
  const pnl = numbersOf(trades, 'pnl') ?? new Float64Array(rows.length)
  const chosen = chosenTrades(pnl, ROW_LIMIT, ROWS_AT_ENDS, ROWS_OF_EXTREMES)
  const entry = headings.indexOf('entry_time'), exit = headings.indexOf('exit_time')
  // A price that needs four decimals needs them in every row, or the column cannot be read down.
  const digits = headings.map((heading, column) => decimalsOf(heading, chosen.map((i) => rows[i]?.[column] ?? '')))
  const cells = chosen.map((i): Cell[] => {
    const row = rows[i] ?? []
    return [hasChart ? numberCell(i, row[entry], row[exit]) : { html: formatNumber(i + 1, 0), sort: i + 1 }, ...headings.map((heading, column) => tradeCell(heading, row[column] ?? '', digits[column] ?? 2))]
  })
  const left = rows.length === chosen.length ? '' : `<p class="note">${formatNumber(chosen.length, 0)} of ${formatNumber(rows.length, 0)} trades are listed: the first and last ${ROWS_AT_ENDS} and the ${ROWS_OF_EXTREMES} largest wins and losses. The CSV (<code>--trades FILE.csv</code>) has them all.</p>`
  return `${left}${filters(trades)}${table(['#', ...headings.map(heading)], cells, true).replace('<div class="scroll">', '<div class="scroll tall" id="trades" tabindex="0" role="region" aria-label="Trades">')}<p class="print-only soft">The print shows the first 60 rows.</p>`
}

function heading(name: string): string {
  const text = label(name)
  return FRACTIONS.has(name) ? `${text} %` : text
}

function numberCell(trade: number, entry: string | undefined, exit: string | undefined): Cell {
  const [from, to] = [parseIsoTime(entry ?? ''), parseIsoTime(exit ?? '')]
  const shown = formatNumber(trade + 1, 0)
  if (from === undefined || to === undefined) return { html: shown, sort: trade + 1 }
  return { html: `<button type="button" data-zoom="${from / 1000},${to / 1000}" title="Show this trade in the price chart">${shown}</button>`, sort: trade + 1 }
}

function decimalsOf(name: string, texts: readonly string[]): number {
  if (name.endsWith('_bar') || name.endsWith('_bars')) return 0
  if (FRACTIONS.has(name) || name === 'pnl' || name === 'fees') return 2
  let most = 0
  for (const text of texts) {
    const size = Math.abs(Number(text))
    const wanted = size === 0 || Number.isInteger(size) ? 0 : size < 0.01 ? 8 : size < 10 ? 5 : 2
    if (wanted > most) most = wanted
  }
  return most
}

function tradeCell(name: string, text: string, digits: number): Cell {
  const value = Number(text)
  if (text === '' || Number.isNaN(value)) {
    return { html: escapeHtml(name.endsWith('_time') ? shortTime(text) : name.endsWith('_reason') ? text.replaceAll('_', ' ') : text), ...(name.endsWith('_time') ? {} : { sort: text }), left: true }
  }
  if (FRACTIONS.has(name)) return { html: signed(name, value, formatNumber(value * 100)), sort: Number((value * 100).toPrecision(8)) }
  return { html: signed(name, value, formatNumber(value, digits)), sort: Number(value.toPrecision(10)) }
}

function signed(name: string, value: number, text: string): string {
  return (name === 'pnl' || name === 'return') && value < 0 ? `<span class="bad">${text}</span>` : text
}

/** `2020-01-02T00:00:00Z` → `2020-01-02`, with the time of day where it is not midnight. */
export function shortTime(text: string): string {
  return text.replace('T', ' ').replace(/(:00)?(\.000)?Z$/, '').replace(/ 00:00$/, '')
}

function filters(trades: TradeRows): string {
  const choice = (name: string, title: string): string => {
    const values = [...new Set(textsOf(trades, name))].filter((value) => value !== '').sort()
    const at = trades.headings.indexOf(name)
    if (at === -1 || values.length < 2) return ''
    return `<label>${title} <select data-column="${at + 1}"><option value="">all</option>${values.map((value) => `<option value="${escapeHtml(value)}">${escapeHtml(value.replaceAll('_', ' '))}</option>`).join('')}</select></label>`
  }
  const outcome = trades.headings.includes('pnl') ? `<label>Outcome <select data-column="${trades.headings.indexOf('pnl') + 1}" data-sign="1"><option value="">all</option><option value="1">won</option><option value="-1">lost</option></select></label>` : ''
  return `<div class="filters" id="filters">${choice('symbol', 'Symbol')}${choice('side', 'Side')}${choice('exit_reason', 'Exit')}${outcome}<span class="soft" id="shown" aria-live="polite"></span></div>`
}

/** Counts, win rate, P&L and mean return of all trades, by side and by the reason of the exit. */
export function tradeSplit(trades: TradeRows): string {
  const pnl = numbersOf(trades, 'pnl'), returns = numbersOf(trades, 'return')
  if (trades.rows.length === 0 || pnl === null || returns === null) return ''
  const entry = numbersOf(trades, 'entry_bar'), exit = numbersOf(trades, 'exit_bar')
  const groups = new Map<string, number[]>([['All', Array.from(pnl, (_, i) => i)]])
  for (const [column, prefix] of [['side', ''], ['exit_reason', 'Exit: ']] as const) {
    const found = new Map<string, number[]>()
    textsOf(trades, column).forEach((value, i) => {
      const group = found.get(value)
      if (group === undefined) found.set(value, [i])
      else group.push(i)
    })
    for (const name of [...found.keys()].sort()) if (name !== '') groups.set(`${prefix}${prefix === '' ? label(name) : escapeHtml(name.replaceAll('_', ' '))}`, found.get(name) ?? [])
  }
  const rows = [...groups].map(([name, members]): Cell[] => {
    let won = 0, sum = 0, gains = 0, losses = 0, mean = 0, bars = 0
    let best = -Infinity, worst = Infinity
    for (const i of members) {
      const one = pnl[i]!, ret = returns[i]!
      sum += one
      mean += ret / members.length
      if (one > 0) { won += 1; gains += one } else losses -= one
      best = Math.max(best, ret)
      worst = Math.min(worst, ret)
      if (entry !== null && exit !== null) bars += (exit[i]! - entry[i]!) / members.length
    }
    return [
      { html: name, left: true }, { html: formatNumber(members.length, 0) }, { html: `${formatNumber((won / members.length) * 100, 1)}${PERCENT}` },
      { html: signed('pnl', sum, formatNumber(sum)) }, { html: formatNumber(losses > 0 ? gains / losses : Number.NaN) },
      { html: signed('return', mean, formatNumber(mean * 100) + PERCENT) }, { html: formatNumber(best * 100) + PERCENT }, { html: formatNumber(worst * 100) + PERCENT },
      { html: entry === null || exit === null ? formatNumber(null) : formatNumber(bars, 1) },
    ]
  })
  return table(['', 'Trades', 'Won', 'P&amp;L', 'Profit factor', 'Mean return', 'Best', 'Worst', 'Mean bars'], rows)
}
