/** What a user wrote and nothing would act on is refused by name: in orders, masks, definitions, indicators and specs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import {
  builtinStrategy, checkStrategy, defineStrategy, evaluateTrial, parseBacktestSpec, parseSweepSpec, runBacktest, runPortfolio, runSweep, ta,
} from '../../../src/engine/index.js'
import type { BacktestSpec, Strategy, SweepSpec } from '../../../src/engine/index.js'
import { parseCsv } from '../../../src/market/read-csv.js'
import { refusal } from './refusal.js'

const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')
const spec = parseBacktestSpec({ strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } }, { barsGiven: true })
const sweep = parseSweepSpec({ strategy: { name: 'sma-cross' }, space: { fast: { choices: [5, 10] } } }, { barsGiven: true })
const plain = parseBacktestSpec({ strategy: { name: 'mine' } }, { barsGiven: true })

/** What a strategy file in JavaScript may do, which no compiler looks at. */
type Loose = Record<string, (...given: unknown[]) => unknown> & { state: Record<string, unknown> }
const byBar = (onBar: (ctx: Loose) => unknown): Strategy =>
  defineStrategy({ name: 'mine', params: {}, sides: 'both', indicators: ({ close }) => ({ mean: close }), onBar: (ctx) => onBar(ctx as unknown as Loose) as undefined })

describe('orders', () => {
  test.each<[string, (ctx: Loose) => unknown, RegExp]>([
    ['a size', (ctx) => ctx['enterLong']!({ units: 3 }), /calls ctx\.enterLong with "units", which it does not take.*ctx\.enterLong\(\).*sizing/],
    ['a stop beside a size', (ctx) => ctx['enterShort']!({ units: 3, stopLoss: 90 }), /ctx\.enterShort with "units" and "stopLoss"/],
    ['a part to leave', (ctx) => ctx['exitLong']!(0.5), /ctx\.exitLong with 0\.5/],
    ['a word', (ctx) => ctx['exitShort']!('half', 2), /ctx\.exitShort with "half", 2/],
    ['undefined', (ctx) => ctx['enterLong']!(undefined), /ctx\.enterLong with undefined/],
    ['an empty object', (ctx) => ctx['enterLong']!({}), /ctx\.enterLong with an object/],
    ['half a bar ago', (ctx) => ctx['close']!(0.5), /0\.5 bars back/],
    ['an object as bars back', (ctx) => ctx['value']!('mean', { back: 1 }), /"back" bars back/],
    ['a name that there is not', (ctx) => (ctx['index'] as unknown) === 5, /reads ctx\.index, which there is not.* It has bar, open, high/],
    ['a name with a slip', (ctx) => (ctx['entryprice'] as unknown as number) > 3, /ctx\.entryprice, which there is not; did you mean ctx\.entryPrice/],
    ['an order of another program', (ctx) => ctx['buy']!(), /reads ctx\.buy, which there is not/],
    ['a column taken for its value', (ctx) => (ctx['close'] as unknown as number) > 100, /takes ctx\.close for a number.*ctx\.close\(\)/],
    ['an indicator taken for its value', (ctx) => (ctx['ind'] as unknown as Record<string, number>)['mean']! - 1, /takes ctx\.ind\.mean for a number/],
    ['a decision that is returned', () => ({ longEntry: true, size: 2 }), /returns "longEntry" and "size" from onBar/],
    ['a word that is returned', () => 'buy', /returns "buy" from onBar/],
    ['a key of ctx', (ctx) => { (ctx as Record<string, unknown>)['stopLoss'] = 90 }, /stopLoss/],
    ['a parameter', (ctx) => { (ctx['params'] as unknown as Record<string, unknown>)['fast'] = 3 }, /fast/],
  ])('%s', (_what, onBar, sentence) => {
    const error = refusal(() => runBacktest(bars, byBar(onBar), plain))
    expect(error.code).toBe('STRATEGY_FAILED')
    expect(error.message).toMatch(sentence)
  })

  test('in a sweep too, and the check of a strategy fails', () => {
    const sized = byBar((ctx) => ctx['enterLong']!({ units: 3 }))
    const swept = defineStrategy({ name: 'mine', params: { n: { min: 1, max: 3, step: 1, default: 1 } }, onBar: (ctx) => { (ctx as unknown as Loose)['enterLong']!(ctx.params.n) } })
    expect(refusal(() => runSweep(bars, parseSweepSpec({ strategy: { name: 'mine' }, space: { n: { choices: [2] } } }, { barsGiven: true }), { strategy: swept })).message).toMatch(/ctx\.enterLong with 2/)
    const check = checkStrategy(sized, bars, {})
    expect(check.passed).toBe(false)
    expect(JSON.stringify(check)).toContain('which it does not take')
  })

  test('what a one-line function leaves behind is no decision', () => {
    const one = byBar((ctx) => ctx['close']!() as number > 1000 && ctx['enterLong']!())
    const counted = byBar((ctx) => (ctx.state['count'] = 1))
    // Whoever prints the context asks for names of any object.
    const looked = byBar((ctx) => JSON.stringify(ctx).length + Object.keys(ctx).length + ('x' in ctx ? 1 : 0))
    for (const strategy of [one, counted, looked]) expect(runBacktest(bars, strategy, plain).time.length).toBe(bars.length)
    const mapped = byBar((ctx) => { if ([0, 1, 2].map(ctx['close'] as () => number).every((price) => price > 1000)) ctx['enterLong']!() })
    expect(runBacktest(bars, mapped, plain).equity.at(-1)).toBeGreaterThan(10_000)
  })
})

