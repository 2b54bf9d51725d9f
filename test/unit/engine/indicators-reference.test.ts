/** Indicators against slow second opinions, at the first bars and then now and again, also where windows are longer than their first memory. */
import { describe, expect, test } from 'vitest'
import { INDICATOR_FACTS } from '../../../src/engine/indicators/indicator-facts.js'
import { ta } from '../../../src/engine/index.js'
import { whole } from '../../property/engine-indicators.js'
import { REFERENCES } from './indicators-references.js'
import { walk } from './indicators-walk.js'

const bars = walk(620)

test.each(REFERENCES)('%s(%j)', (name, args, reference) => {
  const made = whole(name, bars, args)
  const expected = reference(bars, ...args)
  expect(Object.keys(made)).toEqual(Object.keys(expected))
  const first = INDICATOR_FACTS[name].firstBar(...args)
  for (const [output, column] of Object.entries(made)) {
    for (let bar = first; bar < bars.close.length; bar += bar < first + 40 ? 1 : 19) {
      const value = expected[output]!(bar)
      const difference = Math.abs(column[bar]! - value)
      expect(difference, `${output} at bar ${bar}: ${column[bar]}, by definition ${value}`).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)))
    }
  }
})

describe('where a definition divides by zero', () => {
  const flat = Float64Array.from({ length: 40 }, () => 7)
  const none = new Float64Array(40)
  const last = (column: Float64Array): number => Math.abs(column.at(-1)!)

  test('flat prices: 0 where nothing moves', () => {
    expect(last(ta.zScore(flat, 5))).toBe(0)
    expect(last(ta.stochRsi(flat, 5, 5, 2, 2).d)).toBe(0)
    expect(last(ta.chop(flat, flat, flat, 5))).toBe(0)
    expect(last(ta.vortex(flat, flat, flat, 5).plus)).toBe(0)
    expect(last(ta.linearRegressionSlope(flat, 5))).toBe(0)
    expect(last(ta.rollingCorrelation(flat, none, 5))).toBe(0)
    expect(last(ta.bop(flat, flat, flat, flat))).toBe(0)
    expect(last(ta.ultimateOscillator(flat, flat, flat, 2, 3, 4))).toBe(0)
    expect(last(ta.massIndex(flat, flat, 3, 5))).toBe(5)
    expect(last(ta.rollingRank(flat, 5))).toBe(3)
  })

  test('no volume: no price weighted by it, no flow', () => {
    expect([last(ta.vwma(flat, none, 5)), last(ta.vwap(flat, flat, flat, none, none))]).toEqual([NaN, NaN])
    expect(last(ta.cmf(flat, none, flat, none, 5))).toBe(0)
  })
})

test('a direction of SuperTrend turns both ways on these bars', () => {
  const { direction } = ta.superTrend(bars.high, bars.low, bars.close, 10, 3)
  const turns = Array.from(direction).filter((value, bar) => bar > 10 && value !== direction[bar - 1])
  expect(turns).toContain(1)
  expect(turns).toContain(-1)
})
