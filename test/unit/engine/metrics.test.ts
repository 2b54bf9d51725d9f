/** Parity variants where no recorded run is at hand, by hand from the definitions in docs/metrics.md; the size of a result; the text of one. */
import { describe, expect, test } from 'vitest'
import { backtestSummary } from '../../../src/cli/backtest-summary.js'
import { backtestingPyStats } from '../../../src/engine/metrics/backtesting-py.js'
import type { TradeColumns } from '../../../src/engine/metrics/trade-columns.js'
import { builtinStrategy, parseBacktestSpec, runBacktest } from '../../../src/engine/index.js'
import { toBars } from '../../property/engine-arbitraries.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NO_TRADES: TradeColumns = {
  count: 0, units: new Float64Array(), entryBar: new Float64Array(), entryPrice: new Float64Array(), exitBar: new Float64Array(), exitPrice: new Float64Array(),
  pnl: new Float64Array(), return: new Float64Array(), fees: new Float64Array(),
}

function stats(time: readonly number[], equity: readonly number[], trades = NO_TRADES, warmUp = 0): Record<string, number> {
  const close = Float64Array.from(equity, (_, i) => 100 + i)
  return backtestingPyStats({ time: Float64Array.from(time), close, equity: Float64Array.from(equity), trades, firstBar: 0, warmUp, riskFree: 0 })
}

describe('backtesting.py, by its definitions', () => {
  const equity = Array.from({ length: 25 }, (_, i) => 1000 * (1 + 0.02 * i + (i % 3 === 0 ? 0.05 : 0)))
  const growth = (equity.at(-1) ?? NaN) / (equity[0] ?? NaN)

  test.each<[string, (i: number) => number, number]>([
    ['weekly bars: 52 a year', (i) => i * 7 * DAY_MS, 52],
    ['month ends: 12 a year', (i) => Date.UTC(2000, i + 1, 0), 12],
    ['year ends: 1 a year', (i) => Date.UTC(2000 + i, 11, 31), 1],
    ['days with weekends: 365', (i) => i * DAY_MS, 365],
    ['bars two days apart: still a day each', (i) => i * 2 * DAY_MS, 365],
  ])('%s', (_name, time, perYear) => {
    const figures = stats(equity.map((_, i) => time(i)), equity)
    expect(figures['annual_return.backtesting_py']).toBeCloseTo((growth ** (perYear / 24) - 1) * 100, 8)
  })

  test('hours: the last of each day, durations rounded up to hours', () => {
    const start = Date.UTC(2024, 0, 2, 22) // a Tuesday; the first day has two bars, the second the rest
    const figures = stats(equity.map((_, i) => start + i * HOUR_MS), equity)
    const first = equity[1] ?? NaN
    const second = equity[24] ?? NaN
    expect(figures['annual_return.backtesting_py']).toBeCloseTo(((second / first) ** 252 - 1) * 100, 6)
    expect(figures['max_drawdown_duration_days.backtesting_py']).toBeCloseTo(3 / 24, 12)
  })

  test('a drawdown of the last bar alone has no duration; buy-and-hold starts after the warm-up', () => {
    const figures = stats([0, 1, 2, 3].map((day) => day * DAY_MS), [100, 110, 120, 60], NO_TRADES, 2)
    expect(figures).toMatchObject({ 'max_drawdown.backtesting_py': -50, 'avg_drawdown.backtesting_py': -50, 'max_drawdown_duration_days.backtesting_py': NaN })
    expect(figures['buy_and_hold_return.backtesting_py']).toBeCloseTo((103 / 102 - 1) * 100, 10)
  })

  test('overlapping trades count a bar once; only closed trades do', () => {
    const of = (...values: number[]): Float64Array => Float64Array.from(values)
    const figures = stats(Array.from({ length: 10 }, (_, i) => i * DAY_MS), Array.from({ length: 10 }, () => 100), {
      count: 2, units: of(1, 1), entryBar: of(1, 3), entryPrice: of(1, 1), exitBar: of(4, 5), exitPrice: of(1, 1), pnl: of(2, -1), return: of(0.2, -0.1), fees: of(1, 1),
    })
    expect(figures['exposure.backtesting_py']).toBe(50)
    expect(figures['profit_factor.backtesting_py']).toBeCloseTo(2, 12)
    expect(figures['avg_trade.backtesting_py']).toBeCloseTo((Math.sqrt(1.2 * 0.9) - 1) * 100, 10)
  })

  test('out of money: equity 0, a total loss, no growth', () => {
    const figures = stats([0, 1, 2, 3, 4].map((day) => day * DAY_MS), [100, 120, -30, -30, -30])
    expect(figures).toMatchObject({ 'final_equity.backtesting_py': 0, 'total_return.backtesting_py': -100, 'max_drawdown.backtesting_py': -100, 'annual_return.backtesting_py': 0 })
  })
})

