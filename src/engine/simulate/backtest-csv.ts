/** Trades and equity as CSV text: numbers in JavaScript's shortest round-trip form, times ISO 8601 UTC. */
import { formatIsoTime } from '../calendar/iso-time.js'
import type { BacktestResult } from './run-backtest.js'

export function tradesCsv(result: BacktestResult): string {
  const lines = ['side,units,entry_bar,entry_time,entry_price,exit_bar,exit_time,exit_price,pnl,return,fees,exit_reason']
  for (const t of result.trades) {
    lines.push([
      t.side, t.units, t.entryBar, formatIsoTime(t.entryTime), t.entryPrice,
      t.exitBar, formatIsoTime(t.exitTime), t.exitPrice, t.pnl, t.return, t.fees, t.exitReason,
    ].join(','))
  }
  return `${lines.join('\n')}\n`
}

export function equityCsv(result: BacktestResult): string {
  const lines = ['bar,time,equity']
  result.equity.forEach((value, k) => lines.push(`${result.firstBar + k},${formatIsoTime(result.time[k] ?? NaN)},${value}`))
  return `${lines.join('\n')}\n`
}
