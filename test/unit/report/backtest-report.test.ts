/** The parts of a backtest's report: nothing hidden by thinning, figures as defined, hostile text, nested keys it has never heard of. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { builtinStrategy, defineStrategy } from '../../../src/engine/index.js'
import { backtestCharts } from '../../../src/engine/report/backtest-charts.js'
import { calendarReturns } from '../../../src/engine/report/calendar-returns.js'
import { candlesOn, chartGrid, lineOn } from '../../../src/engine/report/chart-grid.js'
import { metricSections } from '../../../src/engine/report/metric-sections.js'
import { recordIndicators } from '../../../src/engine/report/indicator-record.js'
import { renderBacktestReport } from '../../../src/engine/report/backtest-report.js'
import { rollingSharpe } from '../../../src/engine/report/rolling-sharpe.js'
import { chosenTrades } from '../../../src/engine/report/trade-rows.js'
import { histogram, roundStep } from '../../../src/engine/report/trade-shape.js'
import type { BarColumns } from '../../../src/market/layout.js'

const ASSETS = { uplotJs: 'var uPlot = function () {} // </script>', uplotCss: '.u{}' }
const HOSTILE = '<img src=x onerror=alert(1)>"\'&\u2028</script><!--'
const DAY_MS = 86_400_000

function walk(length: number, stepMs = DAY_MS): BarColumns {
  const close = Float64Array.from({ length }, (_, i) => 100 + 10 * Math.sin(i / 7) + i / 50)
  return {
    length, time: Float64Array.from({ length }, (_, i) => Date.UTC(2020, 0, 1) + i * stepMs), close,
    open: close.map((value, i) => close[i - 1] ?? value), high: close.map((value) => value + 1), low: close.map((value) => value - 1), volume: new Float64Array(length).fill(5),
  }
}

describe('days that are not those of UTC', () => {
  const walked = walk(400)
  const days = walked.time.filter((ms) => new Date(ms).getUTCDay() % 6 !== 0)
  const tokyo = days.map((ms) => ms - 9 * 3_600_000)
  const equity = Float64Array.from(days, (_, i) => 1000 + i)

  test('the table of months is the same, and the charts show their dates', () => {
    expect(calendarReturns(tokyo, equity, 1000)).toEqual(calendarReturns(days, equity, 1000))
    const shiftOf = (time: Float64Array): number => backtestCharts({
      name: '', holdName: '', hold: equity, time, equity, initialCash: 1000, trades: { names: [], rows: [] } as never, bars: null, periodsPerYear: 252, riskFree: 0, indicators: () => [],
    }).charts.dayShift * 1000
    expect(shiftOf(days)).toBe(0)
    const shift = shiftOf(tokyo)
    tokyo.forEach((ms, i) => { expect(Math.floor((ms + shift) / DAY_MS) * DAY_MS).toBe(days[i]) })
    expect(shiftOf(Float64Array.from({ length: 200 }, (_, i) => i * 3_600_000))).toBe(0)
  })
})

describe('the shared x axis', () => {
  test('a thinned line keeps the lowest and highest of every point, and the last', () => {
    fc.assert(fc.property(fc.integer({ min: 6001, max: 20_000 }), fc.integer({ min: 0, max: 5999 }), (length, at) => {
      const column = Float64Array.from({ length }, (_, i) => (i === at ? -1e6 : i === length - 1 - at ? 1e6 : Math.sin(i)))
      const grid = chartGrid(Float64Array.from({ length }, (_, i) => i * 1000))
      const { last, low = [], high = [] } = lineOn(grid, column)
      expect(grid.points).toBeLessThanOrEqual(3000)
      expect([last.length, Math.min(...low as number[]), Math.max(...high as number[])]).toEqual([grid.points, -1e6, 1e6])
      expect(last.at(-1)).toBe(Number(column[length - 1]!.toPrecision(7)))
    }), { numRuns: 30 })
  })
  test('a few bars stand as they are', () => {
    const bars = walk(50)
    const grid = chartGrid(bars.time)
    expect([grid.barsPerPoint, grid.points, lineOn(grid, bars.close).low]).toEqual([1, 50, undefined])
    expect(candlesOn(grid, bars).open[3]).toBe(Number(bars.open[3]!.toPrecision(7)))
  })
})

test('months and years compound to the whole run', () => {
  const { time } = walk(900)
  const equity = time.map((_, i) => 1000 * (1 + 0.3 * Math.sin(i / 40)))
  const years = calendarReturns(time, equity, 990)
  const compound = (values: readonly (number | null)[]): number => values.reduce<number>((product, value) => product * (1 + (value ?? 0) / 100), 1)
  expect(years.map(({ year }) => year)).toEqual(['2020', '2021', '2022'])
  expect(compound(years.flatMap(({ months }) => months))).toBeCloseTo((equity.at(-1) ?? 0) / 990, 10)
  for (const { months, total } of years) expect(compound(months)).toBeCloseTo(1 + (total ?? NaN) / 100, 10)
  expect(years[2]?.months.slice(6)).toEqual([null, null, null, null, null, null])
})

test('the rolling Sharpe ratio is that of each window by itself', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -0.05, max: 0.05, noNaN: true }), { minLength: 30, maxLength: 120 }), (returns) => {
    const equity = Float64Array.from([1, ...returns.map(() => 0)])
    returns.forEach((value, i) => { equity[i + 1] = equity[i]! * (1 + value) })
    const { values } = rollingSharpe(equity, 20, 252, 0.02)
    for (let i = 1; i < equity.length; i++) {
      if (i < 20) { expect(values[i]).toBeNaN(); continue }
      const window = Array.from({ length: 20 }, (_, k) => equity[i - 19 + k]! / equity[i - 20 + k]! - 1)
      const mean = window.reduce((sum, one) => sum + one, 0) / 20
      const deviation = Math.sqrt(window.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 19)
      if (deviation < 1e-6) continue
      expect(values[i]).toBeCloseTo(((mean - 0.02 / 252) / deviation) * Math.sqrt(252), 4)
    }
  }), { numRuns: 100 })
  expect([...rollingSharpe(new Float64Array(40).fill(7), 20, 252, 0).values].every(Number.isNaN)).toBe(true)
})

test('a histogram counts everything once, and 0 is an edge', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -50, max: 90, noNaN: true }), { minLength: 1, maxLength: 400 }), (values) => {
    const made = histogram(Float64Array.from(values))
    if (made === null) throw new Error('there are values')
    expect(made.counts.reduce((sum, one) => sum + one, 0)).toBe(values.length)
    expect(Math.abs(made.start / made.step - Math.round(made.start / made.step))).toBeLessThan(1e-6)
  }))
  expect(histogram(new Float64Array())).toBeNull()
  expect([0.9, 1, 1.1, 2.2, 3, 7].map(roundStep)).toEqual([1, 1, 2, 2.5, 5, 10])
})

test('of too many trades the ends and the extremes stay', () => {
  const pnl = Float64Array.from({ length: 1000 }, (_, i) => (i === 500 ? 1e6 : i === 501 ? -1e6 : Math.sin(i)))
  const chosen = chosenTrades(pnl, 100, 10, 5)
  expect(chosen).toEqual(expect.arrayContaining([0, 9, 990, 999, 500, 501]))
  expect(chosen.length).toBeLessThanOrEqual(30)
  expect(chosen).toEqual([...chosen].sort((a, b) => a - b))
  expect(chosenTrades(pnl, 1000, 10, 5).length).toBe(1000)
})

describe('indicators', () => {
  test('are those the strategy asked for, by name, over the price or beside it', () => {
    const bars = walk(300)
    const strategy = defineStrategy({
      name: 'x', params: {},
      signals({ close, high, low }, _params, ta) {
        ta.sma(ta.sma(close, 5), 10)
        ta.rsi(close, 14)
        ta.bollinger(close, 20, 2)
        ta.atr(high, low, close, 14)
        return { longEntry: ta.crossAbove(close, ta.ema(close, 9)) }
      },
    })
    const { lines, left, note } = recordIndicators(strategy, bars, {}, chartGrid(bars.time))
    expect([left, note]).toEqual([[], null])
    expect(lines.map(({ label, panel }) => [label, panel])).toEqual([
      ['sma(close, 5)', null], ['sma(sma(close, 5), 10)', null], ['rsi(close, 14)', 'rsi'], ['bollinger(close, 20, 2) upper', null], ['bollinger(close, 20, 2) middle', null],
      ['bollinger(close, 20, 2) lower', null], ['atr(high, low, close, 14)', 'atr'], ['ema(close, 9)', null],
    ])
  })
  test('a strategy that throws costs its lines, not the report', () => {
    const bars = walk(30)
    const strategy = defineStrategy({ name: 'x', params: {}, signals: () => { throw new Error('no') } })
    expect(recordIndicators(strategy, bars, {}, chartGrid(bars.time))).toMatchObject({ lines: [], note: expect.stringContaining('no') as string })
  })
})

describe('the page', () => {
  const bars = walk(400)
  const strategy = builtinStrategy('sma-cross')
  const html = renderBacktestReport({
    taskId: 't', source: HOSTILE, spec: { strategy: { name: HOSTILE, params: { fast: 3 } }, execution: { initial_cash: 100, stop_loss: { atr: 14, multiple: 2 } } },
    summary: {
      total_return: 9, warnings: [HOSTILE], [HOSTILE]: 3, parity: { 'sharpe.backtesting_py': 0.5, [`sharpe.${HOSTILE}`]: null }, benchmark: { correlation: 0.25, [HOSTILE]: { deep: [1] } },
      symbols: [{ symbol: HOSTILE, total_trades: 3 }], odd: [1, 2, { a: 1 }], conventions: { periods_per_year: 252, units: { total_return: HOSTILE } }, null_reasons: { kelly: HOSTILE }, kelly: null,
    },
    time: bars.time, equity: bars.close, close: bars.close, bars,
    tradesCsv: `side,units,entry_bar,entry_time,entry_price,exit_bar,exit_time,exit_price,pnl,return,fees,exit_reason\nlong,2,1,2020-01-02T00:00:00Z,51,5,2020-01-06T00:00:00Z,52,2,0.02,0,${HOSTILE.replaceAll(',', '')}\n`,
    indicators: (grid) => recordIndicators(strategy, bars, { fast: 3, slow: 8 }, grid),
  }, ASSETS)
  test('asks nobody for anything, and hostile text stays text', () => {
    expect(html).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//)
    expect(html).not.toMatch(/url\((?!data:)|@import|fetch\(|XMLHttpRequest/)
    expect(html).not.toContain('<img')
    expect([html.match(/<script/g)?.length, html.match(/<\/script>/g)?.length]).toEqual([3, 3])
  })
  test('has its sections, and the figures of nested groups', () => {
    for (const words of ['Equity', 'Price', 'Symbols', 'Returns by month', 'Every trade', 'How these numbers were made', 'other libraries', 'Correlation', 'sma(close, 3)']) expect(html).toContain(words)
    const data = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '') as { time: number[]; marks: number[][]; price: { close: number[] } }
    expect([data.time.length, data.price.close.length]).toEqual([400, 400])
    expect(data.marks).toEqual([[1, 1, Date.UTC(2020, 0, 2) / 1000, 51, Date.UTC(2020, 0, 6) / 1000, 52, 2, 2]])
  })
})

test('figures stand in an order and spelling of their own, those of the benchmark with their unit, however the keys came', () => {
  const html = metricSections({ best_mfe: 3, long_pnl: 40, avg_mae: -1, total_trades: 2, short_pnl: 50, probabilistic_sharpe_ratio: 0.5, benchmark: { up_capture: 5.5, cagr: 2, excess_return: -1.25, total_return: 7 } })
  const figures = [...html.matchAll(/<dt[^>]*>([^<]*)<\/dt><dd>([^<]*)/g)].map(([, name, value]) => `${name}: ${value?.replaceAll('\u202f', ' ')}`)
  expect(figures).toEqual(['Probabilistic Sharpe ratio: 50.0 %', 'Total trades: 2', 'Long P&amp;L: 40.00', 'Short P&amp;L: 50.00', 'Avg MAE: −1.00 %', 'Best MFE: 3.00 %',
    'Total return: 7.00 %', 'Excess return: −1.25 %', 'CAGR: 2.00 %', 'Up capture: 5.50 %'])
})