describe('definitions', () => {
  const define = (more: object): Strategy => defineStrategy({ name: 'mine', params: {}, signals: () => ({}), ...more } as unknown as Parameters<typeof defineStrategy>[0])
  test.each<[object, RegExp]>([
    [{ sizing: 1 }, /unknown key "sizing"/],
    [{ warmUp: 20 }, /unknown key "warmUp", did you mean "warmup"/],
    [{ symbols: 2 }, /unknown key "symbols", which only a strategy with signalsOfAll has/],
    [{ params: { n: { min: 1, max: 2, default: 1, steps: 1 } } }, /parameter "n".*unknown key "steps", did you mean "step"/i],
    [{ params: { n: { min: 1, max: 2, default: 1, log: true } } }, /parameter "n".*unknown key "log"/i],
  ])('%j', (more, sentence) => {
    expect(refusal(() => define(more)).message).toMatch(sentence)
    // As an object of one's own, without defineStrategy.
    const own = { name: 'mine', params: {}, signals: () => ({ longEntry: new Uint8Array(bars.length) }), ...more } as unknown as Strategy
    for (const run of [() => runBacktest(bars, own, plain), () => runSweep(bars, sweep, { strategy: own }), () => runPortfolio([{ symbol: 'A', bars }], own, plain)]) {
      expect(refusal(run)).toMatchObject({ code: 'STRATEGY_INVALID', message: expect.stringMatching(sentence) as string })
    }
  })

  test('masks, states and constraints that would not count', () => {
    const masks = define({ signals: () => ({ longEntry: new Uint8Array(bars.length), longExits: new Uint8Array(bars.length) }) })
    expect(refusal(() => runBacktest(bars, masks, plain)).message).toMatch(/unknown mask "longExits"/)
    const state = defineStrategy({ name: 'mine', params: {}, init: async () => ({}), onBar: () => undefined })
    expect(refusal(() => runBacktest(bars, state, plain)).message).toMatch(/asynchronous init/)
    for (const constraint of [() => undefined, async () => false]) {
      const odd = define({ constraint })
      expect(refusal(() => runBacktest(bars, odd, plain))).toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringContaining('must return true or false') as string })
    }
  })

  test('one argument too many of an indicator, alone, in a backtest and in a sweep', () => {
    const loose = ta as unknown as Record<string, (...given: unknown[]) => Float64Array>
    expect(refusal(() => loose['sma']!(bars.close, 10, 'wilder'))).toMatchObject({ code: 'PARAM_INVALID', message: 'ta.sma was given 3 arguments, but takes 2; leave the rest out.' })
    expect(refusal(() => loose['crossAbove']!(bars.close, bars.open, 1)).message).toContain('ta.crossAbove was given 3')
    const mine = defineStrategy({ name: 'mine', params: { n: { min: 1, max: 3, default: 1 } }, signals: ({ close }, _params, given) => ({ longEntry: given.crossAbove(close, (given as unknown as typeof loose)['ema']!(close, 5, 0.5)) }) })
    for (const run of [() => runBacktest(bars, mine, plain), () => runSweep(bars, parseSweepSpec({ strategy: { name: 'mine' }, space: { n: { choices: [2] } } }, { barsGiven: true }), { strategy: mine })]) {
      expect(refusal(run).message).toContain('ta.ema was given 3 arguments')
    }
  })
})

