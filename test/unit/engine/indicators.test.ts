/** Indicators by hand: definitions, first bars, NaN rules, and accuracy where running sums lose it. */
import { describe, expect, test } from 'vitest'
import { streamOf, ta } from '../../../src/engine/index.js'
import { refusal } from './refusal.js'

const column = (...values: number[]): Float64Array => Float64Array.from(values)
const list = (values: ArrayLike<number>): number[] => Array.from(values)
const N = NaN

describe('windows', () => {
  test('sma, wma, stddev, rollingMax, rollingMin begin at bar n - 1', () => {
    const x = column(1, 2, 3, 4, 8)
    expect(list(ta.sma(x, 2))).toEqual([N, 1.5, 2.5, 3.5, 6])
    expect(list(ta.wma(x, 3))).toEqual([N, N, 14 / 6, 20 / 6, 35 / 6])
    expect(list(ta.rollingMax(column(3, 1, 2, 5, 4), 3))).toEqual([N, N, 3, 5, 5])
    expect(list(ta.rollingMin(column(3, 1, 2, 5, 4), 3))).toEqual([N, N, 1, 1, 2])
    expect(list(ta.stddev(column(1, 3, 5), 2))).toEqual([N, 1, 1])
    expect(list(ta.sma(x, 1))).toEqual(list(x))
    expect(list(ta.sma(x, 6))).toEqual([N, N, N, N, N])
    expect(list(ta.sma(column(), 3))).toEqual([])
  })

  test('equal the plain definition at every length and period', () => {
    const x = Float64Array.from({ length: 97 }, (_, i) => 50 + 20 * Math.sin(i * 1.7) + (i % 7))
    for (const n of [1, 2, 3, 5, 16, 48, 96, 97]) {
      const [sma, wma, sd, most, least] = [ta.sma(x, n), ta.wma(x, n), ta.stddev(x, n), ta.rollingMax(x, n), ta.rollingMin(x, n)]
      for (let i = n - 1; i < x.length; i++) {
        const window = list(x.subarray(i - n + 1, i + 1))
        const mean = window.reduce((a, b) => a + b) / n
        expect(sma[i]).toBeCloseTo(mean, 11)
        expect(wma[i]).toBeCloseTo(window.reduce((sum, value, k) => sum + value * (k + 1), 0) / ((n * (n + 1)) / 2), 11)
        expect(sd[i]).toBeCloseTo(Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n), 10)
        expect(most[i]).toBe(Math.max(...window))
        expect(least[i]).toBe(Math.min(...window))
      }
    }
  })

  test('a NaN empties the windows that hold it and no others', () => {
    const x = column(1, 2, N, 4, 5, 6, 7)
    for (const values of [ta.sma(x, 2), ta.wma(x, 2), ta.stddev(x, 2), ta.rollingMax(x, 2), ta.rollingMin(x, 2)]) {
      expect(list(values).map(Number.isNaN)).toEqual([true, false, true, true, false, false, false])
    }
  })

  test('flat prices have one average at any period, and no deviation', () => {
    const flat = new Float64Array(50).fill(0.1)
    expect(list(ta.sma(flat, 3)).slice(2).every((value) => value === 0.1)).toBe(true)
    expect(list(ta.sma(flat, 7)).slice(6).every((value) => value === 0.1)).toBe(true)
    expect(list(ta.stddev(flat, 5)).slice(4).every((value) => value < 1e-16)).toBe(true)
  })

  test('a huge value leaves no trace once it has left the window', () => {
    const x = new Float64Array(40).fill(1).map((_, i) => (i === 5 ? 1e16 : 1 + i / 8))
    const clean = x.map((value, i) => (i === 5 ? 0 : value))
    expect(list(ta.sma(x, 4)).slice(9)).toEqual(list(ta.sma(clean, 4)).slice(9))
    expect(list(ta.stddev(x, 4)).slice(12)).toEqual(list(ta.stddev(clean, 4)).slice(12))
  })
})

