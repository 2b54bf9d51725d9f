/** Numbers and axes of a report's charts, as the browser computes them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AXES_SCRIPT } from '../../../src/engine/report/axes-script.js'
import { formatExact, formatNumber } from '../../../src/engine/report/markup.js'

interface Axes {
  number(value: number | null, digits?: number): string
  digits(value: number | null, count: number): string
  amount(value: number): string
  exact(value: number | string): string
  percent(value: number | null): string
  linearSplits(min: number, max: number, step: number): number[]
  logSplits(min: number, max: number): number[]
}

// The script is plain text that a page carries; nothing of a browser is asked for before a chart is drawn.
// oxlint-disable-next-line no-implied-eval
const report = new Function(`${AXES_SCRIPT}; return report`)() as Axes

test('charts write numbers as the page does: thousands, minus, decimals, a dash for none', () => {
  const numbers = fc.oneof(fc.double({ min: -1e12, max: 1e12, noNaN: true }), fc.constantFrom(0, -0, -0.001, 999.999, -1234567.5, Number.NaN, Infinity))
  fc.assert(fc.property(numbers, fc.integer({ min: 0, max: 6 }), (value, digits) => {
    expect(report.number(value, digits)).toBe(formatNumber(value, digits))
  }), { numRuns: 300 })
  expect([report.number(null), report.percent(-9.976), report.amount(3512.25), report.amount(0.00001234), report.digits(0.23, 3), report.digits(123_456, 3)])
    .toEqual(['–', '−9.98\u202f%', '3\u202f512.25', '0.00001234', '0.230', '123\u202f456'])
})

test('a parameter is written whole, in the same style', () => {
  expect([5, 1234567, -0.25, 1e-4, 1e21, -1e-7, 'ema', true].map(formatExact)).toEqual(['5', '1\u202f234\u202f567', '−0.25', '0.0001', '1e21', '−1e−7', 'ema', 'true'])
  expect([5, 1234567, -0.25, 1e-4, 'ema'].map((one) => report.exact(one))).toEqual(['5', '1\u202f234\u202f567', '−0.25', '0.0001', 'ema'])
})

test('an axis has at least three ticks, in order and within it, whatever its range and the step that was found', () => {
  const range = fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: 1e-6, max: 1e9, noNaN: true })).map(([min, size]) => [min, min + size] as const)
    .filter(([min, max]) => max - min > Math.max(Math.abs(min), Math.abs(max)) * 1e-9)
  fc.assert(fc.property(range, fc.constantFrom(1, 2, 2.5, 5), fc.integer({ min: -2, max: 1 }), ([min, max], mantissa, power) => {
    const step = mantissa * 10 ** (Math.floor(Math.log10(max - min)) + power)
    const ticks = report.linearSplits(min, max, step)
    const slack = (max - min) * 1e-6
    expect(ticks.length).toBeGreaterThanOrEqual(3)
    expect(ticks.every((tick, k) => tick >= min - slack && tick <= max + slack && (k === 0 || tick > (ticks[k - 1] ?? 0)))).toBe(true)
  }), { numRuns: 300 })
  fc.assert(fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), fc.double({ min: 1.01, max: 1e4, noNaN: true }), (min, times) => {
    const ticks = report.logSplits(min, min * times)
    expect(ticks.length).toBeGreaterThanOrEqual(3)
    expect(ticks.every((tick) => tick >= min * (1 - 1e-6) && tick <= min * times * (1 + 1e-6))).toBe(true)
  }), { numRuns: 300 })
})
