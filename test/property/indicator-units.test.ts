/**
 * No indicator depends on the unit of price or volume: bars in dollars, cents or satoshi give the same values, in their
 * unit. By powers of two all scales exactly, so the bits must agree; by powers of ten the prices are rounded anew, so
 * what is equal on the chart must stay equal, though doubles differ.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ta } from '../../src/engine/index.js'
import type { Inputs } from './engine-indicators.js'
import { argumentsOf, bars, columnIndicators, draws, inputsOf, whole } from './engine-indicators.js'

/** Powers of price and volume in an indicator's unit; the angle is none of its line's unit, and has its own test. */
const PRICE = ['sma', 'ema', 'wma', 'rma', 'dema', 'tema', 'hma', 'kama', 'trima', 't3', 'vwma', 'macd', 'apo', 'momentum', 'awesomeOscillator', 'trueRange', 'atr', 'bollinger',
  'keltner', 'donchian', 'superTrend', 'parabolicSar', 'ichimoku', 'vwap', 'anchoredVwap', 'forceIndex', 'rollingMax', 'rollingMin', 'rollingSum', 'rollingMedian', 'midpoint',
  'midprice', 'stddev', 'linearRegression', 'linearRegressionSlope', 'linearRegressionIntercept', 'timeSeriesForecast', 'typicalPrice', 'medianPrice', 'weightedClose',
  'averagePrice', 'heikinAshi']
const VOLUME = ['obv', 'ad', 'adOscillator', 'forceIndex']
const unitOf = (name: string, output: string, price: number, volume: number): number => {
  if (output === 'direction') return 1
  return (name === 'variance' ? price * price : PRICE.includes(name) ? price : 1) * (VOLUME.includes(name) ? volume : 1)
}
type Rescale = (inputs: Inputs, price: number, volume: number) => Inputs
const rescale = (by: (value: number, unit: number) => number): Rescale => (inputs, price, volume) => {
  const units = { open: price, high: price, low: price, close: price, x: price, y: price, volume }
  const columns = Object.entries(units).map(([name, unit]) => [name, inputs[name as keyof typeof units].map((value) => by(value, unit))])
  return { ...inputs, ...Object.fromEntries(columns) as Inputs }
}
const scaled = rescale((value, unit) => value * unit)
/** The decimal at this power of ten, as it would stand in a file. */
const inFile = rescale((value, power) => Number(`${Math.round(value * 4)}e${power}`))

describe.each(columnIndicators.filter((name) => name !== 'linearRegressionAngle'))('%s', (name) => {
  test('in units of a power of two the bits agree', () => {
    fc.assert(fc.property(bars([NaN], 40), draws, fc.integer({ min: -30, max: 30 }), fc.integer({ min: -30, max: 30 }), (inputs, drawn, p, v) => {
      const args = argumentsOf(name, drawn)
      const made = whole(name, scaled(inputs, 2 ** p, 2 ** v), args)
      for (const [output, column] of Object.entries(whole(name, inputs, args))) {
        expect(made[output]).toEqual(column.map((value) => value * unitOf(name, output, 2 ** p, 2 ** v)))
      }
    }), { numRuns: 25 })
  })

  test('in units of a power of ten the values agree', () => {
    fc.assert(fc.property(bars([], 40), draws, fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), (inputs, drawn, p, v) => {
      const args = argumentsOf(name, drawn)
      const made = whole(name, inFile(inputs, p, v), args)
      for (const [output, column] of Object.entries(whole(name, inFile(inputs, 0, 0), args))) {
        const unit = unitOf(name, output, 10 ** p, 10 ** v)
        const largest = column.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1)
        column.forEach((value, bar) => {
          const off = Math.abs((made[output]?.[bar] ?? 0) / unit - value)
          expect([output, bar, Number.isNaN(value) ? 0 : Math.round(off / largest * 1e9)]).toEqual([output, bar, 0])
        })
      }
    }), { numRuns: 20 })
  })
})

test('money flow in XRP/BTC and in satoshi is one', () => {
  // Minutes of a few units at 0.00001: the money flow of a window is far below 1.
  const ticks = [20, 21, 20, 22, 23, 22, 24, 23, 25, 24, 23, 25, 26, 25, 27, 26, 25, 24, 26, 27]
  const rows = ticks.map((close, i) => ({ open: close, high: close + 1, low: close - 1, close, volume: 3 + (i * 7) % 11, y: close }))
  const [bitcoin = [], satoshi = []] = [-8, 0].map((power) => [...whole('mfi', inFile(inputsOf(rows), power, 0), [14]).value!])
  bitcoin.slice(14).forEach((value, k) => { expect(value).toBeCloseTo(satoshi[14 + k]!, 9) })
  expect(Math.min(...bitcoin.slice(14))).toBeGreaterThan(30)
})

test('the angle alone is one of the slope in units of price a bar, as TA-Lib has it', () => {
  const x = Float64Array.from({ length: 9 }, (_, i) => 3 * i)
  expect(ta.linearRegressionAngle(x, 5)[8]).toBeCloseTo(Math.atan(3) * (180 / Math.PI), 12)
  expect(ta.linearRegressionAngle(x.map((value) => value * 1e-9), 5)[8]).toBeCloseTo(3e-9 * (180 / Math.PI), 15)
})
