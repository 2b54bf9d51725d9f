/** Metrics against empyrical, quantstats and backtesting.py where the conventions are the same. */
import { describe, expect, test } from 'vitest'
import type { BacktestResult } from '../../src/engine/index.js'
import { expectClose, goldenDir, goldenText, googBars, runSmaCross, skipReason } from './golden-data.js'

const number = (result: BacktestResult, name: string): number => {
  const value = result.summary[name]
  if (typeof value !== 'number') throw new Error(`${name} is ${String(value)}`)
  return value
}

describe.skipIf(goldenDir === undefined)(`recorded metrics${goldenDir === undefined ? ` (${skipReason})` : ''}`, () => {
  const flip = (): BacktestResult => runSmaCross(googBars(), { direction: 'both', sizing: { whole_units: true } })

  test('empyrical and quantstats, 252 days', () => {
    const recorded = JSON.parse(goldenText('metrics_goog_flip_c002.json')) as Record<'empyrical_252' | 'quantstats_252', Record<string, number>>
    const { empyrical_252: empyrical, quantstats_252: quantstats } = recorded
    const result = flip()
    expect((result.summary.conventions as Record<string, unknown>).periods_per_year).toBe(252)
    const pairs: readonly [string, number | undefined, number][] = [
      ['total_return', empyrical.cum_returns_final, 100], ['annual_return', empyrical.annual_return, 100], ['volatility', empyrical.annual_volatility, 100],
      ['sharpe_ratio', empyrical.sharpe_ratio, 1], ['sortino_ratio', empyrical.sortino_ratio, 1], ['calmar_ratio', empyrical.calmar_ratio, 1],
      ['max_drawdown', empyrical.max_drawdown, 100], ['omega_ratio', empyrical.omega_ratio, 1], ['tail_ratio', empyrical.tail_ratio, 1],
      ['value_at_risk', empyrical.value_at_risk, 100], ['conditional_value_at_risk', empyrical.conditional_value_at_risk, 100],
      ['ulcer_index', quantstats.ulcer_index, 100], ['skew', quantstats.skew, 1], ['kurtosis', quantstats.kurtosis, 1],
    ]
    for (const [name, value, unit] of pairs) expectClose(number(result, name), (value ?? NaN) * unit, name)
  })

  test('backtesting.py, both runs', () => {
    const recorded = JSON.parse(goldenText('btpy_stats.json')) as Record<string, Record<string, number>>
    const runs = {
      goog_flip_c002: flip(),
      goog_long_sl5_tp10: runSmaCross(googBars(), {
        sizing: { whole_units: true }, stop_loss: 0.05, take_profit: 0.1, stop_reference: 'signal_close', finalize: 'close_last_open',
      }),
    }
    const pairs: readonly [string, string][] = [
      ['final_equity', 'Equity Final [$]'], ['total_return', 'Return [%]'], ['annual_return', 'Return (Ann.) [%]'], ['cagr', 'CAGR [%]'],
      ['calmar_ratio', 'Calmar Ratio'], ['max_drawdown', 'Max. Drawdown [%]'], ['avg_drawdown', 'Avg. Drawdown [%]'], ['total_trades', '# Trades'],
      ['best_trade', 'Best Trade [%]'], ['worst_trade', 'Worst Trade [%]'], ['avg_trade', 'Expectancy [%]'], ['sqn', 'SQN'], ['kelly', 'Kelly Criterion'],
    ]
    for (const [run, result] of Object.entries(runs)) {
      for (const [ours, theirs] of pairs) expectClose(number(result, ours), recorded[run]?.[theirs] ?? NaN, `${run}: ${ours}`)
      expectClose(number(result, 'win_rate') * 100, recorded[run]?.['Win Rate [%]'] ?? NaN, `${run}: win_rate`)
      const days = String(recorded[run]?.['Max. Drawdown Duration'])
      expect(`${number(result, 'max_drawdown_duration_days')} days 00:00:00`).toBe(days)
      expect(`${Math.ceil(number(result, 'avg_drawdown_duration_days'))} days 00:00:00`).toBe(String(recorded[run]?.['Avg. Drawdown Duration']))
    }
    // Fees and exposure count the open position here and not there; the second run has none open.
    expectClose(number(runs.goog_long_sl5_tp10, 'fees_paid'), recorded.goog_long_sl5_tp10?.['Commissions [$]'] ?? NaN, 'fees_paid')
    expectClose(number(runs.goog_long_sl5_tp10, 'exposure') * 100, recorded.goog_long_sl5_tp10?.['Exposure Time [%]'] ?? NaN, 'exposure')
    const closedFees = runs.goog_flip_c002.trades.reduce((sum, trade) => sum + trade.fees, 0)
    expectClose(closedFees, recorded.goog_flip_c002?.['Commissions [$]'] ?? NaN, 'fees of closed trades')
  })
})
