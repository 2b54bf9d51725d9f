/** The one order of keys in JSON that leaves, whatever order Postgres gave them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { METRIC_UNITS, parseBacktestSpec, parseSweepSpec, resultInOrder, specInOrder, specToJson, SWEEP_METRICS } from '../../../src/engine/index.js'

/** As jsonb keeps an object: shorter keys first, then by their bytes. */
function asJsonb(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJsonb)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)).map(([key, one]) => [key, asJsonb(one)]))
}

const keys = (value: unknown): string[] => Object.keys(value as object)

/** The names in the first cells of the tables, short forms (`_days`) left out. */
function documentedMetrics(): string[] {
  const page = readFileSync(join(packageRoot, 'docs', 'metrics.md'), 'utf8')
  const tables = page.slice(0, page.indexOf('**MAE and MFE**'))
  return [...tables.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name))
    .filter((name) => !name.startsWith('_') && !name.endsWith('_'))
}

describe('the order of keys', () => {
  test('metrics stand as docs/metrics.md lists them', () => {
    const documented = documentedMetrics()
    expect(documented.slice(0, SWEEP_METRICS.length)).toEqual(SWEEP_METRICS)
    const known = documented.filter((name) => name in METRIC_UNITS)
    expect(known.length).toBeGreaterThan(45)
    expect(known).toEqual(Object.keys(METRIC_UNITS).filter((name) => known.includes(name)))
    const metrics = Object.fromEntries(Object.keys(METRIC_UNITS).map((name) => [name, 1]))
    expect(keys(resultInOrder(asJsonb(metrics), {}))).toEqual(Object.keys(METRIC_UNITS))
  })

  test('parameters stand as the spec named them, those of the strategy before the axes, defaults at the end', () => {
    const data = asJsonb(specToJson(parseSweepSpec({
      file: 'x.csv', strategy: { name: 's', params: { zeta: 1, alpha: 2 } }, space: { slow: { min: 1, max: 2, step: 1 }, fast: { choices: [1, 2] } },
    }))) as Record<string, unknown>
    const params = { alpha: 2, fast: 1, slow: 2, zeta: 1, other: 5 }
    const result = resultInOrder(asJsonb({ best: { trial: 1, params, metrics: { sharpe_ratio: 1, total_return: 2 } }, top: [{ trial: 1, params }], trials: 4 }), data) as { best: { params: object; metrics: object }; top: { params: object }[] }
    expect(keys(result)).toEqual(['trials', 'best', 'top'])
    expect(keys(result.best.params)).toEqual(['zeta', 'alpha', 'slow', 'fast', 'other'])
    expect(keys(result.top[0]?.params)).toEqual(['zeta', 'alpha', 'slow', 'fast', 'other'])
    expect(keys(result.best.metrics)).toEqual(['total_return', 'sharpe_ratio'])
    const shown = specInOrder(data)
    expect([keys(shown).slice(0, 3), keys(shown['space']), keys((shown['space'] as { slow: object }).slow), keys((shown['strategy'] as { params: object }).params)])
      .toEqual([['file', 'strategy', 'space'], ['slow', 'fast'], ['min', 'max', 'step'], ['zeta', 'alpha']])
    expect(keys(shown['execution']).slice(0, 4)).toEqual(['initial_cash', 'fill', 'direction', 'sizing'])
  })

  test('whatever the names, the stored spec keeps their order and says nothing else by it', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 6 }), (names) => {
      const spec = parseBacktestSpec({ file: 'x.csv', strategy: { name: 's', params: Object.fromEntries(names.map((name, k) => [name, k])) } })
      const stored = asJsonb(specToJson(spec)) as Record<string, unknown>
      const again = asJsonb(specToJson(parseBacktestSpec(specInOrder(stored)))) as Record<string, unknown>
      expect(again).toEqual(stored)
      expect(keys((specInOrder(again)['strategy'] as { params: object }).params)).toEqual(names)
      expect(resultInOrder(asJsonb({ strategy: { params: Object.fromEntries(names.map((name) => [name, 1])) } }), again))
        .toEqual({ strategy: { params: Object.fromEntries(names.map((name) => [name, 1])) } })
    }), { numRuns: 50 })
  })

  test('what has no place stands by name at the end, and nothing is lost', () => {
    expect(JSON.stringify(resultInOrder({ zz: 1, sharpe_ratio: 2, aa: { b: 1, a: [] }, total_return: null }, {})))
      .toBe('{"total_return":null,"sharpe_ratio":2,"aa":{"a":[],"b":1},"zz":1}')
    expect([resultInOrder(null, {}), resultInOrder('x', {})]).toEqual([null, 'x'])
  })
})
