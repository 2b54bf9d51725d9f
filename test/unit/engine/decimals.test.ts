/** Ranges and constraints see the decimals that a person wrote, whatever doubles make of them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileConstraint, defineStrategy, parseSweepSpec, planSweep } from '../../../src/engine/index.js'
import { decimalRange } from '../../../src/engine/search/decimal-range.js'
import { refusal } from './refusal.js'

const valuesOf = (min: number, max: number, step: number): number[] => {
  const { count, valueAt } = decimalRange(min, max, step)
  return Array.from({ length: count }, (_, k) => valueAt(k))
}
const tenths = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]

describe('a range', () => {
  test.each<[number, number, number, number[]]>([
    [100000.07, 100000.09, 0.01, [100000.07, 100000.08, 100000.09]],
    [4000, 4000.0004, 0.0001, [4000, 4000.0001, 4000.0002, 4000.0003, 4000.0004]],
    [0.1, 0.8, 0.1, tenths],
    [-0.3, 0.3, 0.1, [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]],
    [1e-9, 4e-9, 1e-9, [1e-9, 2e-9, 3e-9, 4e-9]],
    [1e-25, 3e-25, 1e-25, [1e-25, 2e-25, 3e-25]],
    [123456789012.34, 123456789012.36, 0.01, [123456789012.34, 123456789012.35, 123456789012.36]],
    [1e21, 3e21, 1e21, [1e21, 2e21, 3e21]],
    [1, 2, 0.3, [1, 1.3, 1.6, 1.9]],
    // A step that does not reach max does not, however little is missing.
    [0, 0.999999999999, 1, [0]],
    [5, 5, 1, [5]],
  ])('%s to %s by %s', (min, max, step, expected) => {
    expect(valuesOf(min, max, step)).toEqual(expected)
  })

  test('one with a computed number keeps its max too', () => {
    for (const parts of [3, 6, 7, 9, 11, 13, 49, 999]) {
      const values = valuesOf(0, 1, 1 / parts)
      expect([parts, values.length, values.at(-1)]).toEqual([parts, parts + 1, 1])
    }
    expect(valuesOf(0.1, 0.1 + 0.2, 0.1)).toEqual([0.1, 0.2, 0.3])
    expect(valuesOf(0.1, 0.3 - 0.1, 0.1)).toEqual([0.1, 0.2])
  })

  test('a property: as many values as whole numbers say, each the nearest double', () => {
    const whole = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 })
    fc.assert(fc.property(whole, fc.integer({ min: 1, max: 1_000_000 }), fc.nat(400), fc.nat(999), fc.integer({ min: 0, max: 18 }), (first, each, steps, rest, digits) => {
      const number = (units: number): number => Number(`${units}e-${digits}`)
      const last = first + steps * each + (rest % each)
      expect(valuesOf(number(first), number(last), number(each))).toEqual(Array.from({ length: steps + 1 }, (_, k) => number(first + k * each) + 0))
    }), { numRuns: 300 })
  })

  test('a step that doubles of this size cannot take is refused', () => {
    const wide = defineStrategy({ name: 'wide', params: { a: { min: 0, max: 1e18, default: 1 } }, signals: () => ({}) })
    const plan = (space: Record<string, unknown>): unknown => planSweep(parseSweepSpec({ strategy: { name: 'wide' }, space } as unknown, { barsGiven: true }), wide)
    const error = refusal(() => plan({ a: { min: 1e16, max: 1e16 + 8, step: 0.5 } }))
    expect([error.code, error.message]).toEqual(['SPEC_INVALID', expect.stringContaining('space.a.step is 0.5, too small')])
    expect(plan({ a: { min: 1e16, max: 1e16 + 8, step: 2 } })).toMatchObject({ fullSize: 5 })
  })
})

describe('a constraint', () => {
  const holds = (text: string, params: Readonly<Record<string, number>> = {}): boolean => compileConstraint(text, Object.keys(params))(params)

  test('a + b + c == 1 holds for the 36 points of tenths at which it does', () => {
    const found = tenths.flatMap((a) => tenths.flatMap((b) => tenths.map((c) => holds('a + b + c == 1', { a, b, c })))).filter(Boolean)
    expect(found.length).toBe(36)
  })

  test.each<[string, boolean]>([
    ['0.3 % 0.1 == 0', true], ['0.7 % 0.1 == 0', true], ['0.35 % 0.1 == 0', false], ['0.35 % 0.1 == 0.05', true], ['-0.3 % 0.1 == 0', true],
    ['(0.1 + 0.2) % 0.3 == 0', true], ['7 % 3 == 1', true], ['1 % 1e-5 == 0', true], ['1 % 0.3 == 0.1', true],
    ['0.1 + 0.2 == 0.3', true], ['0.1 + 0.2 - 0.3 == 0', true], ['0.1 + 0.2 != 0.3', false], ['0.1 + 0.2 > 0.3', false], ['0.1 + 0.2 <= 0.3', true],
    ['0.1 + 0.7 < 0.8', false], ['0.1 + 0.7 >= 0.8', true], ['(0.1 + 0.2 - 0.3) * 1000 == 0', true], ['0.3 / 0.1 == 3', true], ['0.3 / 0.1 >= 3', true],
    ['1.1 * 1.1 == 1.21', true], ['1 / 3 + 2 / 3 == 1', true], ['0.3 - 0.1 * 3 >= 0', true],
    // What differs as decimals differs, however little.
    ['4000.0001 < 4000.0002', true], ['400000.0001 == 400000.0002', false], ['99999.9999999998 < 99999.9999999999', true],
    ['1700000000000 < 1700000000001', true], ['9007199254740990 == 9007199254740991', false], ['1e-12 == 0', false], ['1e-300 > 0', true],
    ['1 / 0 == 1 / 0', true], ['1 / 0 > 1e300', true], ['0 / 0 == 0 / 0', false], ['0 / 0 != 0 / 0', true],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected)
  })

  test('a property: sums, products and remainders of decimals compare as whole numbers do', () => {
    const units = fc.integer({ min: -999_999, max: 999_999 })
    fc.assert(fc.property(units, units, units, units.filter((d) => d !== 0), fc.integer({ min: 0, max: 6 }), (a, b, c, d, digits) => {
      const number = (one: number): number => Number(`${one}e-${digits}`)
      const params = { a: number(a), b: number(b), c: number(c), d: number(d), sum: number(a + b - c), product: Number(`${a * d}e-${2 * digits}`), rest: number(a % d) }
      expect(holds('a + b - c == sum && a + b - c >= sum && !(a + b - c < sum) && a + b - c - sum == 0', params)).toBe(true)
      expect(holds('a * d == product && a * d - product == 0', params)).toBe(true)
      expect(holds('a % d == rest && (a - rest) % d == 0', params)).toBe(true)
      expect(holds('a + b < c', params)).toBe(a + b < c)
      expect(holds('a + b - c > d', params)).toBe(a + b - c > d)
      expect(holds('a % d == 0', params)).toBe(a % d === 0)
    }), { numRuns: 500 })
  })
})
