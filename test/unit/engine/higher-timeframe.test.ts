/** `higher`: the bars of the bar store's own resampling, seen only once they have closed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { seededRandom } from '../../../src/base/random.js'
import { defineStrategy, parseBacktestSpec, runBacktest, ta } from '../../../src/engine/index.js'
import { higherOf } from '../../../src/engine/strategies/higher-timeframe.js'
import type { BarColumns } from '../../../src/market/layout.js'
import { parseCsv } from '../../../src/market/read-csv.js'
import { resampleBars } from '../../../src/market/resample.js'
import { parseTimeframe } from '../../../src/market/timeframe.js'
import { refusal } from './refusal.js'

const MINUTE = 60_000
const sample = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')

/** Bars from `fromMs` on, some of them missing. */
function randomBars(fromMs: number, stepMs: number, count: number, missing: number): BarColumns {
  const random = seededRandom(count + stepMs)
  const time = Float64Array.from({ length: count }, (_, i) => fromMs + i * stepMs).filter((_, i) => i === 0 || random.next() >= missing)
  const column = (): Float64Array => Float64Array.from(time, () => 100 + random.next())
  const [open, close] = [column(), column()]
  return { length: time.length, time, open, close, high: open.map((one, i) => Math.max(one, close[i]!) + random.next()), low: open.map((one, i) => Math.min(one, close[i]!) - random.next()), volume: column() }
}

const START = Date.UTC(2023, 10, 29, 22, 35)
const CASES = [
  ['5m', '15m', randomBars(START, 5 * MINUTE, 3000, 0)], ['5m', '4h', randomBars(START, 5 * MINUTE, 3000, 0.2)], ['5m', '1d', randomBars(START, 5 * MINUTE, 3000, 0.05)],
  ['1h', '1w', randomBars(Date.UTC(2023, 10, 29, 22), 60 * MINUTE, 3000, 0.1)], ['1h', '1M', randomBars(Date.UTC(2023, 10, 29, 22), 60 * MINUTE, 5000, 0.1)], ['1d', '1w', sample], ['1d', '1M', sample],
] as const

describe.each(CASES)('of %s bars, %s', (base, timeframe, bars) => {
  const [stored, wanted] = [parseTimeframe(base), parseTimeframe(timeframe)]
  const { bars: longer, align } = higherOf(bars)(timeframe)

  test('the bars are those of the store, whole ones alone', () => {
    const { columns } = resampleBars(bars, stored, wanted, bars.time[0]!, stored.next(bars.time[bars.length - 1]!))
    expect(longer.length).toBeGreaterThan(3)
    expect(longer).toEqual(columns)
  })

  test('each base bar sees the last one that had closed by its own close', () => {
    const seen = align(longer.close)
    const numbers = align(Float64Array.from({ length: longer.length }, (_, k) => k))
    let changes = 0
    for (let i = 0; i < bars.length; i++) {
      const now = stored.next(bars.time[i]!)
      let last = -1
      while (last + 1 < longer.length && wanted.next(longer.time[last + 1]!) <= now) last++
      expect(numbers[i]).toBe(last === -1 ? NaN : last)
      expect(seen[i]).toBe(last === -1 ? NaN : longer.close[last])
      if (i > 0 && !Object.is(numbers[i], numbers[i - 1])) changes++
    }
    expect(changes).toBeGreaterThan(3)
  })

  test('later bars change nothing of it', () => {
    for (const length of [2, 50, 700, bars.length - 1]) {
      const cut = Object.fromEntries(Object.entries(bars).map(([name, column]) => [name, column instanceof Float64Array ? column.slice(0, length) : length])) as unknown as BarColumns
      const { bars: fewer, align: alignFewer } = higherOf(cut, stored.stepMs ?? undefined)(timeframe)
      expect([...alignFewer(ta.ema(fewer.close, 2))]).toEqual([...align(ta.ema(longer.close, 2)).subarray(0, length)])
    }
  })
})

test('in both kinds of strategy, from a backtest of the whole', () => {
  const spec = parseBacktestSpec({ strategy: { name: 'weekly' } }, { barsGiven: true })
  const masks = defineStrategy({ name: 'weekly', params: {}, signals({ close }, _params, indicators, higher) {
    const week = higher('1w')
    const mean = week.align(indicators.sma(week.bars.close, 10))
    return { longEntry: indicators.crossAbove(close, mean), longExit: indicators.crossBelow(close, mean) }
  } })
  const barByBar = defineStrategy({ name: 'weekly', params: {}, indicators({ close }, _params, indicators, higher) {
    const week = higher('1w')
    const mean = week.align(indicators.sma(week.bars.close, 10))
    return { above: indicators.crossAbove(close, mean), below: indicators.crossBelow(close, mean) }
  }, onBar(ctx) { if (ctx.ind.above() === 1) ctx.enterLong(); else if (ctx.ind.below() === 1) ctx.exitLong() } })
  const [one, other] = [runBacktest(sample, masks, spec), runBacktest(sample, barByBar, spec)]
  expect(one.trades.length).toBeGreaterThan(50)
  expect(one.trades).toEqual(other.trades)
})

test('what does not fit is refused by name', () => {
  const higher = higherOf(randomBars(START, 4 * 60 * MINUTE, 500, 0))
  for (const timeframe of ['1h', '6h', '0h', 'week', '1', '90m', '']) expect(refusal(() => higher(timeframe))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining(`higher("${timeframe}")`) as string })
  for (const timeframe of ['4h', '8h', '1d', '1w', '1M', '3M']) expect(higher(timeframe).align(higher(timeframe).bars.close)).toHaveLength(500)
  expect(refusal(() => higher('1d').align(new Float64Array(500)))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('500 values') as string })
  expect(refusal(() => higherOf(sample)('4h'))).toMatchObject({ message: expect.stringContaining('1d long') as string })
})
