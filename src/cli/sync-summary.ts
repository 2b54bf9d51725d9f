/** A finished data sync for people: what was asked for, what came, and what the exchange does not have. */
import { asRecord } from './backtest-summary.js'
import { textPairs } from './text-table.js'
import type { Cell } from './text-table.js'

const SHOWN_GAPS = 5

export function syncSummary(result: unknown): string {
  const facts = asRecord(result)
  const cell = (key: string): Cell => facts[key] as Cell
  const gaps = (Array.isArray(facts['gaps']) ? facts['gaps'] : []).map(asRecord)
  const more = Number(facts['gaps_total']) - Math.min(gaps.length, SHOWN_GAPS)
  return textPairs([
    ['series', `${String(facts['exchange'])} ${String(facts['symbol'])} ${String(facts['timeframe'])} (${String(facts['category'])})`],
    ['asked for', `${String(facts['from'])} to ${String(facts['to'])}`],
    ['bars', cell('bars')], ['first', cell('first_time')], ['last', cell('last_time')],
    ['added', cell('bars_added')], ['replaced', cell('bars_replaced')], ['pages', cell('pages')],
    ['missing', facts['bars_missing'] === 0 ? 'none' : `${String(facts['bars_missing'])} bars in ${String(facts['gaps_total'])} gaps`],
    ...gaps.slice(0, SHOWN_GAPS).map((gap) => ['', `${String(gap['from'])} to ${String(gap['to'])}: ${String(gap['bars'])}`] as const),
    ...(more > 0 ? [['', `and ${more} more`] as const] : []),
  ])
}
