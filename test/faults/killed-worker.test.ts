/** SIGKILL on a worker process with work in hand: another finishes it, nothing is computed twice, the history is legal. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { LEGAL_TRANSITIONS, TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import { assertLegalHistory } from '../legal-history.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
const children: ChildProcess[] = []
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await bed.close()
})

function startWorker(name: string): ChildProcess {
  const child = spawn(process.execPath, [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), 'worker'], {
    env: { PATH: process.env['PATH'], ...bed.environment, WORKER_NAME: name, WORKER_THREADS: '1', LEASE_MS: '1000', RECOVERY_INTERVAL_SEC: '1', HTTP_PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

const sweepData = {
  file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross' }, constraint: 'fast < slow', top: 3,
  space: { fast: { min: 2, max: 120, step: 1 }, slow: { min: 3, max: 300, step: 1 } },
}

test('recovery of a killed worker', async () => {
  const client = await bed.open({ role: 'client' })
  const first = startWorker('first')
  const { taskId } = await client.backend.submit({ taskType: TaskType.OPTIMIZATION, data: sweepData, roots: null })
  await eventually('the first worker to commit some chunks', async () => (await bed.sql('select 1 from sweep_chunks')).length > 5)
  first.kill('SIGKILL')
  const kept = (await bed.sql('select 1 from sweep_chunks')).length
  startWorker('second')
  const task = await client.backend.wait(taskId)
  expect(task).toMatchObject({ status: 'completed', attempt: 2, retry_count: 0 })
  const result = task.result as { reused_chunks: number; result_hash: string; trials: number }
  expect(result.reused_chunks).toBeGreaterThanOrEqual(kept)
  const rows = await bed.sql<{ attempt: number; n: number; trials: number }>('select attempt, count(*)::int as n, sum(trials)::int as trials from sweep_chunks group by attempt order by attempt')
  expect(rows[0]?.n).toBe(result.reused_chunks)
  expect(rows.reduce((sum, row) => sum + row.trials, 0)).toBe(result.trials)
  assertLegalHistory(await bed.sql('select from_status, to_status from task_events where task_id = $1 order by event_id', [taskId]), LEGAL_TRANSITIONS)
  expect(await bed.redis.xlen(`${bed.prefix}tasks:low`)).toBe(0)

  // An undisturbed run of the same sweep gives the same bytes.
  const { taskId: again } = await client.backend.submit({ taskType: TaskType.OPTIMIZATION, data: sweepData, roots: null, fresh: true })
  const undisturbed = await client.backend.wait(again)
  expect((undisturbed.result as { result_hash: string }).result_hash).toBe(result.result_hash)
})

test('SIGTERM hands the task back without counting an attempt against it', async () => {
  const client = await bed.open({ role: 'client' })
  const first = startWorker('first')
  const { taskId } = await client.backend.submit({ taskType: TaskType.OPTIMIZATION, data: sweepData, roots: null })
  await eventually('the first worker to commit some chunks', async () => (await bed.sql('select 1 from sweep_chunks')).length > 5)
  const exit = new Promise((resolve) => { first.once('exit', (code) => resolve(code)) })
  first.kill('SIGTERM')
  expect(await exit).toBe(0)
  expect(await client.backend.task(taskId)).toMatchObject({ status: 'pending', retry_count: 0 })
  startWorker('second')
  expect(await client.backend.wait(taskId)).toMatchObject({ status: 'completed', retry_count: 0, generation: 1 })
  assertLegalHistory(await bed.sql('select from_status, to_status from task_events where task_id = $1 order by event_id', [taskId]), LEGAL_TRANSITIONS)
})
