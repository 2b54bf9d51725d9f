/** Cleanups as tasks: what a dry run says and a real one does, beside live work, and through cancels, kills and each other. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import { LEGAL_TRANSITIONS, TaskType } from '../../src/tasks/task.js'
import type { TaskView } from '../../src/tasks/backend.js'
import { register } from '../../src/workflows/workflow.js'
import type { Workflow } from '../../src/workflows/workflow.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import { assertLegalHistory } from '../legal-history.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const SAMPLE = join(packageRoot, 'samples', 'sp500-daily.csv')
const BACKTEST = { file: SAMPLE, strategy: { name: 'sma-cross', params: { fast: 50, slow: 200 } } }

interface Result { readonly dry_run: boolean; readonly rules: readonly { rule: string; rows: number; bytes: number }[]; readonly rows: number; readonly bytes: number }

async function cleanup(runtime: TestRuntime, data: object): Promise<TaskView> {
  const { taskId } = await runtime.backend.submit({ taskType: TaskType.CLEANUP, roots: null, data: { ...data } })
  return runtime.backend.wait(taskId)
}

const rowsOf = (task: TaskView): Record<string, number> =>
  Object.fromEntries((task.result as Result).rules.filter(({ rows }) => rows > 0).map(({ rule, rows }) => [rule, rows]))

async function finished(count: number): Promise<void> {
  await bed.sql(`insert into tasks (task_id, task_type, priority, status, data, payload_hash, attempt, created_at, completed_at, published_at, message_id)
    select gen_random_uuid(), 'noop', 'low', 'completed', '{}', 'h', 1, now() - interval '99 days', now() - interval '99 days', now(), '1-1' from generate_series(1, $1::integer)`, [count])
}

const left = async (): Promise<number> => (await bed.sql<{ n: number }>("select count(*)::int as n from tasks where task_type = 'noop'"))[0]?.n ?? -1
const ageAll = (): Promise<unknown> => bed.sql("update tasks set created_at = created_at - interval '99 days', completed_at = completed_at - interval '99 days' where status not in ('pending', 'processing')")

test('a dry run says what the real one then removes, and live work goes on with its bars', async () => {
  const started: string[] = []
  let end = (): void => undefined
  const held: Workflow<null> = {
    taskType: 'held', begin: () => null, end: () => undefined,
    definition: defineSaga<null>({ type: 'held', version: 1, steps: [{ name: 'one', kind: 'read-only', run: () => { started.push('held'); return new Promise((resolve) => { end = () => resolve('null') }) } }] }),
  }
  const runtime = await bed.open({ workflows: [register(held)] })
  await runtime.start()
  const done = (await runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: BACKTEST, idempotencyKey: 'k' })).taskId
  expect((await runtime.backend.wait(done)).status).toBe('completed')
  const waiting = (await runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { ...BACKTEST, end_date: '2010-01-01' }, notBefore: '2099-01-01T00:00:00Z' })).taskId
  const running = await runtime.queue.enqueueTask({ taskType: 'held', data: {} })
  const dead = await runtime.queue.enqueueTask({ taskType: 'nobody-runs-it', data: {}, priority: 'high', notBefore: '2099-01-01T00:00:00Z' })
  await eventually('the task to run', async () => started.length > 0 && (await runtime.backend.task(running)).status === 'processing')
  await bed.sql("update tasks set status = 'dead_letter', dead_reason = 'retries_exhausted', attempt = 1, not_before = null, completed_at = now() where task_id = $1", [dead])
  await bed.redis.xadd(`${bed.prefix}tasks:dlq`, '*', 'task_id', dead, 'generation', '1')
  await ageAll()
  await bed.sql("update datasets set used_at = now() - interval '999 days'")
  await bed.sql("update bar_blocks set used_at = now() - interval '999 days'")

  const spec = { tasks_days: 30, dead_letters_days: 30, bars_days: 0, checkpoints_days: 90 }
  const dry = await cleanup(runtime, { ...spec, dry_run: true })
  expect(dry).toMatchObject({ status: 'completed', priority: 'low', data: { ...spec, events_days: 365, chunks_days: 30, dry_run: true }, result: { dry_run: true } })
  expect(rowsOf(dry)).toEqual({ tasks: 1, dead_letters: 1 })
  expect((dry.result as Result).bytes).toBeGreaterThan(10_000)
  expect((await runtime.backend.task(done)).status).toBe('completed')

  expect(await bed.redis.xlen(`${bed.prefix}tasks:dlq`)).toBe(1)
  const real = await cleanup(runtime, spec)
  expect(real.result).toEqual({ ...dry.result as Result, dry_run: false })
  await expect(runtime.backend.task(done)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  expect(await bed.redis.xlen(`${bed.prefix}tasks:dlq`)).toBe(0)
  expect((await runtime.backend.task(waiting)).status).toBe('pending')
  expect((await runtime.backend.task(running)).status).toBe('processing')
  // The waiting one has its bars, once no task's cache has them any more.
  await bed.sql('update tasks set not_before = null, published_at = null, message_id = null where task_id = $1', [waiting])
  const other = await bed.open()
  await other.start()
  await other.queue.recoverStalledTasks()
  expect(await other.backend.wait(waiting)).toMatchObject({ status: 'completed' })
  end()
  expect((await runtime.backend.wait(running)).status).toBe('completed')
  // The purged task's key is free.
  expect(await runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { ...BACKTEST, start_date: '2010-01-01' }, idempotencyKey: 'k' })).toMatchObject({ created: true })
  assertLegalHistory(await bed.sql('select from_status, to_status from task_events where task_id = $1 order by event_id', [real.task_id]), LEGAL_TRANSITIONS)
})

test('a cancelled cleanup stops between two batches, and retried removes the rest', async () => {
  await bed.open({ role: 'client' })
  await finished(6000)
  let seen = 0
  const runtime = await bed.open({ waypoint: (point, taskId) => {
    if (point !== 'computing') return
    seen += 1
    // Past the plan's nine looks.
    if (seen === 12) void runtime.backend.cancel(taskId)
  } })
  await runtime.start()
  const cancelled = await cleanup(runtime, {})
  expect(cancelled).toMatchObject({ status: 'cancelled', error: { code: 'TASK_CANCELLED' } })
  const rest = await left()
  expect(rest).toBeGreaterThan(0)
  expect(rest).toBeLessThan(6000)
  expect(rest % 500).toBe(0)
  await runtime.backend.retry(cancelled.task_id)
  const again = await runtime.backend.wait(cancelled.task_id)
  expect(again).toMatchObject({ status: 'completed', generation: 2 })
  expect(rowsOf(again)).toEqual({ tasks: 6000 })
  expect(await left()).toBe(0)
})

test('a worker killed in the middle costs at most a batch, and nothing is counted twice', async () => {
  const client = await bed.open({ role: 'client' })
  await finished(20_000)
  const worker = spawn(process.execPath, [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), 'worker'], {
    env: { ...process.env, ...bed.environment, HTTP_PORT: '0', WORKER_THREADS: '1', LEASE_MS: '600', LOG_LEVEL: 'silent' }, stdio: 'ignore',
  })
  const { taskId } = await client.backend.submit({ taskType: TaskType.CLEANUP, roots: null, data: {} })
  await eventually('the first batch', async () => (await bed.sql("select 1 from checkpoints where data ? 'rule'")).length > 0)
  worker.kill('SIGKILL')
  await new Promise((resolve) => { worker.once('exit', resolve) })
  const before = await left()
  expect(before).toBeGreaterThan(0)
  const runtime = await bed.open()
  await runtime.start()
  const task = await runtime.backend.wait(taskId)
  expect(task.status).toBe('completed')
  expect(task.attempt).toBeGreaterThan(1)
  expect(rowsOf(task)).toEqual({ tasks: 20_000 })
  expect(await left()).toBe(0)
  expect((await bed.sql<{ n: number }>("select count(*)::int as n from task_events where event = 'purged'"))[0]).toEqual({ n: 20_000 })
})

test('two cleanups at once share the work', async () => {
  const client = await bed.open({ role: 'client' })
  await finished(5000)
  const submit = async (): Promise<string> => (await client.backend.submit({ taskType: TaskType.CLEANUP, roots: null, data: {} })).taskId
  const ids = [await submit(), await submit()]
  for (const runtime of [await bed.open(), await bed.open()]) await runtime.start()
  const tasks = await Promise.all(ids.map((taskId) => client.backend.wait(taskId)))
  expect(tasks.map((task) => task.status)).toEqual(['completed', 'completed'])
  expect(tasks.reduce((sum, task) => sum + (rowsOf(task)['tasks'] ?? 0), 0)).toBe(5000)
  expect(await left()).toBe(0)
})

test('a sweep whose rows went keeps its best trials and says so', async () => {
  const runtime = await bed.open()
  await runtime.start()
  const { taskId } = await runtime.backend.submit({ taskType: TaskType.OPTIMIZATION, roots: null, data: { file: SAMPLE, strategy: { name: 'sma-cross' }, space: { fast: { min: 5, max: 9 }, slow: { min: 20, max: 22 } } } })
  expect((await runtime.backend.wait(taskId)).status).toBe('completed')
  let lines = ''
  await runtime.backend.exportTrials(taskId, (bytes) => { lines += Buffer.from(bytes).toString(); return Promise.resolve() })
  expect(lines.trim().split('\n')).toHaveLength(16)
  expect(rowsOf(await cleanup(runtime, { tasks_days: 1, chunks_days: 0 }))).toHaveProperty('chunks')
  await expect(runtime.backend.exportTrials(taskId, () => Promise.resolve())).rejects.toThrow(/removed by a cleanup/)
  expect((await runtime.backend.task(taskId)).result).toMatchObject({ trials: 15 })
  expect((await bed.sql('select 1 from sweep_top where sweep_id = $1', [taskId])).length).toBeGreaterThan(0)
})

test('a schedule makes cleanups; a wrong spec is refused at the door', async () => {
  const runtime = await bed.open()
  await runtime.start()
  await expect(runtime.backend.submit({ taskType: TaskType.CLEANUP, roots: null, data: { task_days: 3 } })).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path: 'task_days' } })
  await runtime.backend.schedules.add('nightly', { cron: '* * * * * *', timeZone: 'UTC' }, { taskType: TaskType.CLEANUP, roots: null, data: { tasks_days: 3 } })
  const task = await eventually('a cleanup to complete', async () => (await runtime.backend.tasks({ type: TaskType.CLEANUP, status: 'completed' }))[0])
  expect(task).toMatchObject({ priority: 'low', data: { tasks_days: 3, dry_run: false } })
})