describe('specs that a program made itself', () => {
  const strategy = builtinStrategy('sma-cross')
  test.each<[object, string, RegExp]>([
    [{ execution: { ...spec.execution, fee_rate: 0.1 } }, 'SPEC_INVALID', /"execution\.fee_rate"; did you mean "feeRate"/],
    [{ execution: { ...spec.execution, sizing: { ...spec.execution.sizing, whole: true } } }, 'SPEC_INVALID', /"execution\.sizing\.whole"/],
    [{ execution: { ...spec.execution, feeRate: 'none' } }, 'SPEC_INVALID', /fee_rate is "none"/],
    [{ bars: { end: '2020-01-01' } }, 'SPEC_INVALID', /"bars\.end"/],
    [{ metrics: { riskFree: 0, riskfree: 0.02 } }, 'SPEC_INVALID', /"metrics\.riskfree"; did you mean "riskFree"/],
    [{ strategy: { name: 'sma-cross', params: {}, param: { fast: 5 } } }, 'SPEC_INVALID', /"strategy\.param"/],
    [{ comission: 1 }, 'SPEC_INVALID', /"comission"/],
  ])('%j', (more, code, sentence) => {
    const error = refusal(() => runBacktest(bars, strategy, { ...spec, ...more } as BacktestSpec))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(sentence)
    const swept = { ...sweep, ...more } as SweepSpec
    for (const run of [() => runSweep(bars, swept), () => evaluateTrial(bars, strategy, swept, { fast: 5, slow: 20 }), () => runPortfolio([{ symbol: 'A', bars }], strategy, { ...spec, ...more } as BacktestSpec)]) {
      expect(refusal(run).message).toMatch(sentence)
    }
  })

  test('a sweep\'s own keys, and a spec as it stands in a file', () => {
    expect(refusal(() => runSweep(bars, { ...sweep, objectve: 'total_return' } as SweepSpec)).message).toMatch(/"objectve"; did you mean "objective"/)
    expect(refusal(() => runSweep(bars, { ...sweep, space: [{ name: 'fast', choices: [5], log: true }] } as unknown as SweepSpec)).message).toMatch(/"space\.0\.log"/)
    expect(refusal(() => runBacktest(bars, strategy, { strategy: { name: 'sma-cross' }, execution: { fee_rate: 0.1 } } as unknown as BacktestSpec)).message).toMatch(/no bars.*parseBacktestSpec/)
    expect(runBacktest(bars, strategy, { ...spec, execution: { ...spec.execution, feeRate: 0.001 }, strategyHash: undefined } as unknown as BacktestSpec).summary['fees_paid']).toBeGreaterThan(0)
  })

  test('options of a sweep', () => {
    expect(refusal(() => runSweep(bars, sweep, { stratgy: strategy } as never)).message).toMatch(/"options\.stratgy"; did you mean "strategy"/)
  })

  test('a parameter called __proto__ is one that the strategy does not have', () => {
    const odd = parseBacktestSpec(JSON.parse('{"strategy": {"name": "sma-cross", "params": {"__proto__": 5}}}'), { barsGiven: true })
    expect(refusal(() => runBacktest(bars, strategy, odd))).toMatchObject({ code: 'PARAM_INVALID', message: expect.stringContaining('__proto__') as string })
  })
})
