/** The built-in strategies on the sample: against plain loops over their definitions, and that they trade at all. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { builtinStrategies, builtinStrategy, checkParams, parseBacktestSpec, runBacktest, ta } from '../../../src/engine/index.js'
import { higherOf } from '../../../src/engine/strategies/higher-timeframe.js'
import { parseCsv } from '../../../src/market/read-csv.js'

const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')
const { high, low, close, length } = bars

type Decisions = Readonly<Record<string, readonly number[]>>

/** The bars on which each mask says yes. */
function decisionsOf(name: string, params: Record<string, number> = {}): Decisions {
  const strategy = builtinStrategy(name)
  const masks = strategy.signals!(bars, checkParams(strategy, params), ta, higherOf(bars))
  return Object.fromEntries(Object.entries(masks).map(([mask, bits]) => [mask, Array.from(bits as Uint8Array).flatMap((bit, i) => (bit === 1 ? [i] : []))]))
}

/** Bars on which `yes` holds and did not on the bar before, where it could be told. */
function turns(yes: (i: number) => boolean | undefined): number[] {
  const found: number[] = []
  for (let i = 1; i < length; i++) if (yes(i) === true && yes(i - 1) === false) found.push(i)
  return found
}

const above = (a: ArrayLike<number>, b: ArrayLike<number> | number) => (i: number): boolean | undefined => {
  const level = typeof b === 'number' ? b : b[i]!
  return Number.isNaN(a[i]!) || Number.isNaN(level) ? undefined : a[i]! > level
}
const below = (a: ArrayLike<number>, b: ArrayLike<number> | number) => (i: number): boolean | undefined => {
  const level = typeof b === 'number' ? b : b[i]!
  return Number.isNaN(a[i]!) || Number.isNaN(level) ? undefined : a[i]! < level
}

test('crosses of an indicator', () => {
  const { macd, signal } = ta.macd(close, 12, 26, 9)
  expect(decisionsOf('macd-cross')).toEqual({ longEntry: turns(above(macd, signal)), longExit: turns(below(macd, signal)) })
  const rsi = ta.rsi(close, 10)
  expect(decisionsOf('rsi-reversion', { period: 10, low: 25, high: 60 })).toEqual({ longEntry: turns(below(rsi, 25)), longExit: turns(above(rsi, 60)) })
  const change = Float64Array.from(close, (price, i) => (i < 60 ? NaN : 100 * (price / close[i - 60]! - 1)))
  expect(decisionsOf('momentum', { period: 60, threshold: 5 })).toEqual({ longEntry: turns(above(change, 5)), longExit: turns(below(change, 5)) })
})

test('bands', () => {
  const { upper, middle, lower } = ta.bollinger(close, 30, 1.5)
  const through = { up: turns(above(close, upper)), down: turns(below(close, lower)), overMiddle: turns(above(close, middle)), underMiddle: turns(below(close, middle)) }
  expect(decisionsOf('bollinger-reversion', { period: 30, width: 1.5 })).toEqual({ longEntry: through.down, longExit: through.overMiddle, shortEntry: through.up, shortExit: through.underMiddle })
  expect(decisionsOf('bollinger-breakout', { period: 30, width: 1.5 })).toEqual({ longEntry: through.up, longExit: through.underMiddle, shortEntry: through.down, shortExit: through.overMiddle })
  const [mean, atr] = [ta.ema(close, 20), ta.atr(high, low, close, 14)]
  const [over, under] = [mean.map((value, i) => value + 1.5 * atr[i]!), mean.map((value, i) => value - 1.5 * atr[i]!)]
  expect(decisionsOf('keltner-breakout', { atr_period: 14, width: 1.5 })).toEqual({
    longEntry: turns(above(close, over)), longExit: turns(below(close, mean)), shortEntry: turns(below(close, under)), shortExit: turns(above(close, mean)),
  })
})

test('a Donchian channel of the bars before', () => {
  const most = (i: number, n: number): number => (i < n ? NaN : Math.max(...high.subarray(i - n, i)))
  const least = (i: number, n: number): number => (i < n ? NaN : Math.min(...low.subarray(i - n, i)))
  const where = (yes: (i: number) => boolean): number[] => Array.from({ length }, (_, i) => i).filter(yes)
  expect(decisionsOf('donchian-breakout', { entry: 55, exit: 20 })).toEqual({
    longEntry: where((i) => close[i]! > most(i, 55)), longExit: where((i) => close[i]! < least(i, 20)), shortEntry: where((i) => close[i]! < least(i, 55)), shortExit: where((i) => close[i]! > most(i, 20)),
  })
})

test('SuperTrend turns where the close leaves the band that it follows', () => {
  const atr = ta.atr(high, low, close, 10)
  const first = atr.findIndex((value) => !Number.isNaN(value))
  const [uppers, lowers, up]: [number[], number[], boolean[]] = [[], [], []]
  const expected: { longEntry: number[]; longExit: number[] } = { longEntry: [], longExit: [] }
  for (let i = first; i < length; i++) {
    const middle = (high[i]! + low[i]!) / 2
    const [u, l, k] = [middle + 3 * atr[i]!, middle - 3 * atr[i]!, i - first]
    uppers.push(k === 0 ? u : close[i - 1]! > uppers[k - 1]! ? u : Math.min(u, uppers[k - 1]!))
    lowers.push(k === 0 ? l : close[i - 1]! < lowers[k - 1]! ? l : Math.max(l, lowers[k - 1]!))
    // The first trend is long, whatever the first close.
    const before = k === 0 || up[k - 1]!
    up.push(k === 0 || (before ? close[i]! >= lowers[k]! : close[i]! > uppers[k]!))
    if (up[k] !== before) (before ? expected.longExit : expected.longEntry).push(i)
  }
  expect(expected.longEntry.length).toBeGreaterThan(30)
  expect(decisionsOf('super-trend')).toEqual(expected)
})

describe('each of them', () => {
  // The pair is tried with its two symbols, in the tests of portfolios.
  test.each([...builtinStrategies.keys()].filter((name) => name !== 'buy-and-hold' && name !== 'z-score-pair'))('%s trades on both sides, and its constraint holds for its defaults', (name) => {
    for (const direction of ['long', 'both', 'short'] as const) {
      const { trades } = runBacktest(bars, builtinStrategy(name), parseBacktestSpec({ strategy: { name }, execution: { direction } }, { barsGiven: true }))
      expect(trades.length).toBeGreaterThan(10)
      if (direction === 'both') expect(new Set(trades.map((trade) => trade.side))).toEqual(new Set(['long', 'short']))
    }
  })
})
