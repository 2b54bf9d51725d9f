/**
 * Figures that stand in the repository: the sample (S&P 500 daily, 2000 to 2020) run by an independent simulator,
 * written in another language from the execution contract alone. The recorded results of backtesting.py and
 * vectorbt are checked by the other files here when GOLDEN_DIR is set; of those only the totals are repeated.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import type { BacktestResult } from '../../src/engine/index.js'
import { builtinStrategy, parseBacktestSpec, parseSweepSpec, runBacktest, runSweep } from '../../src/engine/index.js'
import { parseCsv } from '../../src/market/read-csv.js'
import { expectClose } from './golden-data.js'

const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')

function run(name: string, params: Record<string, number>, execution: Record<string, unknown>): BacktestResult {
  return runBacktest(bars, builtinStrategy(name), parseBacktestSpec({ strategy: { name, params }, execution }, { barsGiven: true }))
}

const figures: readonly {
  name: string
  strategy: string
  params: Record<string, number>
  execution: Record<string, unknown>
  finalEquity: number
  lowest: number
  trades: number
  openUnits: number
  first: readonly [units: number, entryBar: number, entryPrice: number, exitBar: number, exitPrice: number, pnl: number]
}[] = [
  {
    name: 'next open, long only', strategy: 'sma-cross', params: { fast: 10, slow: 20 }, execution: { fee_rate: 0.001 },
    finalEquity: 8899.722246570995, lowest: 6424.241869686988, trades: 128, openUnits: 3.0960293275858786,
    first: [7.12528771503933, 31, 1402.050049, 34, 1346.089966, -418.3129802205683],
  },
  {
    name: 'next open, both directions, whole units', strategy: 'sma-cross', params: { fast: 10, slow: 20 },
    execution: { fee_rate: 0.002, direction: 'both', sizing: { whole_units: true } },
    finalEquity: 2950.8430160920016, lowest: 2586.0553791100015, trades: 236, openUnits: 1,
    first: [7, 31, 1402.050049, 34, 1346.089966, -430.1945412099996],
  },
  {
    name: 'the signal bar\'s close', strategy: 'sma-cross', params: { fast: 10, slow: 20 }, execution: { fee_rate: 0.001, fill: 'close' },
    finalEquity: 9113.778771098412, lowest: 6302.841857279454, trades: 128, openUnits: 3.1704951658824996,
    first: [7.12528771503933, 30, 1402.050049, 33, 1346.089966, -418.3129802205683],
  },
  {
    name: 'stop and target of the fill price, slippage', strategy: 'sma-cross', params: { fast: 10, slow: 20 },
    execution: { fee_rate: 0.001, stop_loss: 0.05, take_profit: 0.1, slippage: 0.0005 },
    finalEquity: 11502.023529890108, lowest: 7653.400924054942, trades: 128, openUnits: 4.0013161297076625,
    first: [7.121726851613525, 31, 1402.7510740244998, 34, 1345.416921017, -427.889878791061],
  },
  {
    name: 'all costs, both directions', strategy: 'sma-cross', params: { fast: 10, slow: 20 },
    execution: { fee_rate: 0.001, fee_fixed: 2, spread: 0.0002, slippage: 0.0005, direction: 'both' },
    finalEquity: 1685.8058618564262, lowest: 1410.4489534402442, trades: 256, openUnits: 0.5864569976815456,
    first: [7.118878730497102, 31, 1403.0316242393046, 34, 1345.416921017, -433.7179572238577],
  },
  {
    name: 'exponential averages', strategy: 'ema-cross', params: { fast: 12, slow: 26 }, execution: { fee_rate: 0.001 },
    finalEquity: 11965.986955272152, lowest: NaN, trades: 80, openUnits: 4.162719410856518,
    first: [6.84965079065724, 52, 1458.469971, 74, 1401.439941, -410.2251742706447],
  },
]

describe('figures of an independent simulator on the sample', () => {
  test.each(figures)('$name', ({ strategy, params, execution, finalEquity, lowest, trades, openUnits, first }) => {
    const result = run(strategy, params, execution)
    expectClose(result.summary.final_equity as number, finalEquity, 'final equity')
    if (!Number.isNaN(lowest)) expectClose(Math.min(...result.equity), lowest, 'lowest equity')
    expect(result.trades.length).toBe(trades)
    const [trade] = result.trades
    if (trade === undefined) throw new Error('there is no trade')
    const actual = [trade.units, trade.entryBar, trade.entryPrice, trade.exitBar, trade.exitPrice, trade.pnl]
    first.forEach((value, k) => expectClose(actual[k] ?? NaN, value, `value ${k} of the first trade`))
    expectClose((result.summary.open_position as { units: number }).units, openUnits, 'units of the open position')
  })

  test('buy-and-hold in whole units, and its Sharpe ratio', () => {
    const result = run('buy-and-hold', {}, { sizing: { whole_units: true } })
    expectClose(result.summary.final_equity as number, 18516.040528, 'final equity')
    expectClose(result.summary.sharpe_ratio as number, 0.26395210288939736, 'sharpe_ratio', 1e-11)
    expect(result.trades).toEqual([])
    expect(result.summary.open_position).toMatchObject({ side: 'long', units: 6, entry_bar: 1 })
    expect(result.summary.win_rate).toBeNull()
    expect((result.summary.null_reasons as Record<string, string>).win_rate).toBe('no closed trade')
  })

  test('the best of a small grid', () => {
    const spec = parseSweepSpec({
      strategy: { name: 'sma-cross' }, space: { fast: { choices: [5, 10, 15] }, slow: { min: 20, max: 50, step: 10 } },
      objective: 'total_return', execution: { fee_rate: 0.001 }, top: 4,
    }, { barsGiven: true })
    const { top, trials } = runSweep(bars, spec)
    expect(trials).toBe(12)
    expect(top.map(({ trial, params, metrics }) => [trial, params, metrics.total_trades])).toEqual([
      [1, { fast: 5, slow: 30 }, 118], [5, { fast: 10, slow: 30 }, 87], [10, { fast: 15, slow: 40 }, 71], [6, { fast: 10, slow: 40 }, 72],
    ])
    expectClose(top[0]?.metrics.final_equity ?? NaN, 13815.8010197515, 'final equity of the best')
    expectClose(top[3]?.metrics.final_equity ?? NaN, 12621.692325277807, 'final equity of the fourth')
  })
})
