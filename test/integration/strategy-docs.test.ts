/** The examples of docs/strategies.md (and the README's) type-check as strict TypeScript, pass `strategies check`, and trade; its table has every built-in strategy. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { builtinStrategies } from '../../src/engine/index.js'

const text = readFileSync(join(packageRoot, 'docs', 'strategies.md'), 'utf8')
const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
const examples = [...`${text}${readme}`.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => ({ name: /name: '([a-z-]+)'/.exec(code)?.[1] ?? '', code }))
  .filter((one) => one.code.includes('defineStrategy'))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-examples-'))
  for (const { name, code } of examples) writeFileSync(join(folder, `${name}.ts`), code)
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

function node(...args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none', WORKER_THREADS: '1' }
    execFile(process.execPath, args, { env, cwd: folder }, (error, stdout, stderr) => { resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }) })
  })
}

test('there are examples', () => {
  expect(examples.map((one) => one.name)).toEqual(['breakout', 'stronger-of-two', 'pullback', 'weekly-trend', 'my-breakout'])
})

test('they type-check', async () => {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(packageRoot, join(folder, 'node_modules', 'sweepmill'))
  const options = ['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck', '--types', '']
  expect(await node(join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, ...examples.map((one) => `${one.name}.ts`))).toEqual({ code: 0, output: '' })
})

test.each(examples)('$name passes the check and decides often', async ({ name, code: source }) => {
  const sample = join(packageRoot, 'samples', 'sp500-daily.csv')
  const lines = readFileSync(sample, 'utf8').trimEnd().split('\n')
  // Another symbol: the same days, the prices of as many days before.
  const cells = lines.map((line) => line.split(','))
  const other = join(folder, 'other.csv')
  writeFileSync(other, [lines[0], ...cells.slice(1).map(([day], i) => [day, ...cells[1 + ((i * 7) % (cells.length - 1))]!.slice(1)].join(','))].join('\n'))
  const data = source.includes('signalsOfAll') ? [sample, other] : [sample]
  const { code, output } = await node(join(packageRoot, 'dist', 'src', 'cli', 'main.js'), 'strategies', 'check', `./${name}.ts`, ...data.flatMap((file) => ['--data', file]), '--json')
  const { checks } = JSON.parse(output) as { checks: { check: string; passed: boolean; decisions?: number }[] }
  expect(checks.map((one) => [one.check, one.passed])).toEqual([['schema', true], ['determinism', true], ['look_ahead', true], ['warm_up', true]])
  expect(checks[2]?.decisions).toBeGreaterThan(20)
  expect(code).toBe(0)
})

test('one of several symbols needs as many files, and says so', async () => {
  const { code, output } = await node(join(packageRoot, 'dist', 'src', 'cli', 'main.js'), 'strategies', 'check', './stronger-of-two.ts', '--data', join(packageRoot, 'samples', 'sp500-daily.csv'))
  expect([code, output]).toEqual([2, expect.stringContaining('trades 2 symbols together, and one is given')])
})

test('the table names every built-in strategy', () => {
  const [, table = ''] = /## Built in([^]*?)##/.exec(text) ?? []
  const named = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name))
  expect(named).toHaveLength(builtinStrategies.size)
  expect(new Set(named)).toEqual(new Set(builtinStrategies.keys()))
})