test('a result stays below 64 KiB whatever the calendar, and says what it leaves out', () => {
  let price = 100
  const count = 3000
  const bars = { ...toBars(Array.from({ length: count }, (_, i) => [price, 0.01, 0.01, price *= i % 2 === 0 ? 1.013 : 0.991] as const)), time: Float64Array.from({ length: count }, (_, i) => Date.UTC(1750, i, 1)) }
  const spec = parseBacktestSpec({ strategy: { name: 'sma-cross', params: { fast: 2, slow: 3 } } }, { barsGiven: true })
  const { summary } = runBacktest(bars, builtinStrategy('sma-cross'), spec)
  expect(JSON.stringify(summary).length).toBeLessThan(60_000)
  expect((summary.monthly_returns as unknown[]).length).toBe(600)
  expect((summary.warnings as string[]).join(' ')).toContain('the last 600 of 3000 months')
})

test('the text of a backtest shows benchmark and years within 80 columns', () => {
  const bars = toBars(Array.from({ length: 900 }, (_, i) => [100 + (i % 40), 0.01, 0.01, 100 + ((i * 7) % 40)] as const))
  const spec = parseBacktestSpec({ strategy: { name: 'sma-cross', params: { fast: 2, slow: 5 } } }, { barsGiven: true })
  const lines = backtestSummary(runBacktest(bars, builtinStrategy('sma-cross'), spec).summary).split('\n')
  expect(lines.some((line) => line.includes('against buy and hold'))).toBe(true)
  expect(lines.some((line) => /2000 .*2001 .*2002/.test(line))).toBe(true)
  expect(lines.slice(0, 2)).toEqual([expect.stringMatching(/^ {2}strategy +sma-cross, fast 2, slow 5$/), expect.stringMatching(/^ {2}bars +900, 2000-01-0\d to 2002-06-\d\d$/)])
  expect(lines.filter((line) => /funding|interest|symbol/.test(line))).toEqual([])
  expect(lines.filter((line) => line.length > 80 && !line.startsWith('  !'))).toEqual([])
})

test('the text of a backtest tells what holding cost, and of a portfolio what each symbol did', () => {
  const lines = backtestSummary({
    total_trades: 3, funding_paid: -1.5, interest_paid: 0,
    open_positions: [{ symbol: 'B', side: 'short', units: 2 }],
    symbols: [{ symbol: 'A', total_trades: 2, realized_pnl: 5, unrealized_pnl: 0, buy_and_hold_return: 7 }, { symbol: 'B', total_trades: 1, realized_pnl: -3, unrealized_pnl: 1, buy_and_hold_return: null }],
  }).split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '))
  expect(lines).toEqual(['trades 3', 'funding paid -1.50', 'open position 2 units short B',
    'symbol trades realized unrealized buy and hold %', '------ ------ -------- ---------- --------------', 'A 2 5 0 7', 'B 1 -3 1 -'])
})
