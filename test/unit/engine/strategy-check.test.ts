/** `checkStrategy`: strategies that look ahead in many ways are found, with bar and mask; honest ones pass. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { builtinStrategies, checkStrategy, defineStrategy } from '../../../src/engine/index.js'
import type { CheckFinding, Indicators, Masks, Strategy } from '../../../src/engine/index.js'
import type { BarColumns } from '../../../src/market/layout.js'
import { parseCsv } from '../../../src/market/read-csv.js'

const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')
const none: Float64Array = new Float64Array(0)

function signals(run: (bars: BarColumns, ta: Indicators) => Masks): Strategy {
  return defineStrategy({ name: 'mine', params: {}, signals: (given, _params, ta) => run(given, ta) })
}

function failureOf(strategy: Strategy): CheckFinding {
  const { passed, checks } = checkStrategy(strategy, bars)
  const failed = checks.filter((one) => one.passed === false)
  expect({ passed, failures: failed.length }).toEqual({ passed: false, failures: 1 })
  return failed[0]!
}

const crosses = (ta: Indicators, a: Float64Array, b: Float64Array): Masks => ({ longEntry: ta.crossAbove(a, b), longExit: ta.crossBelow(a, b) })
const where = (column: Float64Array, yes: (value: number, i: number) => boolean): Uint8Array => Uint8Array.from(column, (value, i) => (yes(value, i) ? 1 : 0))
const week = (ms: number): number => Math.floor((ms / 86_400_000 - 4) / 7)

const PEEKING: readonly (readonly [string, (bars: BarColumns, ta: Indicators) => Masks])[] = [
  ['the next close', ({ close }) => ({ longEntry: where(close, (price, i) => close[i + 1]! > price) })],
  ['a large move of the next close', ({ close }) => ({ longEntry: where(close, (price, i) => i + 1 < close.length && close[i + 1]! > price * 1.05) })],
  ['an honest cross that the next bar filters', ({ close }, ta) => ({ longEntry: ta.crossAbove(ta.ema(close, 10), ta.ema(close, 30)).map((yes, i) => (yes === 1 && !(close[i + 1]! < close[i]!) ? 1 : 0)) })],
  ['one single bar', ({ close }) => ({ longEntry: where(close, (_, i) => i === 3000 && close[3001]! > close[3000]!) })],
  ['a centred window', ({ close }, ta) => {
    const mean = ta.sma(close, 11)
    return { longEntry: where(close, (price, i) => price < mean[i + 5]! * 0.99), longExit: where(close, (price, i) => price > mean[i + 5]! * 1.01) }
  }],
  ['the maximum of all', ({ close }) => { const most = Math.max(...close); return { longEntry: where(close, (price) => price < most * 0.3) } }],
  ['the minimum of all', ({ low, close }) => { const least = Math.min(...low); return { longEntry: where(close, (price) => price < least * 1.1) } }],
  ['the last close', ({ close }) => ({ longEntry: where(close, (price) => price < close[close.length - 1]!) })],
  ['an exit on the last bar', ({ close, length }, ta) => ({ longEntry: ta.crossAbove(ta.ema(close, 10), ta.ema(close, 20)), longExit: where(close, (_, i) => i === length - 1) })],
  ['a share of the number of bars', ({ close, length }) => ({ longEntry: where(close, (_, i) => i === Math.floor(length * 0.7)) })],
  ['the place of the maximum', ({ close }) => { const most = Math.max(...close); return { longExit: where(close, (price) => price === most) } }],
  ['a warm-up filled backward', ({ close }, ta) => {
    const mean = ta.sma(close, 20).slice()
    for (let i = mean.length - 2; i >= 0; i--) if (Number.isNaN(mean[i])) mean[i] = mean[i + 1]!
    return crosses(ta, close, mean)
  }],
  ['a column shifted by -1', ({ close }, ta) => crosses(ta, Float64Array.from(close, (_, i) => close[i + 1] ?? NaN), close)],
  ['a column shifted by -50', ({ close }, ta) => crosses(ta, Float64Array.from(close, (_, i) => close[i + 50] ?? NaN), close)],
  ['the close of a week before it ends', ({ close, time }, ta) => {
    const closes = new Map<number, number>()
    for (let i = 0; i < close.length; i++) closes.set(week(time[i]!), close[i]!)
    return crosses(ta, close, ta.sma(Float64Array.from(time, (ms) => closes.get(week(ms))!), 20))
  }],
  ['the next bar\'s volume', ({ volume }) => ({ longEntry: where(volume, (size, i) => volume[i + 1]! > size * 1.8) })],
  ['the next open, for shorts', ({ open, close }) => ({ longEntry: where(close, () => false), shortEntry: where(close, (price, i) => open[i + 1]! < price * 0.995) })],
  ['the next bar\'s time', ({ time }) => ({ longEntry: where(time, (ms, i) => new Date(time[i + 1] ?? ms).getUTCMonth() !== new Date(ms).getUTCMonth()) })],
  ['an outlier smoothed by its neighbours', ({ close }, ta) => {
    const calm = close.map((price, i) => (i > 0 && i + 1 < close.length && Math.abs(price / close[i - 1]! - 1) > 0.05 ? (close[i - 1]! + close[i + 1]!) / 2 : price))
    return crosses(ta, ta.ema(calm, 10), ta.ema(calm, 30))
  }],
  ['a line through all closes', ({ close, length }) => {
    const meanX = (length - 1) / 2
    const meanY = close.reduce((sum, price) => sum + price, 0) / length
    let [xy, xx] = [0, 0]
    close.forEach((price, i) => { xy += (i - meanX) * (price - meanY); xx += (i - meanX) * (i - meanX) })
    return { longEntry: where(close, (price, i) => price < meanY + (xy / xx) * (i - meanX)) }
  }],
  ['an average from the end', ({ close }, ta) => crosses(ta, close, ta.ema(Float64Array.from(close).reverse(), 10).reverse())],
  ['pivots', ({ low, close }) => ({ longEntry: where(close, (_, i) => low[i]! < low[i - 1]! && low[i]! < low[i + 1]!) })],
]

test.each(PEEKING)('found: %s', (_what, run) => {
  const found = failureOf(signals(run))
  expect(found.check).toBe('look_ahead')
  expect(found.mask).toMatch(/^(long|short)(Entry|Exit)$/)
  expect(found.message).toMatch(new RegExp(`^look-ahead: ${found.mask} of bar ${found.bar} \\(\\d{4}-\\d\\d-\\d\\d\\) changed from ${found.from} to ${found.to} when later bars were (changed|left out)`))
})

test('the message names the indicator that was the first to change', () => {
  const scored = failureOf(signals(({ close }, ta) => {
    const mean = close.reduce((sum, price) => sum + price, 0) / close.length
    return { longEntry: where(ta.sma(close.map((price) => price / mean), 20), (value) => value < 0.8) }
  }))
  expect(scored.indicator).toBe('ta.sma(column, 20)')
  expect(scored.message).toContain('the first to change is ta.sma(column, 20), made of a column of the strategy\'s own')
  expect(failureOf(signals(PEEKING[0]![1])).message).toContain('it comes from a column of the strategy\'s own')
})

const HONEST: readonly (readonly [string, Strategy])[] = [
  ...[...builtinStrategies.values()].filter((strategy) => strategy.signalsOfAll === undefined).map((strategy) => [strategy.name, strategy] as const),
  ['a recursive indicator with NaN before it', signals(({ close }, ta) => {
    const mean = new Float64Array(close.length).fill(NaN)
    let sum = 0
    for (let i = 0; i < close.length; i++) {
      if (i < 20) sum += close[i]!
      if (i === 19) mean[i] = sum / 20
      else if (i > 19) mean[i] = mean[i - 1]! * 0.9 + close[i]! * 0.1
    }
    return crosses(ta, close, mean)
  })],
  ['rolling windows', signals(({ high, low, close }) => ({
    longEntry: where(close, (price, i) => i >= 20 && price > Math.max(...high.subarray(i - 20, i))), longExit: where(close, (price, i) => i >= 10 && price < Math.min(...low.subarray(i - 10, i))),
  }))],
  ['volume', signals(({ volume }, ta) => {
    const mean = ta.sma(volume, 20)
    return { longEntry: where(volume, (size, i) => size > 2 * mean[i]!), longExit: where(volume, (size, i) => size < 0.5 * mean[i]!) }
  })],
  ['a closure with state', signals(({ close }) => {
    let entry = NaN
    const act = (price: number, i: number): number => {
      if (Number.isNaN(entry)) return i > 4 && price > close[i - 5]! ? (entry = price, 1) : 0
      return price < entry * 0.95 ? (entry = NaN, 2) : 0
    }
    const acts = close.map(act)
    return { longEntry: where(acts, (one) => one === 1), longExit: where(acts, (one) => one === 2) }
  })],
  ['no decision at all', signals(({ close }) => ({ longEntry: where(close, () => false) }))],
  ['one that refuses short data', signals(({ close }, ta) => {
    if (close.length < 200) throw new Error('too few bars')
    return crosses(ta, ta.ema(close, 10), ta.ema(close, 50))
  })],
  ['dates of the bars', signals(({ time }) => ({ longEntry: where(time, (ms) => new Date(ms).getUTCDay() === 1) }))],
  ['weeks', defineStrategy({ name: 'weeks', params: {}, signals(_bars, _params, ta, higher) {
    const weeks = higher('1w')
    return crosses(ta, weeks.align(ta.sma(weeks.bars.close, 5)), weeks.align(ta.sma(weeks.bars.close, 20)))
  } })],
  ['onBar with a state and its position', defineStrategy({
    name: 'bars', params: { hold: { min: 1, max: 50, step: 1, default: 10 } }, warmup: 40,
    indicators: ({ close }, _params, ta) => ({ fast: ta.sma(close, 10), slow: ta.sma(close, 30) }), init: () => ({ entries: 0 }),
    onBar(ctx) {
      if (ctx.barsHeld >= ctx.params.hold) ctx.exitLong()
      else if (ctx.position === 0 && ctx.ind.fast() > ctx.ind.slow()) {
        ctx.state.entries++
        if (ctx.state.entries % 3 === 1) ctx.enterLong()
      }
    },
  })],
]

test.each(HONEST)('passes: %s', (_what, strategy) => {
  const { passed, checks } = checkStrategy(strategy, bars)
  expect(checks.filter((one) => one.passed !== true)).toEqual([])
  expect(passed).toBe(true)
})

test('chance, state between calls, and writing are found', () => {
  let calls = 0
  expect(failureOf(signals(({ close }) => ({ longEntry: where(close, (_, i) => i % 50 === calls % 50 && ++calls > 0) })))).toMatchObject({ check: 'determinism', mask: 'longEntry' })
  // As a module would: each copy keeps its own.
  const keeping = (): Strategy => {
    const kept = new WeakMap<Float64Array, Float64Array>()
    return defineStrategy({ name: 'keeps', params: { period: { min: 2, max: 50, step: 1, default: 20 } }, signals({ close }, { period }, ta) {
      const mean = kept.get(close) ?? ta.sma(close, period)
      kept.set(close, mean)
      return crosses(ta, close, mean)
    } })
  }
  const copies = [keeping(), keeping(), keeping(), keeping(), keeping()] as const
  expect(checkStrategy(copies[0], bars, { copies }).checks.find((one) => one.passed === false)).toMatchObject({
    check: 'determinism', mask: expect.stringMatching(/^long/) as string, message: expect.stringContaining('called with other parameters') as string,
  })
  expect(failureOf(signals(({ volume, close }) => {
    volume[100] = 0
    return { longEntry: where(close, (_, i) => volume[i] === 0) }
  }))).toMatchObject({ check: 'determinism', column: 'volume', bar: 100 })
  expect(failureOf(signals(({ close }, ta) => {
    const mean = ta.sma(close, 5)
    mean.forEach((value, i) => { mean[i] = value + 1 })
    return crosses(ta, mean, ta.sma(close, 20))
  })).message).toContain('writes into a column of ta')
})

test('onBar that looks ahead through a column it keeps, or through an indicator', () => {
  let all: Float64Array = none
  expect(failureOf(defineStrategy({
    name: 'keeps', params: {}, indicators: ({ close }) => { all = close; return {} },
    onBar(ctx) { if (all[ctx.bar + 1]! > ctx.close()) ctx.enterLong(); else ctx.exitLong() },
  }))).toMatchObject({ check: 'look_ahead', mask: expect.stringMatching(/^long/) as string })
  const unused = failureOf(defineStrategy({ name: 'shown', params: {}, indicators: ({ close }) => { const most = Math.max(...close); return { rel: close.map((price) => price / most) } }, onBar(ctx) { if (ctx.bar === 9) ctx.enterLong() } }))
  expect(unused).toMatchObject({ check: 'look_ahead', column: 'rel' })
})

test('a declared warm-up that is too short fails, one that is none is a figure', () => {
  const cross = (warmup?: number): Strategy => defineStrategy({
    name: 'cross', params: {}, ...(warmup === undefined ? {} : { warmup }), signals: ({ close }, _params, ta) => crosses(ta, ta.ema(close, 10), ta.ema(close, 50)),
  })
  expect(failureOf(cross(11))).toMatchObject({ check: 'warm_up', mask: expect.any(String) as string, declared: 11 })
  const { checks } = checkStrategy(cross(), bars)
  expect(checks.find((one) => one.check === 'warm_up')).toMatchObject({ passed: true, declared: null, bars_needed: expect.any(Number) as number })
  expect(checkStrategy(cross(300), bars).passed).toBe(true)
})

test('a period that comes from the number of bars is found, though an indicator refuses it on few', () => {
  const found = failureOf(signals(({ close, length }, ta) => crosses(ta, close, ta.sma(close, Math.floor(length / 100)))))
  expect(found).toMatchObject({ check: 'look_ahead', indicator: 'ta.sma(close, 51)' })
  expect(failureOf(signals(({ close }, ta) => crosses(ta, close, ta.sma(close, 0))))).toMatchObject({ check: 'schema', message: expect.stringContaining('ta.sma') as string })
})

test('few bars are no failure', () => {
  for (const length of [1, 2, 3, 30]) {
    const few = { ...bars, length, time: bars.time.slice(0, length), open: bars.open.slice(0, length), high: bars.high.slice(0, length), low: bars.low.slice(0, length), close: bars.close.slice(0, length), volume: bars.volume.slice(0, length), adjclose: bars.adjclose!.slice(0, length) }
    const { passed, warnings } = checkStrategy(builtinStrategies.get('momentum')!, few)
    expect(passed).toBe(true)
    expect(warnings.length).toBe(1)
  }
})

test('what throws is a finding; parameters that it does not take are not', () => {
  expect(failureOf(signals(() => { throw new Error('boom') }))).toMatchObject({ check: 'schema', message: expect.stringContaining('boom') as string })
  expect(failureOf(signals(({ close }) => ({ longEntry: close.subarray(1) as unknown as Uint8Array })))).toMatchObject({ check: 'schema' })
  expect(() => checkStrategy(builtinStrategies.get('sma-cross')!, bars, { params: { fat: 1 } })).toThrow(/did you mean "fast"/)
})
