/**
 * The summary of one backtest: all metrics, the conventions they follow, what the trader is warned of, and the
 * position still open. Plain JSON: a number that is not finite becomes null and its reason goes to
 * `null_reasons`, so that nobody mistakes "no losing trade" for the best rank.
 */
import type { BarColumns } from '../../market/layout.js'
import { DAY_MS, formatIsoTime } from '../calendar/iso-time.js'
import { summariseDrawdowns } from '../metrics/drawdowns.js'
import type { PeriodsPerYear } from '../metrics/periods-per-year.js'
import { alphaBeta, describeReturns } from '../metrics/return-distribution.js'
import { buyAndHoldReturn } from '../metrics/sweep-meter.js'
import type { SweepMeter } from '../metrics/sweep-meter.js'
import { METRIC_UNITS, SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { executionToJson } from '../specs/execution-spec.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import type { RunIdentity } from './run-identity.js'
import type { RunRecord } from './simulation.js'
import { ENTRY_BAR, EXIT_BAR } from './trade-log.js'

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
  readonly meter: SweepMeter
  readonly warnings: readonly string[]
}

export function summarise(input: SummaryInput): Record<string, unknown> {
  const { bars, from, to, spec, identity, periods, simulation } = input
  const values = measureAll(input)
  const metrics: Record<string, number | null> = {}
  const nullReasons: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    metrics[name] = Number.isFinite(value) ? value : null
    if (!Number.isFinite(value)) nullReasons[name] = reasonFor(name, values)
  }
  return {
    ...metrics,
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
    data_hash: identity.dataHash ?? spec.dataHash ?? null,
    spec_hash: identity.specHash ?? null,
    engine_version: identity.engineVersion ?? null,
    seed: identity.seed ?? null,
    conventions: {
      returns: 'simple, per bar, from the second bar on; sample deviations (ddof 1)',
      periods_per_year: periods.value,
      periods_per_year_reason: periods.reason,
      risk_free: spec.metrics.riskFree,
      execution: shortExecution(spec),
      units: METRIC_UNITS,
    },
    warnings: warningsOf(input),
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

/** Every metric by name, NaN where not defined. */
function measureAll({ bars, from, to, spec, periods, simulation, meter }: SummaryInput): Record<string, number> {
  const { initialCash } = spec.execution
  const row = new Float64Array(SWEEP_METRICS.length)
  meter.measure(simulation, bars, from, to, initialCash, row, 0)
  const values: Record<string, number> = Object.fromEntries(SWEEP_METRICS.map((name, k) => [name, row[k] ?? NaN]))
  const drawdowns = summariseDrawdowns(simulation.equity.subarray(from, to), bars.time.subarray(from, to), initialCash)
  const returns = meter.returns.subarray(0, meter.returnCount)
  const shape = describeReturns(returns)
  const market = new Float64Array(returns.length)
  for (let k = 0; k < market.length; k++) market[k] = bars.close[from + k + 1]! / bars.close[from + k]! - 1
  const { alpha, beta } = alphaBeta(returns, market, periods.value, spec.metrics.riskFree)
  return {
    ...values,
    buy_and_hold_return: buyAndHoldReturn(bars, from, to),
    avg_drawdown: drawdowns.meanDepth * 100,
    max_drawdown_duration_bars: drawdowns.maxBars,
    avg_drawdown_duration_bars: drawdowns.meanBars,
    max_drawdown_duration_days: drawdowns.maxMs / DAY_MS,
    avg_drawdown_duration_days: drawdowns.meanMs / DAY_MS,
    ulcer_index: drawdowns.ulcer * 100,
    value_at_risk: shape.valueAtRisk * 100,
    conditional_value_at_risk: shape.conditionalValueAtRisk * 100,
    omega_ratio: shape.omega,
    tail_ratio: shape.tailRatio,
    skew: shape.skew,
    kurtosis: shape.kurtosis,
    alpha: alpha * 100,
    beta,
    ...tradeDurations(simulation),
  }
}

function tradeDurations({ trades }: RunRecord): Record<string, number> {
  let longest = NaN
  let sum = 0
  for (let k = 0; k < trades.count; k++) {
    const bars = trades.at(k, EXIT_BAR) - trades.at(k, ENTRY_BAR)
    if (!(bars <= longest)) longest = bars
    sum += bars
  }
  return { longest_trade_bars: longest, avg_trade_bars: sum / trades.count }
}

const OF_TRADES = new Set(['win_rate', 'best_trade', 'worst_trade', 'avg_trade', 'expectancy', 'longest_trade_bars', 'avg_trade_bars'])

/** Why a metric is not a number; from the other metrics, which are what decided it. */
function reasonFor(name: string, values: Readonly<Record<string, number>>): string {
  const trades = values.total_trades ?? 0
  if (OF_TRADES.has(name) || (trades === 0 && ['profit_factor', 'sqn', 'kelly'].includes(name))) return 'no closed trade'
  if (name === 'profit_factor') return 'no losing trade'
  if (name === 'kelly') return 'needs at least one winning and one losing trade'
  if (name === 'sqn') return trades < 2 ? 'fewer than two closed trades' : 'the pnl of the trades does not vary'
  if ((values.final_equity ?? 0) <= 0) return 'equity fell to zero or below'
  if (name === 'calmar_ratio' || name.includes('drawdown')) return 'no drawdown'
  if (name === 'sortino_ratio' && Number.isFinite(values.sharpe_ratio)) return 'no return below the risk-free rate'
  if (name === 'omega_ratio') return 'no losing bar'
  if (name === 'tail_ratio') return 'the 5th percentile of the returns is 0'
  if (name === 'alpha' || name === 'beta') return 'the closes do not vary'
  if (!Number.isFinite(values.volatility)) return 'fewer than two returns'
  return 'the returns do not vary'
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

function warningsOf({ warnings, spec, simulation, to, from }: SummaryInput): string[] {
  const { execution } = spec
  const out = [...warnings]
  if (execution.fill === 'close') {
    out.push('fill "close" trades at the very close that the decision was made from, which cannot be done in a market; "next_open" is the honest choice.')
  }
  const hasStops = execution.stopLoss !== null || execution.takeProfit !== null || execution.trailingStop !== null
  if (hasStops && execution.fill === 'next_open' && execution.stopPriority === 'stop_first') {
    out.push('stop_priority "stop_first" lets a stop inside a bar go before a signal at its open, which is not the order of time; it exists for parity with vectorbt.')
  }
  if (simulation.liquidated) out.push('Equity fell to zero or below: any position was closed at that bar\'s close and trading stopped.')
  if (simulation.rejectedEntries > 0) out.push(`${simulation.rejectedEntries} entries were not taken because they could not be paid or came to 0 units.`)
  if (to - from < 2) out.push('A single bar: returns and drawdowns need at least two.')
  return out
}
