/** Trades and equity as CSV text: numbers in JavaScript's shortest round-trip form, times ISO 8601 UTC. */
import { formatIsoTime } from '../calendar/iso-time.js'
import type { BacktestResult } from './run-backtest.js'

export function tradesCsv(result: BacktestResult): string {
  // The symbol comes last, and only in a portfolio: readers of the columns before it need not know of it.
  const isPortfolio = result.trades.some(({ symbol }) => symbol !== undefined)
  const lines = [`side,units,entry_bar,entry_time,entry_price,exit_bar,exit_time,exit_price,pnl,return,fees,exit_reason${isPortfolio ? ',symbol' : ''}`]
  for (const t of result.trades) {
    lines.push(`${t.side},${t.units},${t.entryBar},${formatIsoTime(t.entryTime)},${t.entryPrice},${t.exitBar},${formatIsoTime(t.exitTime)},${t.exitPrice},${t.pnl},${t.return},${t.fees},${t.exitReason}${isPortfolio ? `,${csvText(t.symbol ?? '')}` : ''}`)
  }
  return `${lines.join('\n')}\n`
}

function csvText(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function equityCsv(result: BacktestResult): string {
  const lines = ['bar,time,equity']
  result.equity.forEach((value, k) => lines.push(`${result.firstBar + k},${formatIsoTime(result.time[k] ?? NaN)},${value}`))
  return `${lines.join('\n')}\n`
}
