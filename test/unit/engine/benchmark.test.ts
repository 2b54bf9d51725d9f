/** A benchmark of one's own: how its bars are laid over the run's, and what comes of them. */
import { describe, expect, test } from 'vitest'
import { defineStrategy, parseBacktestSpec, parseSweepSpec, runBacktest, runPortfolio, specToJson } from '../../../src/engine/index.js'
import type { BacktestResult } from '../../../src/engine/index.js'
import { alignBenchmark } from '../../../src/engine/metrics/aligned-benchmark.js'
import type { BarColumns } from '../../../src/market/layout.js'
import { refusal } from './refusal.js'

const DAY = 86_400_000
const HOUR = 3_600_000
const MONDAY = Date.UTC(2024, 0, 1)

function series(times: readonly number[], closes: readonly number[]): BarColumns {
  const column = Float64Array.from(closes)
  return { length: times.length, time: Float64Array.from(times), open: column, high: column, low: column, close: column, volume: new Float64Array(times.length) }
}
const days = (count: number, from = MONDAY, step = DAY): number[] => Array.from({ length: count }, (_, i) => from + i * step)
const wave = (count: number, phase: number): number[] => Array.from({ length: count }, (_, i) => 100 + 10 * Math.sin(i * 0.7 + phase) + i * 0.1)
const aligned = (run: readonly number[], own: readonly number[]): { close: (number | null)[]; from: number; to: number; carried: number } => {
  const { close, ...rest } = alignBenchmark(Float64Array.from(run), series(own, own.map((_, k) => k + 1)))
  return { close: [...close].map((value) => (Number.isNaN(value) ? null : value)), ...rest }
}

describe('alignment by time', () => {
  test('the same times side by side', () => {
    expect(aligned(days(4), days(4))).toEqual({ close: [1, 2, 3, 4], from: 0, to: 4, carried: 0 })
  })

  test('a missing bar keeps the price; before the first and after the last there is none', () => {
    const all = days(8)
    expect(aligned(all, [all[1]!, all[2]!, all[4]!, all[5]!])).toEqual({ close: [null, 1, 2, 2, 3, 4, null, null], from: 1, to: 6, carried: 1 })
    // What the benchmark alone has is passed over, and counts for the return of the next bar.
    expect(aligned([all[0]!, all[1]!, all[4]!, all[5]!, all[6]!], all).close).toEqual([1, 2, 5, 6, 7])
  })

  test('days are those of each market: midnight in Tokyo, an evening open and 14:30 UTC are one day', () => {
    const week = [0, 1, 2, 3, 4, 7, 8, 9, 10, 11].map((day) => MONDAY + day * DAY)
    for (const shift of [-9 * HOUR, -2 * HOUR, 14.5 * HOUR]) {
      const other = week.map((time) => time + shift)
      expect(aligned(week, other).close).toEqual(week.map((_, k) => k + 1))
      expect(aligned(other, week).close).toEqual(week.map((_, k) => k + 1))
    }
  })

  test('longer and finer bars are seen once they have closed', () => {
    const hours = days(50, MONDAY, HOUR)
    const daily = aligned(hours, days(3))
    // The first day has closed with its 24th hour.
    expect(daily.close.slice(22, 25)).toEqual([null, 1, 1])
    expect(daily).toMatchObject({ from: 23, to: 48, carried: 23 })
    expect(aligned(days(3), days(72, MONDAY, HOUR)).close).toEqual([24, 48, 72])
    const months = [0, 1, 2, 3, 4].map((month) => Date.UTC(2024, month, 1))
    expect(aligned(months, months).close).toEqual([1, 2, 3, 4, 5])
  })

  test('fewer than two prices is refused with both spans', () => {
    for (const own of [days(4, MONDAY + 400 * DAY), days(1), days(3, MONDAY - 30 * DAY)]) {
      expect(refusal(() => aligned(days(4), own))).toMatchObject({ code: 'DATA_EMPTY', message: expect.stringMatching(/benchmark has (no|one) price.*it runs from .*; |.*the bars run from/) as string })
    }
  })
})

const hold = defineStrategy({ name: 'hold', params: {}, signals: ({ length }) => ({ longEntry: Uint8Array.from({ length }, (_, i) => (i === 0 ? 1 : 0)) }) })
const spec = (more: object = {}): ReturnType<typeof parseBacktestSpec> => parseBacktestSpec({ strategy: { name: 'hold' }, execution: { fill: 'close' }, ...more } as unknown, { barsGiven: true })
const COUNT = 60
const bars = series(days(COUNT), wave(COUNT, 0))
const index = series(days(COUNT), wave(COUNT, 1))
const run = (benchmark: BarColumns | undefined, more: object = { benchmark: { file: 'indices/SPX.csv' } }): BacktestResult => runBacktest(bars, hold, spec(more), {}, undefined, undefined, benchmark)

/** Least squares of y on x, by the definition of docs/metrics.md. */
function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const [mx, my] = [mean(x), mean(y)]
  return x.reduce((sum, value, k) => sum + (value - mx) * (y[k]! - my), 0) / x.reduce((sum, value) => sum + (value - mx) ** 2, 0)
}
const returnsOf = (values: ArrayLike<number>): number[] => Array.from({ length: values.length - 1 }, (_, k) => values[k + 1]! / values[k]! - 1)

