/**
 * Properties of every indicator: blind to the future bit for bit, the same bar by bar as over columns, values from
 * the stated first bar on, not poisoned by a NaN, an infinity no better than a NaN, inputs left alone.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { streamOf, ta } from '../../src/engine/index.js'
import { INDICATOR_FACTS } from '../../src/engine/indicators/indicator-facts.js'
import { argumentsOf, barByBar, bars, columnIndicators, draws, mapInputs, whole } from './engine-indicators.js'

const TRUE_RANGES = ['trueRange', 'atr', 'chop', 'vortex', 'adx', 'adxr', 'dx', 'plusDi', 'minusDi']

describe.each(columnIndicators)('%s', (name) => {
  const { parameters, firstBar, outputs } = INDICATOR_FACTS[name]

  test('later bars change nothing, twice is the same, inputs stay', () => {
    fc.assert(fc.property(bars([NaN, Infinity, -Infinity], 1), draws, fc.nat(), (inputs, drawn, at) => {
      const args = argumentsOf(name, drawn)
      const copy = mapInputs(inputs, (column) => column.slice())
      const all = whole(name, inputs, args)
      expect(inputs).toEqual(copy)
      expect(whole(name, inputs, args)).toEqual(all)
      expect(Object.keys(all)).toEqual(outputs.length === 0 ? ['value'] : outputs)
      const to = at % (inputs.close.length + 1)
      const cut = whole(name, mapInputs(inputs, (column) => column.slice(0, to)), args)
      for (const [output, column] of Object.entries(all)) {
        expect(column.length).toBe(inputs.close.length)
        expect(cut[output]).toEqual(column.slice(0, to))
      }
    }), { numRuns: 100 })
  })

  test('bar by bar gives the same bits', () => {
    fc.assert(fc.property(bars([NaN, Infinity, -Infinity], 1), draws, (inputs, drawn) => {
      const args = argumentsOf(name, drawn)
      expect(barByBar(name, inputs, args)).toEqual(whole(name, inputs, args))
    }), { numRuns: 150 })
  })

  test('the first value is at the stated bar, for all outputs, and none is missing after it', () => {
    fc.assert(fc.property(bars([], 60), draws, (inputs, drawn) => {
      const args = argumentsOf(name, drawn)
      for (const column of Object.values(whole(name, inputs, args))) {
        expect(Array.from(column, Number.isFinite)).toEqual(Array.from(column, (_, bar) => bar >= firstBar(...args)))
      }
    }), { numRuns: 60 })
  })

  test('an infinity counts as a NaN, a bar of nothing but NaN has no value, and no output is infinite', () => {
    fc.assert(fc.property(bars([Infinity, -Infinity], 1), draws, (inputs, drawn) => {
      const args = argumentsOf(name, drawn)
      const all = whole(name, inputs, args)
      expect(all).toEqual(whole(name, mapInputs(inputs, (column) => column.map((value) => (Number.isFinite(value) ? value : NaN))), args))
      for (const column of Object.values(all)) {
        column.forEach((value, bar) => {
          expect([bar, Math.abs(value)]).not.toEqual([bar, Infinity])
          if (!Number.isFinite(inputs.close[bar]! + inputs.high[bar]!) && !Number.isFinite(inputs.open[bar]! + inputs.volume[bar]!)) expect([bar, value]).toEqual([bar, NaN])
        })
      }
    }), { numRuns: 100 })
  })

  test('a NaN in any one input is NaN in every output of its bar', () => {
    // The close of a bar enters a true range only as the close before: the bar after has no value.
    const later = TRUE_RANGES.includes(name) ? ['close'] : []
    fc.assert(fc.property(bars([], 110), draws, fc.nat({ max: 25 }), (inputs, drawn, at) => {
      const args = argumentsOf(name, drawn)
      for (const input of INDICATOR_FACTS[name].inputs) {
        const bar = 75 + at
        const holed = { ...inputs, [input]: inputs[input].with(bar, NaN) }
        for (const column of Object.values(whole(name, holed, args))) {
          expect([input, column[later.includes(input) ? bar + 1 : bar]]).toEqual([input, NaN])
        }
      }
    }), { numRuns: 30 })
  })

  test('a NaN early on does not empty the rest', () => {
    fc.assert(fc.property(bars([], 110), fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 5, maxLength: 5 }), (inputs, drawn) => {
      const args = argumentsOf(name, drawn)
      const holed = mapInputs(inputs, (column) => column.with(5, NaN))
      for (const column of Object.values(whole(name, holed, args))) {
        expect(Array.from(column).slice(6 + 2 * firstBar(...args) + 12).some(Number.isNaN)).toBe(false)
      }
    }), { numRuns: 40 })
  })

  test('periods above the length of the data give NaN and take no memory', () => {
    if (!parameters.some(({ kind }) => kind === 'whole')) return
    const args = parameters.map(({ kind, usual }) => (kind === 'whole' ? 1e9 : usual))
    fc.assert(fc.property(bars([], 1, 20), (inputs) => {
      for (const all of [whole(name, inputs, args), barByBar(name, inputs, args)]) {
        for (const column of Object.values(all)) expect(column.every(Number.isNaN)).toBe(true)
      }
    }), { numRuns: 3 })
  })

  test('bad arguments are refused', () => {
    const usual = parameters.map((parameter) => parameter.usual)
    fc.assert(fc.property(bars([], 5, 5), (inputs) => {
      parameters.forEach(({ name: parameter, kind, least }, k) => {
        for (const bad of [NaN, Infinity, ...(kind === 'whole' ? [least - 1, least + 0.5] : []), ...(Number.isFinite(least) ? [least - 0.1] : [])]) {
          for (const call of [whole, barByBar]) {
            const told = expect.objectContaining({ code: 'PARAM_INVALID', message: expect.stringContaining(`ta.${name}: ${parameter} is ${bad}`) as unknown }) as Error
            expect(() => call(name, inputs, usual.with(k, bad)), `${parameter} ${bad}`).toThrow(told)
          }
        }
      })
    }), { numRuns: 1 })
  })
})

test('crosses bar by bar are the masks over columns, and later bars change nothing', () => {
  const value = fc.constantFrom(-1, -1, 0, 0, 1, 1, NaN)
  fc.assert(fc.property(fc.array(fc.tuple(value, value)), fc.nat(), (rows, at) => {
    const [a, b] = [Float64Array.from(rows, ([x]) => x), Float64Array.from(rows, ([, x]) => x)]
    for (const name of ['crossAbove', 'crossBelow'] as const) {
      const mask = Array.from(ta[name](a, b))
      const stream = streamOf(name)
      expect(rows.map(([x, y]) => stream.next(x, y))).toEqual(mask)
      const to = at % (rows.length + 1)
      expect(Array.from(ta[name](a.slice(0, to), b.slice(0, to)))).toEqual(mask.slice(0, to))
    }
  }), { numRuns: 500 })
})

test('a name that is none is refused', () => {
  expect(() => streamOf('toString' as 'obv')).toThrow(expect.objectContaining({ code: 'PARAM_INVALID' }) as Error)
})
