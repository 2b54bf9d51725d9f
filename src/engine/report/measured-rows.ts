/** The trades of a report with how far each went against and for its holder: the bars are at hand here, the CSV has neither. */
import type { BarColumns } from '../../market/layout.js'
import { excursionRules, tradeExcursions } from '../metrics/trade-excursions.js'
import { numbersOf, textsOf } from './trade-rows.js'
import type { TradeRows } from './trade-rows.js'

/** The rows as they are where they lack a column. `execution` is the spec's. */
export function measuredRows(trades: TradeRows, bars: BarColumns, execution: Readonly<Record<string, unknown>>): TradeRows {
  const of = (name: string): Float64Array | null => numbersOf(trades, name)
  const units = of('units'), entryBar = of('entry_bar'), entryPrice = of('entry_price'), exitBar = of('exit_bar'), exitPrice = of('exit_price')
  const pnl = of('pnl'), returns = of('return'), fees = of('fees')
  if (units === null || entryBar === null || entryPrice === null || exitBar === null || exitPrice === null || pnl === null || returns === null || fees === null) return trades
  const sides = textsOf(trades, 'side'), reasons = textsOf(trades, 'exit_reason')
  const rules = excursionRules({ fill: String(execution['fill']), finalize: String(execution['finalize']), hasEntryOrder: (execution['entry_order'] ?? null) !== null }, (k) => reasons[k])
  const { mae, mfe } = tradeExcursions(bars, {
    count: units.length, units: units.map((value, k) => (sides[k] === 'short' ? -value : value)), entryBar, entryPrice, exitBar, exitPrice, pnl, return: returns, fees,
  }, rules)
  return { headings: [...trades.headings, 'mae', 'mfe'], rows: trades.rows.map((row, k) => [...row, String(mae[k]), String(mfe[k])]) }
}
