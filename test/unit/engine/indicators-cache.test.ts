/** A sweep remembers every indicator that gives columns: asked twice, computed once. None can be forgotten. */
import { expect, test } from 'vitest'
import { ta } from '../../../src/engine/index.js'
import { INDICATOR_FACTS } from '../../../src/engine/indicators/indicator-facts.js'
import type { ColumnIndicator } from '../../../src/engine/indicators/indicators.js'
import { ColumnCache } from '../../../src/engine/search/column-cache.js'
import { walk } from './indicators-walk.js'

const bars = { ...walk(100), length: 100 }
const masks = ['crossAbove', 'crossBelow']

test('the table of facts has every indicator but the masks', () => {
  expect(Object.keys(INDICATOR_FACTS).sort()).toEqual(Object.keys(ta).filter((name) => !masks.includes(name)).sort())
  expect(Object.keys(ta).length).toBeGreaterThanOrEqual(40)
})

test.each(Object.keys(ta).filter((name) => !masks.includes(name)))('%s', (name) => {
  const { inputs, parameters } = INDICATOR_FACTS[name as ColumnIndicator]
  const cache = new ColumnCache(bars)
  const columns = { ...bars, x: bars.close, y: bars.open }
  const ask = (): unknown => (cache.ta[name as ColumnIndicator] as unknown as (...all: unknown[]) => unknown)(
    ...inputs.map((input) => columns[input]), ...parameters.map((parameter) => parameter.usual))
  const first = ask()
  expect(ask()).toBe(first)
  expect(cache.computed).toBe(1)
})
