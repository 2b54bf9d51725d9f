/** A trial of a sweep run again in full: by number and by rank, of a user's own strategy, with and without a holdout. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { SWEEP_METRICS } from '../../src/engine/index.js'
import type { SubmitRequest } from '../../src/tasks/backend.js'
import { TaskType } from '../../src/tasks/task.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })
const folder = mkdtempSync(join(tmpdir(), 'sweepmill-trial-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

const STRATEGY = `import { defineStrategy } from 'sweepmill'
export default defineStrategy({
  name: 'own-cross', params: { fast: { min: 2, max: 100, step: 1, default: 10 }, slow: { min: 3, max: 300, step: 1, default: 50 }, unused: { min: 0, max: 9, step: 1, default: 4 } },
  constraint: ({ fast, slow }) => fast < slow,
  signals: ({ close }, { fast, slow }, ta) => ({ longEntry: ta.crossAbove(ta.sma(close, fast), ta.sma(close, slow)), longExit: ta.crossBelow(ta.sma(close, fast), ta.sma(close, slow)) }),
})`

const rerun = (data: Record<string, unknown>): SubmitRequest => ({ taskType: TaskType.BACKTEST, roots: null, data })

test.each([undefined, 0.3])('with holdout %j a rerun has the metrics of the trial\'s row, though the files are gone', async (holdout) => {
  const [file, strategy] = [join(folder, `bars-${holdout}.csv`), join(folder, `own-${holdout}.mjs`)]
  copyFileSync(join(packageRoot, 'samples', 'sp500-daily.csv'), file)
  writeFileSync(strategy, STRATEGY)
  const runtime = await bed.open()
  await runtime.start()
  const sweep = await runtime.backend.submit({
    taskType: TaskType.OPTIMIZATION, roots: null, data: {
      file, start_date: '2005-01-03', strategy: { name: strategy, params: { unused: 7 } }, space: { fast: { min: 5, max: 45, step: 10 }, slow: { choices: [20, 100] } },
      metrics: { risk_free: 0.02 }, execution: { fee_rate: 0.001, stop_loss: 0.1, direction: 'both' }, top: 3, ...(holdout === undefined ? {} : { holdout }),
    },
  })
  const done = await runtime.backend.wait(sweep.taskId)
  const { top } = done.result as { top: { trial: number; params: Record<string, number>; metrics: Record<string, number | null> }[] }
  rmSync(file)
  rmSync(strategy)
  for (const [ask, trial] of [[{ rank: 1 }, top[0]], [{ rank: 3 }, top[2]], [{ trial: top[1]!.trial }, top[1]]] as const) {
    const { taskId } = await runtime.backend.submit(rerun({ from_sweep: sweep.taskId, ...ask }))
    const task = await runtime.backend.wait(taskId)
    const result = task.result as Record<string, unknown>
    expect(Object.fromEntries(SWEEP_METRICS.map((name) => [name, result[name]]))).toEqual(trial!.metrics)
    expect(task.data).toMatchObject({
      strategy: { name: 'own-cross', params: { ...trial!.params, unused: 7 } }, data_hash: done.data['data_hash'], strategy_hash: done.data['strategy_hash'],
      execution: done.data['execution'], start_date: '2005-01-03',
    })
    const told = (result['warnings'] as string[]).join(' ')
    if (holdout === undefined) expect(told).not.toContain('in sample')
    else expect(told).toMatch(/The bars are the \d+ of \d+ that the sweep had in sample, from 2005-01-03\S* to \S+; those it held back, from \S+ on, are left out\./)
    expect(Buffer.from(await runtime.backend.artifact(taskId, 'report') ?? []).toString()).toContain('own-cross')
  }
  const report = Buffer.from(await runtime.backend.artifact(sweep.taskId, 'report') ?? []).toString()
  expect(report).toContain('Trades of the best trial')
  expect(report).toContain('Metrics of the best trial')
  const excluded = 4 * 2 // fast 45, slow 20
  const refused: readonly (readonly [Record<string, unknown>, string, RegExp])[] = [
    [{ from_sweep: sweep.taskId, trial: excluded }, 'SPEC_INVALID', /Trial 8 is excluded by the constraint/],
    [{ from_sweep: sweep.taskId, trial: 10 }, 'SPEC_INVALID', /numbers 0 to 9/],
    [{ from_sweep: sweep.taskId, trial: 1.5 }, 'SPEC_INVALID', /whole number from 0/],
    [{ from_sweep: sweep.taskId, rank: 0 }, 'SPEC_INVALID', /whole number from 1/],
    [{ from_sweep: sweep.taskId, rank: 4 }, 'SPEC_INVALID', /kept its best 3/],
    [{ from_sweep: sweep.taskId }, 'SPEC_INVALID', /Name one trial/],
    [{ from_sweep: sweep.taskId, rank: 1, trial: 1 }, 'SPEC_INVALID', /Name one trial/],
    [{ from_sweep: sweep.taskId, rank: 1, execution: {} }, 'SPEC_INVALID', /"execution" has no place beside from_sweep/],
    [{ trial: 1, file }, 'SPEC_INVALID', /add "from_sweep"/],
    [{ from_sweep: 'best', rank: 1 }, 'SWEEP_NOT_FOUND', /No sweep has the id best/],
    [{ from_sweep: '0193f9d4-0000-7000-8000-000000000000', rank: 1 }, 'SWEEP_NOT_FOUND', /No sweep has the id/],
  ]
  for (const [data, code, message] of refused) await expect(runtime.backend.submit(rerun(data))).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
})

test('a sweep that is not finished, and a task that is none, have no trials to repeat', async () => {
  const client = await bed.open({ role: 'client' })
  await client.start()
  const file = join(packageRoot, 'samples', 'sp500-daily.csv')
  const sweep = await client.backend.submit({ taskType: TaskType.OPTIMIZATION, roots: null, data: { file, strategy: { name: 'sma-cross' }, space: { fast: { choices: [5, 10] } } } })
  await expect(client.backend.submit(rerun({ from_sweep: sweep.taskId, rank: 1 }))).rejects.toMatchObject({ code: 'STATE_CONFLICT', message: expect.stringContaining('is pending') as string })
  const other = await client.backend.submit(rerun({ file, strategy: { name: 'sma-cross' } }))
  await expect(client.backend.submit(rerun({ from_sweep: other.taskId, rank: 1 }))).rejects.toMatchObject({ code: 'SWEEP_NOT_FOUND', message: expect.stringContaining('no sweep') as string })
})
