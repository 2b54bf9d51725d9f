/** Columns that the trials of one sweep share: a strategy that writes into one is told so, however its trials are cut. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputeReply, ComputeRequest } from '../../src/tasks/compute-pool.js'

const FILE = join(packageRoot, 'samples', 'sp500-daily.csv')
const scratch = mkdtempSync(join(tmpdir(), 'sweepmill-columns-'))
const pool = createComputePool({ threads: 1, clock: systemClock })
afterAll(async () => {
  await pool.close()
  rmSync(scratch, { recursive: true, force: true })
})

function run(step: string, input: unknown, rest: Partial<ComputeRequest> = {}): Promise<ComputeReply> {
  return pool.run({ step, input, priority: 'low', divisible: true, userCode: true, ...rest })
}

let files = 0
async function sweep(body: string, ranges: readonly (readonly [number, number])[]): Promise<ComputeReply> {
  files += 1
  const file = join(scratch, `mine${files}.ts`)
  writeFileSync(file, `import { defineStrategy } from 'sweepmill'
export default defineStrategy({ name: 'x', params: { n: { min: 2, max: 50, step: 1, default: 5 }, k: { min: 0, max: 9, step: 1, default: 0 } }, signals({ close, volume }, { n, k }, ta): any {
  const mean = ta.sma(close, n)
  ${body}
  return { longEntry: ta.crossAbove(close, mean), longExit: ta.crossBelow(close, mean) }
} })`)
  const { json, bytes: { code = new Uint8Array() } } = await run('describe_strategy', { file })
  const { source_hash: hash } = JSON.parse(json) as { source_hash: string }
  const { shared: { bars = new SharedArrayBuffer(0) } } = await run('parse_bars', { file: FILE, source: 'sp500-daily.csv' }, { userCode: false })
  const spec = {
    file: FILE, strategy: { name: 'x', params: {} }, strategy_hash: hash, space: { n: { min: 5, max: 9, step: 1 }, k: { min: 0, max: 3, step: 1 } },
  }
  return run('run_trials', { spec, ranges }, { shared: { bars }, bytes: { code } })
}

const CUTS: readonly (readonly (readonly [number, number])[])[] = [[[0, 20]], [[0, 7], [7, 20]], [[6, 7]]]

test.each([
  ['a whole column', 'for (let i = 0; i < mean.length; i += 1) mean[i]! *= 1.01', /wrote into a column that ta\.sma made/],
  ['one number of it', 'if (k === 2) mean[1000] = 1', /wrote into a column that ta\.sma made/],
  ['one bit of it', 'if (k === 2) new Uint8Array(mean.buffer)[8000]! ^= 1', /wrote into a column that ta\.sma made/],
  ['one of several columns', 'const { upper } = ta.bollinger(close, 20, 2); if (k === 2) upper[70] = 0', /ta\.bollinger/],
  ['a column where it is not a number yet', 'if (k === 2) mean[0] = 5', /ta\.sma/],
  ['a column of its bars', 'if (k === 2) volume[3] = 5', /wrote into the columns? /],
])('who writes %s is told, however the trials are cut', async (_what, body, message) => {
  for (const ranges of CUTS) await expect(sweep(body, ranges)).rejects.toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringMatching(message) as string })
})

test('who copies first is not', async () => {
  const [whole, ...others] = await Promise.all(CUTS.map((ranges) => sweep('const own = mean.slice(); own.fill(0); const v = volume.slice(); v[3] = 1', ranges)))
  expect(JSON.parse(whole?.json ?? '')).toMatchObject({ trials: [20] })
  expect(others.map(({ json }) => (JSON.parse(json) as { trials: number[] }).trials)).toEqual([[7, 13], [1]])
})