describe('recursive indicators', () => {
  test('ema is seeded with the mean of its first n values, and anew after a NaN', () => {
    expect(list(ta.ema(column(1, 2, 3, 7), 3))).toEqual([N, N, 2, 4.5])
    expect(list(ta.ema(column(N, 2, 4, N, 10, 20, 30), 2))).toEqual([N, N, 3, N, N, 15, 25])
  })

  test('rsi by Wilder, 0 when flat', () => {
    expect(list(ta.rsi(column(10, 11, 10, 12), 2))).toEqual([N, N, 50, (100 * 1.25) / 1.5])
    expect(list(ta.rsi(column(5, 5, 5, 5), 2))).toEqual([N, N, 0, 0])
  })

  test('atr begins at bar n with the mean of the true ranges from bar 1', () => {
    const [high, low, close] = [column(11, 12, 15, 14), column(9, 10, 11, 12), column(10, 11, 14, 13)]
    expect(list(ta.trueRange(high, low, close))).toEqual([N, 2, 4, 2])
    expect(list(ta.atr(high, low, close, 2))).toEqual([N, N, 3, 2.5])
  })

  test('macd 12 26 9 begins at bar 33, all three together', () => {
    const { macd, signal, histogram } = ta.macd(Float64Array.from({ length: 60 }, (_, i) => 100 + Math.sin(i)), 12, 26, 9)
    for (const line of [macd, signal, histogram]) expect(list(line).findIndex((value) => !Number.isNaN(value))).toBe(33)
  })

  test('momentum, roc and bollinger', () => {
    expect(list(ta.momentum(column(1, 2, 5), 2))).toEqual([N, N, 4])
    expect(list(ta.roc(column(0, 2, 5), 1))).toEqual([N, 0, 150])
    const { upper, middle, lower } = ta.bollinger(column(1, 3, 5), 2, 2)
    expect([list(upper), list(middle), list(lower)]).toEqual([[N, 4, 6], [N, 2, 4], [N, 0, 2]])
  })

  test('a period that is no whole number is refused', () => {
    expect(refusal(() => ta.sma(column(1, 2), 1.5))).toMatchObject({ code: 'PARAM_INVALID', message: expect.stringContaining('n is 1.5') as unknown })
    expect(refusal(() => ta.ema(column(1, 2), 0)).code).toBe('PARAM_INVALID')
    expect(refusal(() => ta.atr(column(1), column(1, 2), column(1), 3)).code).toBe('STRATEGY_FAILED')
  })
})

describe('the rest, by hand', () => {
  const high = column(10, 12, 11, 13, 13)
  const low = column(8, 9, 9, 10, 11)
  const close = column(9, 11, 10, 12, 12)
  const volume = column(5, 10, 20, 40, 80)

  test('obv starts at the first volume; williamsR and cci at bar n - 1', () => {
    expect(list(ta.obv(close, volume))).toEqual([5, 15, -5, 35, 35])
    expect(list(ta.williamsR(high, low, close, 2))).toEqual([N, -25, (-100 * 2) / 3, -25, (-100 * 1) / 3])
    // Typical prices 9, 32/3, 10: their mean is 89/9, the mean deviation (8 + 7 + 1) / 27.
    expect(ta.cci(high, low, close, 3)[2]).toBeCloseTo((10 - 89 / 9) / (0.015 * (16 / 27)), 10)
    expect(list(ta.cci(high, low, close, 3)).slice(0, 2)).toEqual([N, N])
  })

  test('aroon takes the latest of equal extremes; mfi weighs the flows of n changes', () => {
    const { up, down } = ta.aroon(high, low, 3)
    expect(list(up)).toEqual([N, N, N, 100, 100])
    expect(list(down)).toEqual([N, N, N, 0, (100 * 1) / 3])
    const [a, b] = [(32 / 3) * 10, 10 * 20]
    expect(ta.mfi(high, low, close, volume, 2)[2]).toBeCloseTo((100 * a) / (a + b), 10)
  })

  test('dema, tema and kama begin where their definitions do, and follow a straight line', () => {
    const line = Float64Array.from({ length: 30 }, (_, i) => 10 + i)
    const first = (values: Float64Array): number => list(values).findIndex((value) => !Number.isNaN(value))
    expect([first(ta.dema(line, 5)), first(ta.tema(line, 5)), first(ta.kama(line, 5))]).toEqual([8, 12, 5])
    expect(ta.dema(line, 5)[29]).toBeCloseTo(39, 10) // the lag of an EMA on a line is cancelled
    expect(ta.tema(line, 5)[29]).toBeCloseTo(39, 10)
    expect(ta.kama(line, 5)[5]).toBeCloseTo(14 + 4 / 9, 12) // full efficiency: (2/3)² of the way
  })

  test('±DI begin at bar n, and a pure rise has no -DI', () => {
    const rise = Float64Array.from({ length: 10 }, (_, i) => 10 + i)
    const [top, bottom] = [rise.map((value) => value + 1), rise.map((value) => value - 1)]
    expect(list(ta.plusDi(top, bottom, rise, 3)).slice(0, 5)).toEqual([N, N, N, 50, 50])
    expect(list(ta.minusDi(top, bottom, rise, 3)).slice(2, 5)).toEqual([N, 0, 0])
    expect(list(ta.adx(top, bottom, rise, 3)).slice(3, 7)).toEqual([N, N, 100, 100])
  })

  test('a NaN ends a state and it begins anew', () => {
    const holed = Float64Array.from({ length: 12 }, (_, i) => (i === 5 ? N : 10 + (i % 3)))
    const defined = (values: Float64Array): string => list(values).map((value) => (Number.isNaN(value) ? '.' : 'x')).join('')
    expect(defined(ta.kama(holed, 2))).toBe('..xxx...xxxx')
    expect(defined(ta.obv(holed, holed))).toBe('xxxxx.xxxxxx')
    expect(defined(ta.parabolicSar(holed, holed, 0.02, 0.2))).toBe('.xxxx..xxxxx')
    expect(defined(ta.plusDi(holed, holed, holed, 2))).toBe('..xxx...xxxx')
  })
})

