/** A sweep that one engine began and another one finds: all its rows are of one of them. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { engineVersion } from '../../src/base/engine-version.js'
import { packageRoot } from '../../src/base/package-root.js'
import { LEGAL_TRANSITIONS, TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'
import { assertLegalHistory } from '../legal-history.js'
import { copyEngine } from './other-engine.js'
import type { OtherEngine } from './other-engine.js'

const MAIN = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
let other: OtherEngine
let bed: TestBed
let client: TestRuntime
const children: ChildProcess[] = []
beforeAll(() => { other = copyEngine('0.0.1') })
afterAll(() => { other.remove() })
beforeEach(async () => {
  bed = await openTestBed()
  client = await bed.open({ role: 'client' })
})
afterEach(async () => {
  await killAll()
  await bed.close()
})

function startWorker(main: string, name: string): ChildProcess {
  const child = spawn(process.execPath, [main, 'worker'], {
    env: { PATH: process.env['PATH'], ...bed.environment, WORKER_NAME: name, WORKER_THREADS: '1', LEASE_MS: '1000', RECOVERY_INTERVAL_SEC: '1', HTTP_PORT: '0', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

async function killAll(): Promise<void> {
  await Promise.all(children.splice(0).map((child) => new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) { resolve(null); return }
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })))
}

const sweepData = {
  file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross' }, constraint: 'fast < slow', top: 3,
  space: { fast: { min: 2, max: 120, step: 1 }, slow: { min: 3, max: 300, step: 1 } },
}

interface SweepResult { readonly reused_chunks: number; readonly trials: number; readonly engine_version: string }

/** A worker of the other engine begins a sweep and dies; one of this engine finds it. Returns its id, and how many quanta were done. */
async function begunByTheOther(): Promise<{ taskId: string; done: number }> {
  startWorker(other.main, 'other')
  const { taskId } = await client.backend.submit({ taskType: TaskType.OPTIMIZATION, data: sweepData, roots: null })
  await eventually('the other engine to commit some quanta', async () => (await bed.sql('select 1 from sweep_chunks')).length > 2)
  await killAll()
  const done = (await bed.sql('select 1 from sweep_chunks')).length
  startWorker(MAIN, 'this')
  const handedBack = await eventually('the sweep to be handed back', async () => {
    const task = await client.backend.task(taskId)
    return task.status === 'pending' && task.progress?.waits !== undefined ? task : null
  })
  expect(handedBack.progress?.waits).toContain(`begun by engine ${other.version}`)
  expect(handedBack.progress?.waits).toContain(`${done} of its`)
  expect(handedBack.progress?.waits).toContain(`tasks retry ${taskId} --start-over`)
  return { taskId, done }
}

const attemptsOfRows = (): Promise<{ attempt: number; n: number }[]> => bed.sql('select attempt, count(*)::int as n from sweep_chunks group by attempt order by attempt')

test('a sweep of another engine is handed back and says why, and a worker of its engine completes it', async () => {
  const { taskId, done } = await begunByTheOther()
  // Its row waits seconds, not milliseconds, for the next worker that may be the wrong one.
  const [row] = await bed.sql<{ due_ms: number }>('select (extract(epoch from (not_before - now())) * 1000)::float8 as due_ms from tasks where task_id = $1', [taskId])
  const [handed] = await bed.sql<{ again_ms: number }>(`
    select (extract(epoch from (t.not_before - e.at)) * 1000)::float8 as again_ms from tasks t
    join task_events e on e.task_id = t.task_id and e.event = 'released' where t.task_id = $1 order by e.event_id desc limit 1`, [taskId])
  expect(Math.max(row?.due_ms ?? 0, handed?.again_ms ?? 0)).toBeGreaterThan(500)
  expect(await attemptsOfRows()).toEqual([{ attempt: 1, n: done }])
  expect((await client.backend.health()).handed_back).toEqual({ [engineVersion.replace(/^[^+]*/, other.version)]: 1 })
  const released = (await client.backend.events(taskId)).find(({ event }) => event === 'released')
  expect(released?.detail).toMatchObject({ why: expect.stringContaining('rows of two engines are not mixed') as string })

  startWorker(other.main, 'other-again')
  const task = await client.backend.wait(taskId)
  expect(task).toMatchObject({ status: 'completed', retry_count: 0, generation: 1, progress: null })
  const result = task.result as SweepResult
  expect(result.reused_chunks).toBe(done)
  expect(result.engine_version).toMatch(new RegExp(`^${other.version}\\+`))
  expect((await bed.sql<{ trials: number }>('select sum(trials)::int as trials from sweep_chunks'))[0]?.trials).toBe(result.trials)
  assertLegalHistory(await bed.sql('select from_status, to_status from task_events where task_id = $1 order by event_id', [taskId]), LEGAL_TRANSITIONS)
})

test('a sweep of another engine starts over if asked, and then all its rows are of the engine that picked it', async () => {
  const { taskId } = await begunByTheOther()
  expect(await client.backend.retry(taskId, { startOver: true })).toMatchObject({ status: 'pending', progress: null })
  const task = await client.backend.wait(taskId)
  expect(task).toMatchObject({ status: 'completed', generation: 1 })
  expect(task.result).toMatchObject({ reused_chunks: 0, engine_version: engineVersion })
  const rows = await attemptsOfRows()
  expect(rows).toHaveLength(1)
  expect(rows[0]?.attempt).toBe(task.attempt)
  expect((await client.backend.events(taskId)).map(({ event }) => event)).toContain('started_over')
  assertLegalHistory(await bed.sql('select from_status, to_status from task_events where task_id = $1 order by event_id', [taskId]), LEGAL_TRANSITIONS)
})

test('a sweep of another engine is cancelled by whichever worker there is, and starts over after that if asked', async () => {
  const { taskId } = await begunByTheOther()
  // As after hours of waiting.
  await bed.sql("update tasks set not_before = now() + interval '10 minutes' where task_id = $1 and status = 'pending'", [taskId])
  await client.backend.cancel(taskId)
  expect(await client.backend.wait(taskId)).toMatchObject({ status: 'cancelled' })
  await client.backend.retry(taskId, { startOver: true })
  expect(await client.backend.wait(taskId)).toMatchObject({ status: 'completed', generation: 2, result: { reused_chunks: 0, engine_version: engineVersion } })
})

test('what cannot start over says why', async () => {
  const { taskId } = await client.backend.submit({ taskType: TaskType.OPTIMIZATION, data: sweepData, roots: null })
  await expect(client.backend.retry(taskId, { startOver: true })).rejects.toMatchObject({ code: 'STATE_CONFLICT', message: expect.stringContaining('has not begun') as string })
  await expect(client.backend.retry(taskId, { startover: true } as never)).rejects.toMatchObject({ code: 'SPEC_INVALID' })
  await expect(client.backend.retry(taskId, { startOver: 'yes' } as never)).rejects.toMatchObject({ code: 'SPEC_INVALID' })
  const { taskId: backtest } = await client.backend.submit({ taskType: TaskType.BACKTEST, data: { file: sweepData.file, strategy: { name: 'sma-cross' } }, roots: null })
  await expect(client.backend.retry(backtest, { startOver: true })).rejects.toMatchObject({ code: 'STATE_CONFLICT', message: expect.stringContaining('is no sweep') as string })
  await client.backend.cancel(taskId)
  expect(await client.backend.retry(taskId, { startOver: true })).toMatchObject({ status: 'pending', generation: 2 })
})
