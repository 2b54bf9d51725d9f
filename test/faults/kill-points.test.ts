/** SIGKILL at every named point of a task's life: another process ends the task, once. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { TaskType } from '../../src/tasks/task.js'
import type { Waypoint } from '../../src/tasks/waypoint.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { settleAndCheck } from './invariants.js'
import { Children } from './processes.js'

let bed: TestBed
const children = new Children()
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => {
  await children.killAll()
  await bed.close()
})

const file = join(packageRoot, 'samples', 'sp500-daily.csv')
const backtest = { taskType: TaskType.BACKTEST, data: { file, strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } } }
const sweep = { taskType: TaskType.OPTIMIZATION, data: { file, strategy: { name: 'sma-cross' }, constraint: 'fast < slow', top: 3, space: { fast: { min: 2, max: 60, step: 1 }, slow: { min: 3, max: 150, step: 1 } } } }

const POINTS: readonly Waypoint[] = ['picked', 'opened', 'step_started', 'checkpointed', 'before_commit', 'committed', 'settled']

describe.each([['a backtest', backtest, POINTS], ['a sweep', sweep, [...POINTS, 'computing'] satisfies Waypoint[]]] as const)('a worker is killed with %s in hand', (_name, work, points) => {
  test.each(points)('at %s', async (point) => {
    const client = await bed.open({ role: 'client' })
    // In mid compute: some chunks in. Elsewhere the first time it comes by.
    const first = children.start({ role: 'worker', kill: { point, nth: point === 'computing' ? 4 : 1 } }, bed.environment)
    const { taskId } = await client.backend.submit({ ...work, roots: null })
    expect(await first.exited).toBe('SIGKILL')
    children.start({ role: 'worker' }, bed.environment)
    const tally = await settleAndCheck(bed, [taskId])
    expect(tally).toMatchObject({ accepted: 1, completed: 1 })
    // After the commit there is nothing left to compute; before it, one more attempt is enough.
    const opened = point === 'picked' || point === 'committed' || point === 'settled' ? 1 : 2
    expect(await client.backend.task(taskId)).toMatchObject({ status: 'completed', attempt: opened, retry_count: 0 })
  })
})

test('an entry leaves its stream only after the outcome is committed', async () => {
  const client = await bed.open({ role: 'client' })
  // It has compared everything with Redis already: what went missing since, it would not look for.
  await client.queue.recoverStalledTasks()
  const taskId = await client.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high' })
  const first = children.start({ role: 'worker', kill: { point: 'before_commit', nth: 1 } }, bed.environment)
  expect(await first.exited).toBe('SIGKILL')
  const receipt = await eventually('the entry', async () => {
    await client.queue.recoverStalledTasks()
    return (await client.queue.dequeueTask({ blockMs: 50 }))[0]
  })
  expect(receipt).toMatchObject({ taskId, attempt: 2 })
  await client.queue.acknowledgeTask(receipt)
  expect(await settleAndCheck(bed, [taskId])).toMatchObject({ completed: 1 })
})

test.each(['row_committed', 'published'] satisfies Waypoint[])('a producer is killed at %s', async (point) => {
  const producer = children.start({ role: 'producer', kill: { point, nth: 5 }, produce: { tasks: 20, works: [{ taskType: 'noop', data: {} }], pauseMs: 0 } }, bed.environment)
  expect(await producer.exited).toBe('SIGKILL')
  children.start({ role: 'worker' }, bed.environment)
  const tally = await settleAndCheck(bed, producer.accepted())
  // The fifth was committed, though its producer never heard of it.
  expect(tally).toMatchObject({ accepted: 5, completed: 5 })
})

test('a worker is killed between the task of a schedule and its message', async () => {
  const client = await bed.open({ role: 'client' })
  const folder = await mkdtemp(join(tmpdir(), 'sweepmill-schedule-'))
  const own = join(folder, 'bars.csv')
  await copyFile(file, own)
  await client.backend.schedules.add('hourly', { cron: '0 * * * *', timeZone: 'UTC' }, { ...backtest, data: { ...backtest.data, file: own }, roots: null })
  // The bars were pinned: whoever runs the task does not need the file.
  await rm(folder, { recursive: true })
  await bed.sql("update schedules set next_fire_at = now() - interval '1 second'")
  const first = children.start({ role: 'worker', kill: { point: 'row_committed', nth: 1 } }, bed.environment)
  expect(await first.exited).toBe('SIGKILL')
  expect(await bed.sql('select status, published_at from tasks')).toEqual([{ status: 'pending', published_at: null }])
  children.start({ role: 'worker' }, bed.environment)
  expect(await settleAndCheck(bed, [])).toMatchObject({ accepted: 1, completed: 1, attempts: 1 })
})

test('a worker is killed in the middle of a compensation', async () => {
  const client = await bed.open({ role: 'client' })
  const taskId = await client.queue.enqueueTask({ taskType: 'failing', data: {} })
  const first = children.start({ role: 'worker', kill: { point: 'undoing', nth: 1 } }, bed.environment)
  expect(await first.exited).toBe('SIGKILL')
  expect(await bed.sql('select 1 from task_artifacts')).toHaveLength(1)
  children.start({ role: 'worker' }, bed.environment)
  await settleAndCheck(bed, [taskId])
  expect(await client.backend.task(taskId)).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'STRATEGY_FAILED' } })
  expect(await bed.sql('select 1 from task_artifacts')).toEqual([])
  expect(await bed.sql('select run, status from saga_runs')).toEqual([{ run: 1, status: 'compensated' }])
})

test('a task that kills its process three times without progress is a dead letter, and holds nothing else up', async () => {
  const client = await bed.open({ role: 'client' })
  const poison = await client.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high' })
  for (let round = 1; round <= 3; round += 1) {
    const victim = children.start({ role: 'worker', kill: { point: 'opened', nth: 1 } }, bed.environment)
    expect(await victim.exited).toBe('SIGKILL')
  }
  const other = await client.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high' })
  children.start({ role: 'worker' }, bed.environment)
  const tally = await settleAndCheck(bed, [poison, other])
  expect(tally).toMatchObject({ completed: 1, deadLettered: 1 })
  expect(await client.backend.task(poison)).toMatchObject({ status: 'dead_letter' })
  expect(await bed.redis.xlen(`${bed.prefix}tasks:dlq`)).toBe(1)
})
