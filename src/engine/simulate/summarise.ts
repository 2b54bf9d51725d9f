/**
 * The summary of one backtest: all metrics, the conventions they follow, what the trader is warned of, and the
 * position still open. Plain JSON: a number that is not finite becomes null and its reason goes to
 * `null_reasons`, so that nobody mistakes "no losing trade" for the best rank.
 */
import type { BarColumns } from '../../market/layout.js'
import { formatIsoTime } from '../calendar/iso-time.js'
import type { PeriodsPerYear } from '../metrics/periods-per-year.js'
import { METRIC_UNITS } from '../metrics/sweep-metrics.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { executionToJson } from '../specs/execution-spec.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import type { BacktestMeasures } from './measure-backtest.js'
import type { RunIdentity } from './run-identity.js'
import { benchmarkName } from './run-benchmark.js'
import type { RunRecord } from './simulation.js'
import { MARGIN_CALL, REASON } from './trade-log.js'

/** A result is at most 64 KiB in the store: these leave half of it to everything else. */
const MAX_MONTHS = 600
const MAX_YEARS = 200

export interface SummaryInput {
  readonly bars: BarColumns
  readonly from: number
  readonly to: number
  readonly strategy: Strategy
  readonly params: Params
  readonly spec: BacktestSpec
  readonly identity: RunIdentity
  readonly periods: PeriodsPerYear
  readonly simulation: RunRecord
  readonly measures: BacktestMeasures
  readonly warnings: readonly string[]
}

export function summarise(input: SummaryInput): Record<string, unknown> {
  const { bars, from, to, spec, identity, periods, simulation, measures } = input
  const nullReasons: Record<string, string> = {}
  const finite = (values: Readonly<Record<string, number>>, prefix = ''): Record<string, number | null> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => {
      if (Number.isFinite(value)) return [name, value + 0] // text knows only one zero
      nullReasons[prefix + name] = reasonFor(name, measures.metrics, value)
      return [name, null]
    }))
  const months = measures.months.slice(-MAX_MONTHS)
  const years = measures.years.slice(-MAX_YEARS)
  const cut = months.length < measures.months.length || years.length < measures.years.length
  return {
    ...finite(measures.metrics),
    bars: to - from,
    start_time: formatIsoTime(bars.time[from]!),
    end_time: formatIsoTime(bars.time[to - 1]!),
    ...(from === 0 ? {} : { warm_up_bars: from }),
    strategy: { name: input.strategy.name, params: input.params },
    initial_cash: spec.execution.initialCash,
    rejected_entries: simulation.rejectedEntries,
    liquidated: simulation.liquidated,
    interest_paid: simulation.interestPaid,
    funding_paid: simulation.fundingPaid,
    open_position: openPosition(input),
    benchmark: { name: benchmarkName(spec), ...finite(measures.benchmark, 'benchmark.') },
    parity: finite(measures.parity),
    monthly_returns: months,
    yearly_returns: years,
    data_hash: identity.dataHash ?? spec.dataHash ?? null,
    spec_hash: identity.specHash ?? null,
    engine_version: identity.engineVersion ?? null,
    seed: identity.seed ?? null,
    conventions: {
      returns: 'simple, per bar, from the second bar on; sample deviations (ddof 1)',
      periods_per_year: periods.value,
      periods_per_year_reason: periods.reason,
      days: periods.days.text,
      risk_free: spec.metrics.riskFree,
      parity: 'keys are metric.library, in the units of the library: percent and days for backtesting_py, fractions and days for the others (docs/metrics.md)',
      execution: shortExecution(spec),
      units: METRIC_UNITS,
    },
    warnings: [
      ...warningsOf(input),
      ...(cut ? [`monthly_returns holds the last ${months.length} of ${measures.months.length} months, yearly_returns the last ${years.length} of ${measures.years.length} years; the equity has all of them.`] : []),
    ],
    null_reasons: nullReasons,
  }
}

/** Years of funding rates belong into the spec, not into its result. */
function shortExecution({ execution }: BacktestSpec): Record<string, unknown> {
  const json = executionToJson(execution)
  const funding = execution.perpetual?.funding ?? []
  if (!Array.isArray(funding) || funding.length <= 10) return json
  const rates = funding as readonly { readonly time: number; readonly rate: number }[]
  return { ...json, funding: { rates: rates.length, first_time: formatIsoTime(rates[0]!.time), last_time: formatIsoTime(rates.at(-1)!.time), sum: rates.reduce((sum, { rate }) => sum + rate, 0) } }
}

const OF_TRADES = new Set(['win_rate', 'best_trade', 'worst_trade', 'avg_trade', 'expectancy', 'longest_trade_bars', 'avg_trade_bars',
  'max_trade_duration_days', 'avg_trade_duration_days', 'median_trade', 'avg_mae', 'avg_mfe', 'worst_mae', 'best_mfe'])
const OF_WINS_AND_LOSSES = new Set(['kelly', 'payoff_ratio'])
const OF_BARS = new Set(['win_rate.quantstats', 'profit_factor.quantstats', 'kelly.quantstats', 'payoff_ratio.quantstats'])

const ANNUAL = new Set(['cagr', 'annual_return', 'volatility'])
const OVERFLOW = 'the annual figure is too large for a number: the bars span too short a time for one'

