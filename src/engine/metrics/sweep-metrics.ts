/**
 * The metrics of a trial row, in their stated order, with their units. The order is part of the result hash of
 * a sweep: new metrics go to the end, and none is ever renamed or moved within an engine version.
 */

export const SWEEP_METRICS: readonly string[] = [
  'total_return', 'annual_return', 'cagr', 'volatility', 'sharpe_ratio', 'sortino_ratio', 'calmar_ratio', 'max_drawdown',
  'total_trades', 'win_rate', 'best_trade', 'worst_trade', 'avg_trade', 'profit_factor', 'expectancy', 'sqn', 'kelly',
  'exposure', 'turnover', 'fees_paid', 'final_equity',
]

/** Unit or meaning of every metric of a result; what a reader needs to compare it with another program's. */
export const METRIC_UNITS: Readonly<Record<string, string>> = {
  total_return: 'percent of initial_cash',
  annual_return: 'percent a year: growth ^ (periods_per_year / returns) - 1',
  cagr: 'percent a year of 365.25 calendar days',
  volatility: 'percent a year: sample deviation of the returns of bars × √periods_per_year',
  sharpe_ratio: 'ratio: mean excess return ÷ sample deviation × √periods_per_year',
  sortino_ratio: 'ratio: mean excess return ÷ √mean(min(excess, 0)²) × √periods_per_year',
  calmar_ratio: 'ratio: annual_return ÷ |max_drawdown|',
  max_drawdown: 'percent, negative',
  total_trades: 'closed trades',
  win_rate: 'fraction of closed trades with pnl > 0',
  best_trade: 'percent: return of the best trade, net of fees',
  worst_trade: 'percent: return of the worst trade, net of fees',
  avg_trade: 'percent: arithmetic mean of the trades\' returns, net of fees',
  profit_factor: 'ratio: sum of winning pnl ÷ sum of losing pnl',
  expectancy: 'currency: mean pnl of a trade',
  sqn: 'ratio: √trades × mean pnl ÷ sample deviation of pnl',
  kelly: 'fraction: win_rate - (1 - win_rate) ÷ (mean win ÷ mean loss)',
  exposure: 'fraction of bars from an entry to its exit, both counted',
  turnover: 'times: notional of all fills ÷ mean equity',
  fees_paid: 'currency, open position included',
  final_equity: 'currency',
  avg_drawdown: 'percent, negative: mean of the deepest points of all drawdowns',
  max_drawdown_duration_bars: 'bars from peak to recovery, or to the end',
  avg_drawdown_duration_bars: 'bars',
  max_drawdown_duration_days: 'calendar days from peak to recovery, or to the end',
  avg_drawdown_duration_days: 'calendar days',
  ulcer_index: 'percent: √(Σ drawdown² ÷ (returns - 1))',
  value_at_risk: 'percent: 5th percentile of the returns of bars',
  conditional_value_at_risk: 'percent: mean of the lowest 5 % of the returns of bars',
  omega_ratio: 'ratio: sum of gains ÷ sum of losses of bars',
  tail_ratio: 'ratio: |95th percentile| ÷ |5th percentile| of the returns of bars',
  skew: 'sample skewness of the returns of bars',
  kurtosis: 'sample excess kurtosis of the returns of bars',
  alpha: 'percent a year against buy-and-hold of the same bars',
  beta: 'slope against the returns of the bars\' closes',
  buy_and_hold_return: 'percent from the first close to the last',
  longest_trade_bars: 'bars',
  avg_trade_bars: 'bars',
}
