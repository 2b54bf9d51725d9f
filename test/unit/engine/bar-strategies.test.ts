/** Strategies that decide bar by bar: the same decisions as masks where both can say them, what they see, and where they are refused. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { builtinStrategy, defineStrategy, evaluateTrial, parseBacktestSpec, parseSweepSpec, runBacktest, runPortfolio, runSweep } from '../../../src/engine/index.js'
import type { BacktestResult, BarWindow, Strategy } from '../../../src/engine/index.js'
import { parseCsv } from '../../../src/market/read-csv.js'
import { refusal } from './refusal.js'

const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')

function run(strategy: Strategy, execution: Record<string, unknown> = {}, params: Record<string, number> = {}, window?: BarWindow): BacktestResult {
  return runBacktest(bars, strategy, parseBacktestSpec({ strategy: { name: strategy.name, params }, execution }, { barsGiven: true }), {}, window)
}

const averages = { fast: { min: 2, max: 200, step: 1, default: 10 }, slow: { min: 3, max: 1000, step: 1, default: 20 } }
const cross = defineStrategy({
  name: 'bar-cross', params: averages, constraint: ({ fast, slow }) => fast < slow,
  indicators: ({ close }, { fast, slow }, ta) => {
    const [f, s] = [ta.ema(close, fast), ta.ema(close, slow)]
    return { above: ta.crossAbove(f, s), below: ta.crossBelow(f, s) }
  },
  onBar({ ind, enterLong, exitLong }) {
    if (ind.above() === 1) enterLong()
    if (ind.below() === 1) exitLong()
  },
})

describe('the same decisions as masks', () => {
  test.each([
    {}, { direction: 'both' }, { direction: 'short', fill: 'close' }, { fee_rate: 0.001, slippage: 0.0005, stop_loss: 0.05, take_profit: 0.1, trailing_stop: 0.08 },
    { direction: 'both', fill: 'close', finalize: 'close_last_close', stop_loss: 0.03 }, { finalize: 'close_last_open', stop_loss: { atr: 14, multiple: 2 } },
  ])('with %j', (execution) => {
    const [one, other] = [run(cross, execution), run(builtinStrategy('ema-cross'), execution)]
    expect(one.trades.length).toBeGreaterThan(20)
    expect(one.trades).toEqual(other.trades)
    expect(one.equity).toEqual(other.equity)
  })

  test('within a window, where earlier bars are warm-up', () => {
    const window = { from: 1000, to: 3000 }
    const [one, other] = [run(cross, {}, {}, window), run(builtinStrategy('ema-cross'), {}, {}, window)]
    expect(one.trades.length).toBeGreaterThan(10)
    expect(one.trades).toEqual(other.trades)
  })

  test('in a sweep, trial by trial, and held out', () => {
    const spec = (name: string) => parseSweepSpec({ strategy: { name }, space: { fast: { min: 5, max: 9 }, slow: { min: 8, max: 30, step: 11 } }, holdout: 0.3, execution: { fee_rate: 0.001 } }, { barsGiven: true })
    const [one, other] = [runSweep(bars, spec('bar-cross'), { strategy: cross }), runSweep(bars, spec('ema-cross'))]
    expect(one.top.length).toBeGreaterThan(5)
    expect(one.top).toEqual(other.top)
    expect(one.best).toEqual(other.best)
    expect(evaluateTrial(bars, cross, spec('bar-cross'), { fast: 5, slow: 30 })).toEqual(evaluateTrial(bars, builtinStrategy('ema-cross'), spec('ema-cross'), { fast: 5, slow: 30 }))
  })
})

describe('what onBar sees', () => {
  test('this bar, the past and NaN beyond both; its position; a state of its own for each run', () => {
    const seen: unknown[] = []
    let states = 0
    const strategy = defineStrategy({
      name: 'looks', params: {}, indicators: ({ close }) => ({ twice: close.map((price) => price * 2) }), init: () => ({ id: ++states, calls: 0 }),
      onBar(ctx) {
        ctx.state.calls++
        if (ctx.bar === 2) {
          seen.push(ctx.close() === bars.close[2], ctx.close(0) === bars.close[2], ctx.open(2) === bars.open[0], ctx.close(3), ctx.close(-1), ctx.ind.twice(1) === 2 * bars.close[1]!, ctx.value('twice') === 2 * bars.close[2]!, ctx.ind.twice(-1))
          seen.push(ctx.time() === bars.time[2], ctx.position, ctx.units, ctx.entryPrice, ctx.entryBar, ctx.barsHeld, ctx.cash, ctx.equity, ctx.state.calls, ctx.state.id)
          ctx.enterLong()
        }
        if (ctx.bar === 5) seen.push(ctx.position, ctx.units === 10_000 / bars.open[3]!, ctx.entryPrice === bars.open[3], ctx.entryBar, ctx.barsHeld, Math.abs(ctx.cash) < 1e-9, Math.abs(ctx.equity / (ctx.units * bars.close[5]!) - 1) < 1e-12)
      },
    })
    run(strategy)
    expect(seen).toEqual([true, true, true, NaN, NaN, true, true, NaN, true, 0, 0, NaN, -1, 0, 10_000, 10_000, 3, 1, 1, true, true, 3, 2, true, true])
    run(strategy)
    expect(states).toBe(2)
  })

  test('exits by the bars it holds', () => {
    const hold = defineStrategy({
      name: 'hold', params: { bars: { min: 1, max: 100, step: 1, default: 7 } },
      onBar(ctx) {
        if (ctx.position === 0) ctx.enterLong()
        else if (ctx.barsHeld >= ctx.params.bars) ctx.exitLong()
      },
    })
    const { trades } = run(hold)
    expect(trades.length).toBeGreaterThan(500)
    expect(new Set(trades.map((trade) => trade.exitBar - trade.entryBar))).toEqual(new Set([8]))
    expect(new Set(run(hold, { fill: 'close' }).trades.map((trade) => trade.exitBar - trade.entryBar))).toEqual(new Set([7]))
  })

  test('decisions of the warm-up do not count, for masks either', () => {
    const every = (warmup: number): Strategy => defineStrategy({ name: 'every', params: {}, warmup, onBar(ctx) { ctx.enterLong() } })
    const masks = defineStrategy({ name: 'masks', params: { wait: { min: 0, max: 99, step: 1, default: 30 } }, warmup: ({ wait }) => wait, signals: ({ length }) => ({ longEntry: new Uint8Array(length).fill(1) }) })
    expect(run(every(0)).summary['open_position']).toMatchObject({ entry_bar: 1 })
    expect(run(every(40)).summary['open_position']).toMatchObject({ entry_bar: 41 })
    expect(run(masks).summary['open_position']).toMatchObject({ entry_bar: 31 })
  })

  test('shorts of its own, and none without sides', () => {
    const turn = (sides?: 'both'): Strategy => defineStrategy({
      name: 'turn', params: {}, ...(sides === undefined ? {} : { sides }),
      onBar(ctx) {
        if (ctx.bar === 10) ctx.enterShort()
        if (ctx.bar === 20) ctx.enterLong()
        if (ctx.bar === 30) ctx.exitLong()
      },
    })
    expect(run(turn('both'), { direction: 'both' }).trades.map(({ side, entryBar, exitBar }) => [side, entryBar, exitBar])).toEqual([['short', 11, 21], ['long', 21, 31]])
    const longOnly = run(turn('both'), { direction: 'long' })
    expect(longOnly.trades.map(({ side }) => side)).toEqual(['long'])
    expect(longOnly.summary.warnings).toEqual([expect.stringContaining('direction "long" drops them')])
    expect(refusal(() => run(turn()))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('sides: \'both\'') as string })
  })
})

test('what is wrong is said with the bar and what to change', () => {
  const bad = (onBar: (ctx: { bar: number; value(name: string): number }) => unknown): Strategy => defineStrategy({ name: 'bad', params: {}, onBar: onBar as () => void })
  expect(refusal(() => run(bad(({ bar }) => { if (bar === 7) throw new Error('boom') })))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('on bar 7 (2000-01-12') as string })
  expect(refusal(() => run(bad((ctx) => ctx.value('fast'))))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('"fast"') as string })
  expect(refusal(() => run(bad(async () => { await Promise.resolve() })))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('asynchronous') as string })
  expect(refusal(() => run(defineStrategy({ name: 'short', params: {}, indicators: ({ close }) => ({ some: close.subarray(1) }), onBar: () => undefined })))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('"some"') as string })
  const portfolio = parseBacktestSpec({ strategy: { name: 'bar-cross' }, symbols: [{ symbol: 'A', file: 'a.csv' }, { symbol: 'B', file: 'b.csv' }] })
  expect(refusal(() => runPortfolio([{ symbol: 'A', bars }, { symbol: 'B', bars }], cross, portfolio))).toMatchObject({ code: 'NOT_SUPPORTED' })
  const define = (candidate: Record<string, unknown>) => () => defineStrategy({ name: 'x', params: {}, ...candidate } as unknown as Parameters<typeof defineStrategy>[0])
  for (const [candidate, sentence] of [
    [{ signals: () => ({}), onBar: () => undefined }, 'both signals and onBar'], [{ onBar: 1 }, 'onBar'], [{ onBar: () => undefined, sides: 'short' }, 'sides'],
    [{ signals: () => ({}), init: () => ({}) }, 'only a strategy with onBar has'], [{ signals: () => ({}), warmup: -1 }, 'warmup'], [{}, 'signals(bars, params, ta)'],
  ] as const) expect(refusal(define(candidate))).toMatchObject({ code: 'STRATEGY_INVALID', message: expect.stringContaining(sentence) as string })
})
