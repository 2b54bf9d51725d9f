/** Tasks that wait for their time, against real servers: the delayed set, promotion, and Postgres's clock as the judge. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const data = { file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } }
const backtest = { taskType: TaskType.BACKTEST, roots: null, data }
const sweep = { taskType: TaskType.OPTIMIZATION, roots: null, data: { ...data, strategy: { name: 'sma-cross' }, space: { fast: { min: 5, max: 6, step: 1 }, slow: { min: 10, max: 12, step: 1 } } } }
const later = (ms: number): string => new Date(Date.now() + ms).toISOString()

test('a backtest waits in the delayed set, and starts when Postgres says that it is due', async () => {
  const worker = await bed.open()
  await worker.start()
  const notBefore = later(60_000)
  const { taskId } = await worker.backend.submit({ ...backtest, notBefore })
  expect(await worker.backend.task(taskId)).toMatchObject({ status: 'pending', priority: 'medium', not_before: notBefore, attempt: 0 })
  expect(await bed.redis.zrange(`${bed.prefix}tasks:delayed`, '0', '-1')).toEqual([`2:backtest_workflow:${taskId}`])
  expect(await bed.redis.xlen(`${bed.prefix}tasks:medium`)).toBe(0)
  // A minute is brought forward to a moment, in both places.
  await bed.sql("update tasks set not_before = now() + interval '300 ms'")
  await bed.redis.zadd(`${bed.prefix}tasks:delayed`, Date.now() + 300, `2:backtest_workflow:${taskId}`)
  await eventually('its end', async () => (await worker.backend.task(taskId)).status === 'completed')
  expect(await bed.sql('select started_at >= not_before as waited, attempt from tasks')).toEqual([{ waited: true, attempt: 1 }])
  expect(await bed.redis.zcard(`${bed.prefix}tasks:delayed`)).toBe(0)
})

test('an entry that comes before its time starts nothing and goes back to wait', async () => {
  const { queue, backend } = await bed.open({ role: 'client' })
  const taskId = await queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high', notBefore: later(60_000) })
  // As by a Redis whose clock is ahead.
  await bed.redis.zadd(`${bed.prefix}tasks:delayed`, 0, `1:noop:${taskId}`)
  expect(await queue.dequeueTask({ blockMs: 100 })).toEqual([])
  expect(await backend.task(taskId)).toMatchObject({ status: 'pending', attempt: 0 })
  expect(await bed.redis.xlen(`${bed.prefix}tasks:high`)).toBe(0)
  const score = Number(await bed.redis.zscore(`${bed.prefix}tasks:delayed`, `1:noop:${taskId}`))
  expect(score).toBeGreaterThan(Date.now() + 50_000)
  await bed.sql("update tasks set not_before = now() - interval '1 second'")
  await bed.redis.zadd(`${bed.prefix}tasks:delayed`, 0, `1:noop:${taskId}`)
  expect(await queue.dequeueTask({ blockMs: 2000 })).toMatchObject([{ taskId, attempt: 1 }])
})

test('a flushed Redis waits again for what was not due', async () => {
  const { queue } = await bed.open({ role: 'client' })
  await queue.recoverStalledTasks()
  const taskId = await queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'low', notBefore: later(60_000) })
  await bed.redis.del(...await bed.redis.keys(`${bed.prefix}*`))
  await queue.recoverStalledTasks()
  expect(Number(await bed.redis.zscore(`${bed.prefix}tasks:delayed`, `3:noop:${taskId}`))).toBeGreaterThan(Date.now() + 50_000)
  expect(await bed.redis.xlen(`${bed.prefix}tasks:low`)).toBe(0)
})

test('a sweep that is wanted now does not attach to one that waits for tomorrow', async () => {
  const { backend } = await bed.open({ role: 'client' })
  const tomorrow = await backend.submit({ ...sweep, notBefore: later(86_400_000) })
  const now = await backend.submit(sweep)
  expect(now).toMatchObject({ created: true })
  expect(now.taskId).not.toBe(tomorrow.taskId)
  expect(await backend.submit(sweep)).toEqual({ taskId: now.taskId, created: false })
})