/** Why a metric, a parity variant or a figure of the benchmark is not a number; from the metrics, which decided it. */
function reasonFor(key: string, values: Readonly<Record<string, number>>, value: number): string {
  const trades = values.total_trades ?? 0
  const name = key.split('.')[0] ?? key
  if (isOverflow(name, values, value)) return OVERFLOW
  if (OF_BARS.has(key)) return 'needs winning and losing bars'
  if (OF_TRADES.has(name) || (trades === 0 && ['profit_factor', 'sqn', 'kelly', 'payoff_ratio', 'avg_win', 'avg_loss'].includes(name))) return 'no closed trade'
  if (name === 'profit_factor') return 'no losing trade'
  if (OF_WINS_AND_LOSSES.has(name)) return 'needs at least one winning and one losing trade'
  if (name === 'avg_win' || name === 'avg_winning_trade_bars') return 'no winning trade'
  if (name === 'avg_loss' || name === 'avg_losing_trade_bars') return 'no losing trade'
  if (name === 'long_win_rate' || name === 'short_win_rate') return `no closed ${name.slice(0, -9)} trade`
  if (name === 'sqn') return trades < 2 ? 'fewer than two closed trades' : 'the pnl of the trades does not vary'
  if ((values.final_equity ?? 0) <= 0) return 'equity fell to zero or below'
  if (/calmar|drawdown|ulcer_performance|serenity|recovery/.test(name)) return 'no drawdown'
  if (name.includes('sortino') && Number.isFinite(values.sharpe_ratio)) return 'no return below the risk-free rate'
  if (name.includes('omega') || name === 'gain_to_pain') return 'no losing bar'
  if (name === 'tail_ratio' || name === 'common_sense_ratio') return 'the 5th percentile of the returns is 0'
  if (/alpha|beta|correlation/.test(name) || name === 'up_capture' || name === 'down_capture') return 'the closes or the equity do not vary'
  if (name === 'information_ratio') return 'the returns do not differ from the benchmark\'s'
  if (!Number.isFinite(values.volatility)) return 'fewer than two returns'
  return 'the returns do not vary'
}

/** A gain of some hours, taken to the power of a year, leaves the range of numbers, and what is made of it. */
function isOverflow(name: string, values: Readonly<Record<string, number>>, value: number): boolean {
  const annual = Math.abs(values.annual_return ?? 0) === Infinity
  if (name === 'calmar_ratio' || name === 'calmar') return annual && (values.max_drawdown ?? 0) < 0
  return Math.abs(value) === Infinity ? ANNUAL.has(name) : annual && /^(sharpe|sortino|volatility|alpha)/.test(name) && !Number.isFinite(value) && !(values.volatility === 0)
}

function openPosition({ bars, to, simulation }: SummaryInput): Record<string, unknown> | null {
  const { units, entryBar, entryPrice, entryFee } = simulation
  if (units === 0) return null
  const lastClose = bars.close[to - 1]!
  const gain = units * (lastClose - entryPrice)
  return {
    side: units > 0 ? 'long' : 'short',
    units: Math.abs(units),
    entry_bar: entryBar,
    entry_time: formatIsoTime(bars.time[entryBar]!),
    entry_price: entryPrice,
    entry_fee: entryFee,
    last_price: lastClose,
    market_value: units * lastClose,
    unrealized_pnl: gain - entryFee,
    unrealized_return: (gain - entryFee) / (Math.abs(units) * entryPrice),
  }
}

/** Lots that F30 closed; F16 closes for a reason of its own. */
function marginCallsOf({ trades }: RunRecord): number {
  let count = 0
  for (let k = 0; k < trades.count; k++) if (trades.at(k, REASON) === MARGIN_CALL) count++
  return count
}

function warningsOf({ warnings, strategy, spec, simulation, to, from }: SummaryInput): string[] {
  const { execution } = spec
  const out = [...warnings]
  if (strategy.sides === 'both' && execution.direction === 'long') {
    out.push(`"${strategy.name}" decides on shorts too (sides: 'both'), and direction "long" drops them; with direction "both" they are traded.`)
  }
  if (execution.fill === 'close') {
    out.push('fill "close" trades at the very close that the decision was made from, which cannot be done in a market; "next_open" is the honest choice.')
  }
  const hasStops = execution.stopLoss !== null || execution.takeProfit !== null || execution.trailingStop !== null
  if (hasStops && execution.fill === 'next_open' && execution.stopPriority === 'stop_first') {
    out.push('stop_priority "stop_first" lets a stop inside a bar go before a signal at its open, which is not the order of time; it exists for parity with vectorbt.')
  }
  const marginCalls = marginCallsOf(simulation)
  if (marginCalls > 0) {
    out.push(`${marginCalls} of ${simulation.trades.count} trades ended by liquidation, because the isolated margin was used up (leverage ${execution.leverage}); trading went on with what was left.`)
  }
  // After F16 nothing trades any more, so that equity stays where it fell to.
  if (simulation.liquidated && (marginCalls === 0 || simulation.equity[to - 1]! <= 0)) {
    out.push('Equity fell to zero or below: any position was closed at that bar\'s close and trading stopped.')
  }
  if (simulation.rejectedEntries > 0) out.push(`${simulation.rejectedEntries} entries were not taken because they could not be paid or came to 0 units.`)
  if (to - from < 2) out.push('A single bar: returns and drawdowns need at least two.')
  return out
}
