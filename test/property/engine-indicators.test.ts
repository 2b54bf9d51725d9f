/** Properties of every indicator: blind to the future bit for bit, deterministic, not poisoned by a NaN, inputs left alone. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ta } from '../../src/engine/index.js'
import type { Aroon } from '../../src/engine/indicators/aroon.js'
import type { BollingerBands } from '../../src/engine/indicators/bollinger.js'
import type { Macd } from '../../src/engine/indicators/macd.js'
import type { Stochastic } from '../../src/engine/indicators/stochastic.js'

type Columns = { readonly high: Float64Array; readonly low: Float64Array; readonly close: Float64Array; readonly volume: Float64Array }
type Output = Float64Array | Uint8Array | Aroon | BollingerBands | Macd | Stochastic

const all: Readonly<Record<keyof typeof ta, (c: Columns, n: number) => Output>> = {
  sma: (c, n) => ta.sma(c.close, n), ema: (c, n) => ta.ema(c.close, n), wma: (c, n) => ta.wma(c.close, n),
  dema: (c, n) => ta.dema(c.close, n), tema: (c, n) => ta.tema(c.close, n), kama: (c, n) => ta.kama(c.close, n),
  rsi: (c, n) => ta.rsi(c.close, n), momentum: (c, n) => ta.momentum(c.close, n), roc: (c, n) => ta.roc(c.close, n),
  stddev: (c, n) => ta.stddev(c.close, n), rollingMax: (c, n) => ta.rollingMax(c.close, n), rollingMin: (c, n) => ta.rollingMin(c.close, n),
  trueRange: (c) => ta.trueRange(c.high, c.low, c.close), atr: (c, n) => ta.atr(c.high, c.low, c.close, n),
  adx: (c, n) => ta.adx(c.high, c.low, c.close, n), plusDi: (c, n) => ta.plusDi(c.high, c.low, c.close, n), minusDi: (c, n) => ta.minusDi(c.high, c.low, c.close, n),
  cci: (c, n) => ta.cci(c.high, c.low, c.close, n), williamsR: (c, n) => ta.williamsR(c.high, c.low, c.close, n),
  mfi: (c, n) => ta.mfi(c.high, c.low, c.close, c.volume, n), obv: (c) => ta.obv(c.close, c.volume), aroon: (c, n) => ta.aroon(c.high, c.low, n),
  macd: (c, n) => ta.macd(c.close, n, n + 3, 3), bollinger: (c, n) => ta.bollinger(c.close, n, 2),
  stochastic: (c, n) => ta.stochastic(c.high, c.low, c.close, n, 2, 3), parabolicSar: (c) => ta.parabolicSar(c.high, c.low, 0.02, 0.2),
  crossAbove: (c, n) => ta.crossAbove(ta.sma(c.close, n), c.close), crossBelow: (c, n) => ta.crossBelow(ta.ema(c.close, n), c.close),
}

const columnsOf = (output: Output): (Float64Array | Uint8Array)[] =>
  output instanceof Float64Array || output instanceof Uint8Array ? [output] : Object.values(output) as Float64Array[]

const prices = (gaps: boolean, minLength: number): fc.Arbitrary<Columns> => fc.array(
  fc.tuple(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }), gaps ? fc.constantFrom(1, 1, 1, 1, NaN) : fc.constant(1)),
  { minLength, maxLength: 120, size: 'max' },
).map((rows) => ({
  close: Float64Array.from(rows, ([close, , , keep]) => (close / 2) * keep),
  high: Float64Array.from(rows, ([close, up, , keep]) => ((close + up) / 2) * keep),
  low: Float64Array.from(rows, ([close, , down, keep]) => ((close - down) / 2) * keep),
  volume: Float64Array.from(rows, ([close, up, , keep]) => close * (up + 1) * keep),
}))

const cut = (columns: Columns, to: number): Columns => ({
  close: columns.close.slice(0, to), high: columns.high.slice(0, to), low: columns.low.slice(0, to), volume: columns.volume.slice(0, to),
})

test.each(Object.entries(all))('%s: later bars change nothing, twice is the same, inputs stay', (_name, compute) => {
  fc.assert(fc.property(prices(true, 1), fc.integer({ min: 2, max: 14 }), fc.nat(), (columns, n, at) => {
    const copy = cut(columns, columns.close.length)
    const whole = columnsOf(compute(columns, n))
    expect(columns).toEqual(copy)
    expect(columnsOf(compute(columns, n))).toEqual(whole)
    for (const column of whole) expect(column.length).toBe(columns.close.length)
    const to = at % (columns.close.length + 1)
    expect(columnsOf(compute(cut(columns, to), n))).toEqual(whole.map((column) => column.slice(0, to)))
  }), { numRuns: 200 })
})

test.each(Object.entries(all))('%s: a NaN early on does not empty the rest', (_name, compute) => {
  fc.assert(fc.property(prices(false, 80), fc.integer({ min: 2, max: 8 }), (columns, n) => {
    const holed = cut(columns, columns.close.length)
    for (const column of Object.values(holed)) column[5] = NaN
    for (const column of columnsOf(compute(holed, n))) {
      const tail = Array.from(column).slice(5 + 4 * n + 8)
      expect(tail.some(Number.isNaN)).toBe(false)
    }
  }), { numRuns: 50 })
})
