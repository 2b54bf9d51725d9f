/** Grids of a thousand million points, and constraints that take long: HIGH starts within one chunk, whatever is below it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const scratch = mkdtempSync(join(tmpdir(), 'sweepmill-grids-'))
afterAll(() => { rmSync(scratch, { recursive: true, force: true }) })
let bed: TestBed
let worker: TestRuntime
beforeEach(async () => {
  bed = await openTestBed()
  worker = await bed.open({ env: { WORKER_THREADS: '2' } })
  await worker.start()
})
afterEach(async () => { await bed.close() })

const sample = join(packageRoot, 'samples', 'sp500-daily.csv')
const backtest = { taskType: TaskType.BACKTEST, data: { file: sample, strategy: { name: 'sma-cross' } }, roots: null }
/** Three parameters of a thousand values each. */
function wideStrategy(): string {
  const file = join(scratch, 'wide.ts')
  writeFileSync(file, `import { defineStrategy } from 'sweepmill'
const range = { min: 0, max: 999, step: 1, default: 1 }
export default defineStrategy({ name: 'wide', params: { a: range, b: range, c: range },
  signals: ({ length, close }, { a, b, c }) => ({ longEntry: Uint8Array.from({ length }, (_, i) => (close[i]! > 90 + (a + b + c) % 20 ? 1 : 0)) }) })
`)
  return file
}

const space = { a: { min: 0, max: 999 }, b: { min: 0, max: 999 }, c: { min: 0, max: 999 } }
/** Nearly 2000 characters, all of which are looked at for every point. Holds for a thousand points behind the first hundred thousand, and at the very end. */
const longConstraint = (least: number): string => `(${Array.from({ length: 150 }, (_, i) => `a != -${i + 1}`).join(' && ')}) && (a > ${least} || a == 0 && b == 100)`

/** Enough bars that the first quantum of a large grid takes minutes. */
function manyBars(): string {
  const file = join(scratch, 'minutes.csv')
  const lines = Array.from({ length: 60_000 }, (_, i) => {
    const close = 100 + 10 * Math.sin(i / 50)
    return `${new Date(Date.UTC(2024, 0, 1, 0, i)).toISOString()},${close},${close + 1},${close - 1},${close},1`
  })
  writeFileSync(file, `time,open,high,low,close,volume\n${lines.join('\n')}\n`)
  return file
}

/** Two backtests at once, from the file to the result, while the sweep goes on. */
async function highRunsBeside(sweepId: string): Promise<void> {
  await eventually('the sweep to be under way', async () => ((await worker.backend.task(sweepId)).progress?.done ?? 0) > 0)
  const ids = await Promise.all([1, 2].map(async () => (await worker.backend.submit(backtest)).taskId))
  for (const id of ids) expect(await worker.backend.wait(id)).toMatchObject({ status: 'completed' })
  expect(await worker.backend.task(sweepId)).toMatchObject({ status: 'processing' })
}

async function submitSweep(more: object): Promise<string> {
  return (await worker.backend.submit({
    taskType: TaskType.OPTIMIZATION, roots: null, priority: 'low', timeoutSeconds: 600, data: { file: sample, strategy: { name: wideStrategy() }, space, ...more },
  })).taskId
}

async function cancelled(taskId: string): Promise<void> {
  await worker.backend.cancel(taskId)
  expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'cancelled' })
}

test('a grid of 1e9 points, none excluded: HIGH is done before the first part of it is', async () => {
  const sweep = await submitSweep({ file: manyBars() })
  await highRunsBeside(sweep)
  expect(await bed.sql('select quantum from sweep_chunks')).toEqual([])
  await cancelled(sweep)
})

test('a grid of 1e9 points, nearly all excluded by a long constraint: two of them are looked through, and HIGH is done before', async () => {
  const order: string[] = []
  const note = (name: string) => (taskId: string): string => { order.push(name); return taskId }
  const sweeps = [submitSweep({ constraint: longConstraint(998) }).then(note('sweep')), submitSweep({ constraint: longConstraint(997) }).then(note('sweep'))]
  const { taskId } = await worker.backend.submit(backtest)
  expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'completed' })
  note('high')(taskId)
  const accepted = await Promise.all(sweeps)
  expect(order[0]).toBe('high')
  await highRunsBeside(accepted[0] ?? '')
  for (const sweep of accepted) await cancelled(sweep)
})
