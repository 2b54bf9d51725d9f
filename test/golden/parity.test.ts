/** The parity variants against what backtesting.py, empyrical and quantstats printed: every recorded key, to 1e-9. */
import { describe, expect, test } from 'vitest'
import type { BacktestResult } from '../../src/engine/index.js'
import { goldenBars, goldenDir, goldenText, googBars, runSmaCross, skipReason } from './golden-data.js'

const BACKTESTING_PY: Readonly<Record<string, string>> = {
  'Exposure Time [%]': 'exposure', 'Equity Final [$]': 'final_equity', 'Equity Peak [$]': 'peak_equity', 'Commissions [$]': 'fees_paid', 'Return [%]': 'total_return',
  'Buy & Hold Return [%]': 'buy_and_hold_return', 'Return (Ann.) [%]': 'annual_return', 'Volatility (Ann.) [%]': 'volatility', 'CAGR [%]': 'cagr',
  'Sharpe Ratio': 'sharpe', 'Sortino Ratio': 'sortino', 'Calmar Ratio': 'calmar', 'Alpha [%]': 'alpha', 'Beta': 'beta',
  'Max. Drawdown [%]': 'max_drawdown', 'Avg. Drawdown [%]': 'avg_drawdown', 'Max. Drawdown Duration': 'max_drawdown_duration_days',
  'Avg. Drawdown Duration': 'avg_drawdown_duration_days', '# Trades': 'total_trades', 'Win Rate [%]': 'win_rate', 'Best Trade [%]': 'best_trade',
  'Worst Trade [%]': 'worst_trade', 'Avg. Trade [%]': 'avg_trade', 'Max. Trade Duration': 'max_trade_duration_days',
  'Avg. Trade Duration': 'avg_trade_duration_days', 'Profit Factor': 'profit_factor', 'Expectancy [%]': 'expectancy', 'SQN': 'sqn', 'Kelly Criterion': 'kelly',
}
const EMPYRICAL: Readonly<Record<string, string>> = {
  cum_returns_final: 'total_return', annual_return: 'annual_return', annual_volatility: 'volatility', sharpe_ratio: 'sharpe', sortino_ratio: 'sortino',
  calmar_ratio: 'calmar', max_drawdown: 'max_drawdown', omega_ratio: 'omega', tail_ratio: 'tail_ratio', value_at_risk: 'value_at_risk',
  conditional_value_at_risk: 'conditional_value_at_risk', downside_risk: 'downside_risk', stability_of_timeseries: 'stability',
}
const QUANTSTATS: Readonly<Record<string, string>> = {
  comp: 'total_return', ulcer_index: 'ulcer', ulcer_performance_index: 'ulcer_performance', serenity_index: 'serenity', gain_to_pain_ratio: 'gain_to_pain',
  kelly_criterion: 'kelly', probabilistic_sharpe_ratio: 'probabilistic_sharpe', autocorr_penalty: 'autocorrelation_penalty',
}
/** Described in words, not as a figure: the first and the last bar. */
const DATES = new Set(['Start', 'End', 'Duration'])

/** Relative, also below 1: a value at risk of 0.03 has nine digits too. */
function expectClose(actual: number, expected: number, what: string): void {
  if (!(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected))) throw new Error(`${what}: ${actual}, recorded ${expected}`)
}

const parityOf = (result: BacktestResult): Record<string, number | null> => result.summary.parity as Record<string, number | null>

describe.skipIf(goldenDir === undefined)(`parity variants${goldenDir === undefined ? ` (${skipReason})` : ''}`, () => {
  const flip = (): BacktestResult => runSmaCross(googBars(), { direction: 'both', sizing: { whole_units: true } })
  const stops = (): BacktestResult => runSmaCross(googBars(), {
    sizing: { whole_units: true }, stop_loss: 0.05, take_profit: 0.1, stop_reference: 'signal_close', finalize: 'close_last_open',
  })

  test.each([['goog_flip_c002', flip], ['goog_long_sl5_tp10', stops]] as const)('backtesting.py, %s', (run, result) => {
    const recorded = (JSON.parse(goldenText('btpy_stats.json')) as Record<string, Record<string, number | string>>)[run] ?? {}
    const parity = parityOf(result())
    const keys = Object.keys(recorded).filter((key) => !DATES.has(key))
    expect(keys.sort()).toEqual(Object.keys(BACKTESTING_PY).sort())
    for (const key of keys) {
      const value = recorded[key]
      const expected = typeof value === 'string' ? Number(/^(\d+) days 00:00:00$/.exec(value)?.[1]) : value ?? NaN
      expectClose(parity[`${BACKTESTING_PY[key]}.backtesting_py`] ?? NaN, expected, `${run}: ${key}`)
    }
  })

  test('empyrical, 252 days', () => {
    const recorded = (JSON.parse(goldenText('metrics_goog_flip_c002.json')) as Record<string, Record<string, number>>).empyrical_252 ?? {}
    const parity = parityOf(flip())
    expect(Object.keys(recorded).sort()).toEqual(Object.keys(EMPYRICAL).sort())
    for (const [key, value] of Object.entries(recorded)) expectClose(parity[`${EMPYRICAL[key]}.empyrical`] ?? NaN, value, key)
  })

  test('quantstats, 252 days, and the probabilistic Sharpe ratio that it gets wrong', () => {
    const recorded = JSON.parse(goldenText('metrics_goog_flip_c002.json')) as { quantstats_252: Record<string, number>; psr0_correct: number }
    const result = flip()
    const parity = parityOf(result)
    expect(Object.keys(recorded.quantstats_252).length).toBe(32)
    for (const [key, value] of Object.entries(recorded.quantstats_252)) expectClose(parity[`${QUANTSTATS[key] ?? key}.quantstats`] ?? NaN, value, key)
    expectClose(result.summary.probabilistic_sharpe_ratio as number, recorded.psr0_correct, 'probabilistic_sharpe_ratio')
  })

  test('no variant, metric or figure of the benchmark is missing on daily, hourly and monthly bars', () => {
    const hourly = runSmaCross(goldenBars('EURUSD.csv'), { direction: 'both', fee_rate: 0.0001 })
    const monthly = runSmaCross(goldenBars('BTCUSD.csv'), { direction: 'both', sizing: { mode: 'fraction', value: 0.05 } })
    for (const result of [flip(), hourly, monthly]) expect(result.summary.null_reasons).toEqual({})
    expect((stops().summary.null_reasons)).toEqual({ short_win_rate: 'no closed short trade' })
    const conventions = hourly.summary.conventions as Record<string, unknown>
    expect(conventions.periods_per_year).toBe(252 * 24)
  })
})