describe('crosses', () => {
  const zero = new Float64Array(8)
  test.each([
    ['below to above', [-1, 1, 1, -1, -1, 1, 1, 1], [1, 5], [3]],
    ['an equality between counts on the bar that leaves it', [-1, 0, 0, 1, 0, -1, 0, 1], [3, 7], [5]],
    ['touching and turning back is none', [-1, 0, -1, 0, -1, 0, 0, -1], [], []],
    ['the first defined bar is none', [N, N, 1, 1, -1, -1, 1, 1], [6], [4]],
    ['equal at first has no sign', [0, 0, 1, 0, -1, 0, 0, 0], [], [4]],
    ['NaN resets', [-1, N, 1, -1, N, N, 1, 1], [], [3]],
    ['NaN after an equality resets', [-1, 0, N, 1, 1, 0, N, -1], [], []],
  ])('%s', (_name, values, above, below) => {
    const x = Float64Array.from(values)
    const barsOf = (mask: Uint8Array): number[] => list(mask).flatMap((value, bar) => (value === 1 ? [bar] : []))
    expect(barsOf(ta.crossAbove(x, zero))).toEqual(above)
    expect(barsOf(ta.crossBelow(x, zero))).toEqual(below)
    expect(barsOf(ta.crossAbove(zero, x))).toEqual(below)
    expect(barsOf(ta.crossBelow(x, 0))).toEqual(below)
    expect(barsOf(ta.crossAbove(x, 0))).toEqual(above)
  })

  test('averages that are equal as decimals do not cross, in whatever unit; a tick of 14 digits does', () => {
    // Means of 3 and of 6 are equal on many bars, and their doubles are not.
    const ticks = Array.from({ length: 400 }, (_, i) => 1000 + ((i * i) % 7) - ((i * 3) % 5))
    const crossesOf = (power: number): unknown => {
      const close = Float64Array.from(ticks, (tick) => Number(`${tick}e${power}`))
      const [fast, slow] = [ta.sma(close, 3), ta.sma(close, 6)]
      const [above, below] = [streamOf('crossAbove'), streamOf('crossBelow')]
      const [up, down] = [list(ta.crossAbove(fast, slow)), list(ta.crossBelow(fast, slow))]
      expect(list(fast).map((value, i) => above.next(value, slow[i]!))).toEqual(up)
      expect(list(fast).map((value, i) => below.next(value, slow[i]!))).toEqual(down)
      return [up, down]
    }
    for (const power of [-12, -9, -8, -5, -2, -1, 3]) expect([power, crossesOf(power)]).toEqual([power, crossesOf(0)])
    const price = 98765432.123456
    expect(list(ta.crossAbove(Float64Array.of(price - 1e-6, price, price + 1e-6), price))).toEqual([0, 0, 1])
    expect(list(ta.crossAbove(Float64Array.of(-1, Infinity), 5))).toEqual([0, 1])
  })
})
