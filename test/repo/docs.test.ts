/** The documents agree with the code: every error code is explained, every README command exists. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ERRORS } from '../../src/base/errors.js'
import { parseBacktestSpec, parseSweepSpec, SWEEP_METRICS } from '../../src/engine/index.js'
import { packageRoot } from '../../src/base/package-root.js'
import { VARIABLES } from '../../src/runtime/config.js'

const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')

test('docs/errors.md lists every code with its sentence', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| ([a-z-]+) \| (yes|no) \| (\d{3}) \| (.+) \|$/gm)]
    .map(([, code, category, retryable, status, sentence]) => ({ code, category, retryable, status: Number(status), sentence }))
  const table = Object.entries(ERRORS).map(([code, row]) => ({
    code, category: row.category, retryable: row.retryable ? 'yes' : 'no', status: row.httpStatus, sentence: row.sentence,
  }))
  expect(rows).toEqual(table)
})

test('docs/sweeps.md has the metrics of a trial in the order of the result hash', () => {
  const [, block = ''] = /in this order[^]*?```\n([^]*?)```/.exec(read('docs/sweeps.md')) ?? []
  expect(block.trim().split(/\s+/)).toEqual(SWEEP_METRICS)
})

test('the npm scripts that the README names exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = [...read('README.md').matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name ?? '')
  expect(named.length).toBeGreaterThan(0)
  for (const name of named) expect(scripts).toHaveProperty([name])
  expect(Object.keys(scripts).length).toBeLessThanOrEqual(12)
})

test('every condition of the execution contract has a test with its number', () => {
  const conditions = [...read('docs/fills.md').matchAll(/^\*\*(F\d+)\b/gm)].map(([, number]) => number ?? '')
  const tests = read('test/unit/engine/fills.test.ts') + read('test/property/portfolio.test.ts')
  expect(conditions.length).toBeGreaterThan(30)
  expect(conditions.filter((number) => !new RegExp(`\\('${number}\\b`).test(tests))).toEqual([])
})

test('docs/specs.md has every key that a spec may have, and its examples are specs', () => {
  const page = read('docs/specs.md')
  const keysOf = (parse: () => unknown): string[] => {
    try { parse() } catch (error) { return /Known here: ([^.]+)\./.exec(String(error))?.[1]?.split(', ') ?? [] }
    return []
  }
  const known = [...keysOf(() => parseSweepSpec({ nonsense: 1 } as unknown)), ...keysOf(() => parseBacktestSpec({ file: 'x', execution: { nonsense: 1 } } as unknown)),
    ...keysOf(() => parseBacktestSpec({ file: 'x', execution: { sizing: { nonsense: 1 } } } as unknown))]
  expect(known.length).toBeGreaterThan(50)
  expect(known.filter((key) => !page.includes(`\`${key}\``))).toEqual([])
  const examples = [...page.matchAll(/```json\n([^]*?)```/g)].map(([, json = '']) => JSON.parse(json) as Record<string, unknown>)
  expect(examples.map((json) => ('space' in json ? parseSweepSpec(json).top : parseBacktestSpec(json).execution.leverage))).toEqual([3, 20])
})

test('docs/configuration.md has every variable with its meaning, in order', () => {
  const rows = [...read('docs/configuration.md').matchAll(/^\| `([A-Z_]+)` \|[^|]*\| (.+) \|$/gm)].map(([, name = '', meaning]) => [name, meaning])
  expect(rows).toEqual(Object.entries(VARIABLES))
})

test('docs/http.md has every address', () => {
  const sources = readdirSync(join(packageRoot, 'src/http')).map((file) => read(`src/http/${file}`)).join('\n')
  const routes = [...sources.matchAll(/app\.(get|post|put|delete)\('([^']+)'/g)].map(([, method = '', path]) => `${method.toUpperCase()} ${path}`)
  const listed = [...read('docs/http.md').matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(([, route]) => route)
  expect(routes.length).toBeGreaterThan(15)
  expect(new Set(listed)).toEqual(new Set(routes))
})

test('docs/README.md names every page', () => {
  const index = read('docs/README.md')
  const pages = readdirSync(join(packageRoot, 'docs')).filter((file) => file.endsWith('.md') && file !== 'README.md')
  expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([])
})
