import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SweepmillError } from '../../../src/base/errors.js'
import { systemClock } from '../../../src/base/clock.js'
import { runProgram } from '../../../src/cli/program.js'
import { FakeWorkbench } from './fake-workbench.js'

let bench: FakeWorkbench
let folder: string
let data: string
beforeEach(() => {
  bench = new FakeWorkbench()
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-cli-'))
  data = join(folder, 'bars.csv')
  writeFileSync(data, 'date,open,high,low,close,volume\n')
})
afterEach(() => { rmSync(folder, { recursive: true }) })

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const told = { stdout: '', stderr: '' }
  const code = await runProgram(args, {
    env: {}, clock: systemClock, version: '0.0.0-test', openWorkbench: bench.open,
    stdout: { write: (text) => { told.stdout += text } }, stderr: { write: (text) => { told.stderr += text } },
  })
  return { code, ...told }
}

test('built-in ones are listed with their ranges, stored ones with their parameters', async () => {
  expect((await run('strategies', 'list')).stdout).toMatch(/sma-cross +fast 2 to 200 by 1, default 10; slow[^]*buy-and-hold +none[^]*None is stored/)
  const added = await run('strategies', 'add', 'sma-cross', '--set', 'fast=7', '--name', 'quick')
  expect(added.stdout).toBe('Stored as strategy 1: quick, version 1 (fast 7).\n')
  expect(bench.calls).toEqual(['open', 'connect client', 'close', 'open', 'draft', 'connect client', 'close'])
  expect((await run('strategies', 'list')).stdout).toMatch(/ 1 +quick +1 +sma-cross +fast 7 +-/)
  expect((await run('strategies', 'show', '1')).stdout).toMatch(/Strategy 1: quick, version 1\n +made of +sma-cross\n +code +built in[^]*fast +7 +- +-/)
  expect(JSON.parse((await run('strategies', 'list', '--json')).stdout)).toMatchObject({ built_in: expect.arrayContaining([expect.objectContaining({ name: 'sma-cross' })]) as unknown[], stored: [{ strategy_id: 1 }] })
})

test('files of STRATEGY_DIR are listed with their ranges, or with what is wrong', async () => {
  bench.files = [
    { name: 'mine', file: '/s/mine.ts', params: { period: { min: 2, max: 9, step: 1, default: 5 } }, error: null }, { name: 'torn', file: '/s/torn.ts', params: null, error: 'torn.ts:1:1: Unexpected end' },
  ]
  expect((await run('strategies', 'list')).stdout).toMatch(/in STRATEGY_DIR[^]*mine +period 2 to 9 by 1, default 5\n *torn +cannot be loaded: torn\.ts:1:1/)
  expect(JSON.parse((await run('strategies', 'list', '--json')).stdout)).toMatchObject({ files: [{ name: 'mine' }, { name: 'torn', params: null }] })
})

test('a check is shown check by check; it needs bars and no service', async () => {
  expect(await run('strategies', 'check', './mine.ts', '--data', data, '--set', 'fast=3')).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nAll checks passed\.\n$/) as string })
  expect(bench.calls).toEqual(['open', `check ./mine.ts ${data}`, 'close'])
  expect(await run('strategies', 'check', './mine.ts')).toMatchObject({ code: 2, stderr: expect.stringContaining('--data') as string })
})

test('what the threads refuse is refused before a service starts', async () => {
  bench.refusal = new SweepmillError('STRATEGY_INVALID', 'mine.ts:2:1: Unexpected end of file')
  expect(await run('strategies', 'add', './mine.ts')).toMatchObject({ code: 2, stderr: expect.stringContaining('mine.ts:2:1') as string })
  expect(bench.calls).toEqual(['open', 'draft', 'close'])
})

test('--strategy-id goes into the spec in place of the file\'s strategy', async () => {
  const spec = join(folder, 'spec.json')
  writeFileSync(spec, JSON.stringify({ file: data, strategy: { name: 'sma-cross', params: { fast: 3 } }, strategy_hash: 'a'.repeat(64) }))
  await run('backtest', '--spec', spec, '--strategy-id', '3')
  await run('sweep', '--data', data, '--strategy-id', '4', '--param', 'fast=5:9')
  writeFileSync(spec, JSON.stringify({ file: data, strategy_id: 5 }))
  await run('backtest', '--spec', spec, '--strategy', 'ema-cross')
  expect(bench.checked.map((request) => request.data)).toEqual([
    { file: data, strategy_id: 3 }, { file: data, strategy_id: 4, space: { fast: { min: 5, max: 9 } } }, { file: data, strategy: { name: 'ema-cross' } },
  ])
})

test.each([
  [['--strategy-id', '1', '--set', 'fast=3'], /leave --set out/], [['--strategy-id', '1', '--strategy', 'sma-cross'], /leave --strategy out/], [['--strategy-id', 'one'], /whole number/],
])('%j is refused before anything starts', async (wrong, why) => {
  expect(await run('backtest', '--data', data, ...wrong)).toMatchObject({ code: 2, stderr: expect.stringMatching(why) as string })
  expect(bench.calls).toEqual([])
})