describe('what is compared', () => {
  test('alpha, beta and the benchmark\'s figures are against it; the rest does not change', () => {
    const { summary, equity } = run(index)
    const without = runBacktest(bars, hold, spec())
    const beta = slope(returnsOf(index.close), returnsOf(equity))
    expect(summary['beta']).toBeCloseTo(beta, 12)
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
    expect(summary['alpha']).toBeCloseTo((mean(returnsOf(equity)) - beta * mean(returnsOf(index.close))) * 365 * 100, 9)
    expect(summary['benchmark']).toMatchObject({ name: 'SPX', total_return: (index.close.at(-1)! / index.close[0]! - 1) * 100 })
    expect(summary['warnings']).toEqual(without.summary['warnings'])
    const { alpha: _a, beta: _b, benchmark: _c, null_reasons: _g, ...rest } = summary
    const { alpha: _d, beta: _e, benchmark: _f, null_reasons: _h, ...other } = without.summary
    expect(rest).toEqual(other)
  })

  test('its own bars as the benchmark give what there is without one, to the bit', () => {
    const { summary } = run(bars)
    const without = runBacktest(bars, hold, spec()).summary
    expect([summary['alpha'], summary['beta']]).toEqual([without['alpha'], without['beta']])
    expect(summary['benchmark']).toEqual({ ...without['benchmark'] as object, name: 'SPX' })
  })

  test('bars without a price are left out on both sides, and the result says how many', () => {
    const part = series([...days(COUNT).slice(10, 30), ...days(COUNT).slice(32, 50)], [...wave(COUNT, 1).slice(10, 30), ...wave(COUNT, 1).slice(32, 50)])
    const { summary, equity } = run(part)
    const filled = wave(COUNT, 1)
    filled[30] = filled[29]!
    filled[31] = filled[29]!
    expect(summary['beta']).toBeCloseTo(slope(returnsOf(filled.slice(10, 50)), returnsOf(equity.slice(10, 50))), 12)
    const { total_return: total, excess_return: excess } = summary['benchmark'] as Record<string, number>
    expect(excess).toBeCloseTo((equity[49]! / equity[10]! - 1) * 100 - total!, 10)
    expect(summary['warnings']).toEqual(expect.arrayContaining([
      expect.stringMatching(/The benchmark SPX covers 40 of 60 bars, from 2024-01-11\S* to 2024-02-19/), expect.stringMatching(/no new bar on 2 of 40 bars/),
    ]))
  })

  test('a portfolio too', () => {
    const parts = [{ symbol: 'A', bars }, { symbol: 'B', bars: index }]
    const { summary } = runPortfolio(parts, hold, spec({ symbols: ['A', 'B'], timeframe: '1d', benchmark: 'SPX' }), {}, index)
    expect(summary['benchmark']).toMatchObject({ name: 'SPX', total_return: (index.close.at(-1)! / index.close[0]! - 1) * 100 })
  })

  test('spec and bars agree that there is one', () => {
    expect(refusal(() => run(undefined)).message).toContain('were not given')
    expect(refusal(() => run(index, {})).message).toContain('names none')
  })
})

describe('in a spec', () => {
  const parse = (json: object, options = {}): unknown => parseBacktestSpec({ strategy: { name: 'hold' }, ...json } as unknown, options)
  test.each([
    [{ file: 'a.csv', benchmark: 'SPX' }, /benchmark names the stored bars of SPX, but the spec has no timeframe/],
    [{ file: 'a.csv', benchmark: {} }, /either a file or a symbol/],
    [{ file: 'a.csv', benchmark: { file: 'b.csv', symbol: 'SPX' } }, /either a file or a symbol/],
    [{ file: 'a.csv', benchmark: { file: 'b.csv', timeframe: '1d' } }, /benchmark\.timeframe has no meaning for a file/],
    [{ file: 'a.csv', benchmark: { symbl: 'SPX' } }, /"benchmark\.symbl"; did you mean "symbol"/],
    [{ file: 'a.csv', benchmark: 7 }, /benchmark is 7/],
    [{ file: 'a.csv', benchmark: { file: '' } }, /benchmark\.file/],
    [{ file: 'a.csv', benchmark: { file: 'b.csv' }, data_hash: 'a'.repeat(64), data_parts: [5] }, /data_parts has 1 counts/],
  ])('%j is refused', (json, sentence) => { expect(refusal(() => parse(json)).message).toMatch(sentence) })

  test('it comes back from its JSON, and where it lies is not in the hash of pinned bars', () => {
    for (const benchmark of [{ file: 'b.csv' }, { symbol: 'SPX', timeframe: '1d' }, { symbol: 'SPX', exchange: 'x', timeframe: '1d' }]) {
      expect(specToJson(parseBacktestSpec({ file: 'a.csv', strategy: { name: 'hold' }, benchmark } as unknown))).toMatchObject({ benchmark })
    }
    expect(refusal(() => parseSweepSpec({ file: 'a.csv', strategy: { name: 'hold' }, space: { n: { choices: [1] } }, benchmark: 'SPX' } as unknown))).toMatchObject({ code: 'NOT_SUPPORTED' })
  })
})
