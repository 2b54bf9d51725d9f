/** `sweepmill strategies check` as it is called: a thread, no services, exit codes, and a last line that names bar and mask. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'

const SAMPLE = join(packageRoot, 'samples', 'sp500-daily.csv')

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'sweepmill-check-')) })
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

interface Ran { readonly code: number; readonly stdout: string; readonly stderr: string }

/** A strategy of one line of `signals`, with a line of the module before it. */
function check(body: string, { module = '', args = [] as readonly string[] } = {}): Promise<Ran> {
  const file = join(folder, 'mine.ts')
  writeFileSync(file, `import { defineStrategy } from 'sweepmill'
${module}
export default defineStrategy({
  name: 'mine', params: { period: { min: 2, max: 100, step: 1, default: 20 } },
  signals({ time, close, volume }, { period }, ta) {
    ${body}
  },
})`)
  return sweepmill(file, ...args)
}

function sweepmill(strategy: string, ...args: readonly string[]): Promise<Ran> {
  return command({}, 'check', strategy, '--data', SAMPLE, ...args)
}

function command(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    // Nothing listens there: a command that asked for a service would fail.
    const env = { ...process.env, REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none', WORKER_THREADS: '1', ...environment }
    execFile(process.execPath, [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), 'strategies', ...args], { env },
      (error, stdout, stderr) => { resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }) })
  })
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

test('an honest strategy passes, and a built-in one', async () => {
  const ran = await check('const mean = ta.sma(close, period); return { longEntry: ta.crossAbove(close, mean), longExit: ta.crossBelow(close, mean) }', { args: ['--set', 'period=50'] })
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(ran.stdout).toMatch(/^Check of mine \(period 50\) on \d+ bars\n {2}ok {6}schema/)
  expect(lastLine(ran.stdout)).toBe('All checks passed.')
  expect(await sweepmill('ema-cross', '--set', 'slow=60')).toMatchObject({ code: 0 })
})

test.each([
  ['the next close', 'return { longEntry: Array.from(close, (price, i) => close[i + 1] > price) }', '', /^FAILED look-ahead: longEntry of bar \d+ \(\d{4}-\d\d-\d\d\) changed from [01] to [01] when later bars were/],
  ['chance', 'return { longEntry: Array.from(close, () => Math.random() < 0.01) }', '', /^FAILED determinism: longEntry of bar \d+ .* changed from [01] to [01] .*Math\.random\(\)/],
  ['chance while it loads', 'return { longEntry: Array.from(close, (_, i) => i % 100 === offset) }', 'const offset = Math.floor(Math.random() * 100)', /^FAILED determinism: longEntry of bar \d+ .* fresh copy/],
  ['the clock', 'const year = Date.now() - 10 * 365 * 864e5; return { longEntry: Array.from(time, (ms) => ms > year) }', '', /^FAILED determinism: longEntry of bar \d+ .*Date\.now\(\)/],
  ['the date', 'const year = new Date().getFullYear() - 10; return { longEntry: Array.from(time, (ms) => new Date(ms).getUTCFullYear() === year) }', '', /^FAILED determinism: longEntry of bar \d+ .*new Date\(\)/],
  ['state of the module', 'calls++; return { longEntry: Array.from(close, (_, i) => i % 50 === calls % 50) }', 'let calls = 0', /^FAILED determinism: longEntry of bar \d+/],
  ['a column kept without its parameter', 'if (!kept.has(close.length)) kept.set(close.length, ta.sma(close, period)); return { longEntry: ta.crossAbove(close, kept.get(close.length)!) }', 'const kept = new Map<number, Float64Array>()', /^FAILED determinism: longEntry of bar \d+ .*other bars/],
  ['writing', 'volume[100] = 0; return { longEntry: Array.from(volume, (size) => size === 0) }', '', /^FAILED determinism: .*the column volume of its bars, first at bar 100 /],
  ['a period of 0', 'return { longEntry: ta.crossAbove(close, ta.sma(close, period - 20)) }', '', /^FAILED schema: .*ta\.sma.* \(at mine\.ts:6:\d+\)$/],
  ['a fault', 'throw new Error("boom")', '', /^FAILED schema: .*boom \(at mine\.ts:6:\d+\)$/],
])('%s is found: exit 2, and the last line says where', async (_what, body, module, line) => {
  const ran = await check(body, { module })
  expect(lastLine(ran.stdout)).toMatch(line)
  expect(ran).toMatchObject({ code: 2, stderr: '' })
})

test('a file of STRATEGY_DIR is named without its ending', async () => {
  await check('return { longEntry: ta.crossAbove(close, ta.sma(close, period)) }')
  const env = { STRATEGY_DIR: folder }
  expect(await command(env, 'check', 'mine', '--data', SAMPLE)).toMatchObject({ code: 0 })
  expect(await command(env, 'check', 'other', '--data', SAMPLE)).toMatchObject({ code: 2, stderr: expect.stringContaining('STRATEGY_UNKNOWN') as string })
})

test('--json is one document, of a failure too; what is no finding is an error', async () => {
  const ran = await check('return { longEntry: Array.from(close, (price) => price === Math.max(...close.slice(-50))) }', { args: ['--json'] })
  const document = JSON.parse(ran.stdout) as { passed: boolean; checks: { check: string; passed: boolean | null }[] }
  expect(ran.code).toBe(2)
  expect(document).toMatchObject({ strategy: 'mine', passed: false, params: { period: 20 } })
  expect(document.checks.map((one) => [one.check, one.passed])).toEqual([['schema', true], ['determinism', true], ['look_ahead', false], ['warm_up', null]])
  expect(document.checks[2]).toMatchObject({ mask: 'longEntry', bar: expect.any(Number) as number, time: expect.stringMatching(/^\d{4}-/) as string })
  writeFileSync(join(folder, 'broken.ts'), 'export default {')
  const broken = await sweepmill(join(folder, 'broken.ts'), '--json')
  expect(broken.code).toBe(2)
  expect(JSON.parse(broken.stdout)).toMatchObject({ passed: false, checks: [{ check: 'schema', passed: false, message: expect.stringContaining('broken.ts:1') as string }, {}, {}, {}] })
  expect(JSON.parse((await sweepmill('sma-crss', '--json')).stdout)).toMatchObject({ error: { code: 'STRATEGY_UNKNOWN' } })
  expect(await sweepmill('sma-cross', '--set', 'fast=0')).toMatchObject({ code: 2, stderr: expect.stringContaining('PARAM_INVALID') as string })
  expect(await sweepmill(join(folder, 'none.ts'))).toMatchObject({ code: 2, stderr: expect.stringContaining('FILE_NOT_FOUND') as string })
})
