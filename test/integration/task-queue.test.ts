/** The queue as a library, against real Redis and Postgres. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { LEGAL_TRANSITIONS } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed, SHORT_LEASE } from '../harness.js'
import { assertLegalHistory } from '../legal-history.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const work = (n: number): { taskType: string; data: { n: number } } => ({ taskType: 'noop', data: { n } })

async function history(taskId: string): Promise<{ event: string; from_status: string | null; to_status: string | null; attempt: number }[]> {
  return bed.sql('select event, from_status, to_status, attempt from task_events where task_id = $1 order by event_id', [taskId])
}

async function pendingInRedis(): Promise<number> {
  let pending = 0
  for (const priority of ['high', 'medium', 'low']) {
    const summary = await bed.redis.xpending(`${bed.prefix}tasks:${priority}`, 'task_workers').catch(() => [0])
    pending += Number(summary[0])
  }
  return pending
}

describe('TaskQueue', () => {
  test('task enqueue with priority', async () => {
    const { queue } = await bed.open()
    const low = await queue.enqueueTask({ ...work(1), priority: 'low' })
    const medium = await queue.enqueueTask({ ...work(2), priority: 'medium' })
    const high = await queue.enqueueTask({ ...work(3), priority: 'high' })
    const rows = await bed.sql<{ task_id: string; priority: string; status: string }>('select task_id, priority, status from tasks')
    expect(new Map(rows.map((row) => [row.task_id, `${row.priority} ${row.status}`]))).toEqual(
      new Map([[low, 'low pending'], [medium, 'medium pending'], [high, 'high pending']]))
    for (const priority of ['high', 'medium', 'low']) expect(await bed.redis.xlen(`${bed.prefix}tasks:${priority}`)).toBe(1)
    const order = []
    for (let i = 0; i < 3; i += 1) order.push(...await queue.dequeueTask())
    expect(order.map((receipt) => receipt.taskId)).toEqual([high, medium, low])
  })

  test('task dequeue', async () => {
    const { queue } = await bed.open()
    const ids = await queue.enqueueTasks([work(1), work(2), work(3)])
    const [first] = await queue.dequeueTask()
    expect(first).toMatchObject({ taskId: ids[0], attempt: 1, payload: { n: 1 }, priority: 'low' })
    const rest = await queue.dequeueTask({ count: 5 })
    expect(rest.map((receipt) => receipt.payload)).toEqual([{ n: 2 }, { n: 3 }])
    expect(await queue.dequeueTask({ blockMs: 50 })).toEqual([])
    const waiting = queue.dequeueTask({ blockMs: 10_000, priority: 'high' })
    await queue.enqueueTask({ ...work(9), priority: 'medium' })
    const late = await queue.enqueueTask({ ...work(4), priority: 'high' })
    expect((await waiting).map((receipt) => receipt.taskId)).toEqual([late])
  })

  test('task completion', async () => {
    const { queue, backend } = await bed.open()
    const taskId = await queue.enqueueTask(work(1))
    const [receipt] = await queue.dequeueTask()
    expect(receipt).toBeDefined()
    if (receipt === undefined) return
    await queue.acknowledgeTask(receipt, { answer: 42 })
    expect(await backend.task(taskId)).toMatchObject({ status: 'completed', result: { answer: 42 }, attempt: 1, error: null })
    expect(await bed.redis.xlen(`${bed.prefix}tasks:low`)).toBe(0)
    expect(await pendingInRedis()).toBe(0)
    // The fence: a second acknowledgement of the same attempt changes nothing.
    await expect(queue.acknowledgeTask(receipt, { answer: 43 })).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await backend.task(taskId)).toMatchObject({ result: { answer: 42 } })
    expect((await history(taskId)).map((event) => event.to_status)).toEqual(['pending', 'processing', 'completed'])
  })

  test('task retry logic', async () => {
    const { queue, backend } = await bed.open()
    const transient = new SweepmillError('THREAD_LOST', 'the thread went away')
    const taskId = await queue.enqueueTask({ ...work(1), maxRetries: 2 })
    const outcomes: string[] = []
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const receipt = await eventually(`attempt ${attempt}`, async () => (await queue.dequeueTask({ blockMs: 500 }))[0])
      expect(receipt.attempt).toBe(attempt)
      outcomes.push(await queue.failTask(receipt, transient))
      expect((await backend.task(taskId)).retry_count).toBe(Math.min(attempt, 2))
    }
    expect(outcomes).toEqual(['retry', 'retry', 'dead_letter'])
    const permanent = await queue.enqueueTask({ ...work(2), maxRetries: 5 })
    const [receipt] = await queue.dequeueTask()
    if (receipt === undefined) throw new Error('nothing was delivered')
    expect(await queue.failTask(receipt, new SweepmillError('SPEC_INVALID', 'bad spec'))).toBe('failed')
    expect(await backend.task(permanent)).toMatchObject({ status: 'failed', retry_count: 0, error: { code: 'SPEC_INVALID', message: 'bad spec' } })
    assertLegalHistory(await history(taskId), LEGAL_TRANSITIONS)
  })

  test('dead letter queue', async () => {
    const { queue, backend } = await bed.open()
    const taskId = await queue.enqueueTask({ ...work(1), priority: 'high' })
    const [receipt] = await queue.dequeueTask()
    if (receipt === undefined) throw new Error('nothing was delivered')
    await queue.moveToDlq(receipt, new SweepmillError('COMPUTE_FAILED', 'no use'))
    expect(await backend.task(taskId)).toMatchObject({ status: 'dead_letter', error: { code: 'COMPUTE_FAILED' } })
    const letters = await bed.redis.xrange(`${bed.prefix}tasks:dlq`, '-', '+')
    expect(letters).toHaveLength(1)
    expect(letters[0]?.[1].slice(0, 2)).toEqual(['task_id', taskId])
    const [, fields] = letters[0] ?? ['', []]
    expect(JSON.parse(fields[fields.indexOf('letter') + 1] ?? '')).toMatchObject({ taskId, reason: 'moved_by_caller', attempts: 1 })
    expect(await pendingInRedis()).toBe(0)
    await backend.retry(taskId)
    const [again] = await queue.dequeueTask()
    expect(again).toMatchObject({ taskId, attempt: 2 })
    expect(await backend.task(taskId)).toMatchObject({ generation: 2, retry_count: 0, status: 'processing' })
    assertLegalHistory(await history(taskId), LEGAL_TRANSITIONS)
  })

  test('messages that do not decode hold nothing up', async () => {
    const { queue, backend } = await bed.open()
    const stream = `${bed.prefix}tasks:high`
    await bed.redis.xadd(stream, '*', 'nonsense', 'x')
    const buried = await queue.enqueueTask({ ...work(1), priority: 'high', notBefore: '2999-01-01T00:00:00Z' })
    await bed.redis.xadd(stream, '*', 'task_id', buried, 'task_type', 'noop', 'body', Buffer.from([1, 0xc1, 0xff]))
    await bed.redis.xadd(stream, '*', 'task_id', '01999999-0000-7000-8000-000000000000', 'task_type', 'noop')
    const good = await queue.enqueueTask({ ...work(2), priority: 'high' })
    const receipt = await eventually('the good one', async () => (await queue.dequeueTask({ blockMs: 200 }))[0])
    expect(receipt.taskId).toBe(good)
    await queue.acknowledgeTask(receipt)
    expect(await bed.redis.xlen(stream)).toBe(0)
    expect(await bed.redis.xlen(`${bed.prefix}tasks:dlq`)).toBe(3)
    const aside = await backend.deadLetters.quarantine({})
    expect(aside.map((entry) => entry.reason).sort()).toEqual(['no task has this id', 'the bytes do not decode', 'the bytes do not decode'])
    expect(aside).toContainEqual(expect.objectContaining({ size_bytes: 3, head_base64: Buffer.from([1, 0xc1, 0xff]).toString('base64'), priority: 'high' }))
    expect(await backend.deadLetters.quarantine({ limit: 1 })).toEqual(aside.slice(0, 1))
    expect(await backend.deadLetters.quarantine({ before: aside.at(-1)?.created_at })).toEqual([])
  })

  test('checkpointing', async () => {
    const { queue } = await bed.open()
    const taskId = await queue.enqueueTask(work(1))
    const [receipt] = await queue.dequeueTask()
    if (receipt === undefined) throw new Error('nothing was delivered')
    await queue.saveCheckpoint(receipt, 'first', { done: 1 })
    await queue.saveCheckpoint(receipt, 'second', { done: 2 })
    const checkpoints = await queue.getCheckpoints(taskId)
    expect(checkpoints.map(({ step, data }) => ({ step, data }))).toEqual([{ step: 'first', data: { done: 1 } }, { step: 'second', data: { done: 2 } }])
    expect(checkpoints.every(({ timestamp }) => !Number.isNaN(Date.parse(timestamp)))).toBe(true)
    expect(await bed.redis.xlen(`${bed.prefix}tasks:checkpoints`)).toBe(2)
    await queue.acknowledgeTask(receipt)
    await expect(queue.saveCheckpoint(receipt, 'late', {})).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await queue.getCheckpoints(taskId)).toHaveLength(2)
  })

  test('idempotency keys give the first task, also to concurrent callers', async () => {
    const { queue } = await bed.open()
    const ids = await Promise.all(Array.from({ length: 20 }, () => queue.enqueueTask({ ...work(1), idempotencyKey: 'k' })))
    expect(new Set(ids).size).toBe(1)
    expect(await bed.redis.xlen(`${bed.prefix}tasks:low`)).toBe(1)
    await expect(queue.enqueueTask({ ...work(2), idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    await expect(queue.enqueueTasks([work(3), { ...work(4), idempotencyKey: 'k' }])).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    expect(await bed.sql('select 1 from tasks')).toHaveLength(1)
  })

  test('names and tags find tasks, and change nothing else', async () => {
    const { queue, backend } = await bed.open()
    const named = await queue.enqueueTask({ ...work(1), name: 'January run 50 %_', tags: ['nightly', 'desk:fx'], idempotencyKey: 'k' })
    const [tagged, plain] = await queue.enqueueTasks([{ ...work(2), tags: ['nightly'] }, work(3)])
    // What a task is called is none of what it asks for.
    expect(await queue.enqueueTask({ ...work(1), name: 'another', idempotencyKey: 'k' })).toBe(named)
    const found = async (filter: { name?: string; tags?: readonly string[] }): Promise<unknown> => (await backend.tasks(filter)).map((task) => task.task_id)
    expect(await found({ name: 'january' })).toEqual([named])
    expect(await found({ name: '%_' })).toEqual([named])
    expect(await found({ name: 'a%b' })).toEqual([])
    expect(new Set(await found({ tags: ['nightly'] }) as string[])).toEqual(new Set([named, tagged]))
    expect(await found({ tags: ['nightly', 'desk:fx'] })).toEqual([named])
    expect(await found({ name: 'run', tags: ['other'] })).toEqual([])
    expect(await found({ tags: [] })).toHaveLength(3)
    expect(await backend.task(named)).toMatchObject({ name: 'January run 50 %_', tags: ['nightly', 'desk:fx'] })
    expect(await backend.task(String(plain))).toMatchObject({ name: null, tags: [] })
    await expect(queue.enqueueTask({ ...work(4), name: ' ' })).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path: 'name' } })
    await expect(queue.enqueueTask({ ...work(4), maxRetry: 3 } as never)).rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('Unknown key "maxRetry"') as string })
  })

  test('a full queue refuses before the row', async () => {
    const { queue } = await bed.open({ env: { STREAM_CAPACITY: '2' } })
    await queue.enqueueTasks([work(1), work(2)])
    await expect(queue.enqueueTask(work(3))).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect(await bed.sql('select 1 from tasks')).toHaveLength(2)
    await queue.enqueueTask({ ...work(4), priority: 'high' })
  })

  test('a payload over 64 KiB stays in Postgres and arrives whole', async () => {
    const { queue } = await bed.open()
    const text = 'x'.repeat(100_000)
    await queue.enqueueTask({ taskType: 'noop', data: { text } })
    const [[, fields] = ['', []]] = await bed.redis.xrange(`${bed.prefix}tasks:low`, '-', '+')
    expect(fields).not.toContain('body')
    const [receipt] = await queue.dequeueTask()
    expect(receipt?.payload).toEqual({ text })
  })

  test('a delayed task is not delivered early', async () => {
    const { queue } = await bed.open()
    const at = new Date(Date.now() + 400).toISOString()
    await queue.enqueueTask({ ...work(1), notBefore: at })
    await eventually('the delayed task', async () => (await queue.dequeueTask({ blockMs: 50 }))[0])
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(at) - 5)
  })

  test('a flushed Redis is filled again from Postgres', async () => {
    const runtime = await bed.open({ role: 'client' })
    const { queue } = runtime
    await runtime.start()
    await queue.recoverStalledTasks()
    const taskId = await queue.enqueueTask(work(1))
    const held = await queue.enqueueTask({ ...work(2), priority: 'high' })
    const [mine] = await queue.dequeueTask()
    expect(mine?.taskId).toBe(held)
    const keys = await bed.redis.keys(`${bed.prefix}*`)
    await bed.redis.del(...keys)
    await queue.recoverStalledTasks()
    // The task in hand has a living owner: it is not published again, and its acknowledgement counts.
    const [receipt] = await queue.dequeueTask({ count: 10 })
    expect(receipt?.taskId).toBe(taskId)
    expect(await queue.dequeueTask({ blockMs: 50 })).toEqual([])
    if (mine !== undefined) await queue.acknowledgeTask(mine)
    expect(await bed.sql("select 1 from tasks where status = 'completed'")).toHaveLength(1)
  })

  test('a lease that is not renewed is taken over, and the late owner changes nothing', async () => {
    const first = await bed.open({ env: SHORT_LEASE })
    const taskId = await first.queue.enqueueTask(work(1))
    // `first` never starts its keeper: nothing renews what it dequeues.
    const [stale] = await first.queue.dequeueTask()
    if (stale === undefined) throw new Error('nothing was delivered')
    const third = await bed.open({ env: SHORT_LEASE })
    const receipt = await eventually('the takeover', async () => {
      await third.queue.recoverStalledTasks()
      return (await third.queue.dequeueTask({ blockMs: 20 }))[0]
    })
    expect(receipt).toMatchObject({ taskId, attempt: 2 })
    // The checkpoint first: the late owner still believes that the task is its own, and only the fence knows better.
    await expect(first.queue.saveCheckpoint(stale, 'late', {})).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await bed.sql('select 1 from checkpoints')).toEqual([])
    await expect(first.queue.acknowledgeTask(stale, { from: 'the dead' })).rejects.toMatchObject({ code: 'LEASE_LOST' })
    await third.queue.acknowledgeTask(receipt, { from: 'the living' })
    expect(await third.backend.task(taskId)).toMatchObject({ status: 'completed', result: { from: 'the living' } })
    assertLegalHistory(await history(taskId), LEGAL_TRANSITIONS)
  })

  test('concurrent workers', async () => {
    const producers = await bed.open()
    const workers = await Promise.all([bed.open(), bed.open(), bed.open()])
    const ids = await producers.queue.enqueueTasks(Array.from({ length: 300 }, (_, i) => ({ ...work(i), priority: (['high', 'medium', 'low'] as const)[i % 3] })))
    const seen: string[] = []
    await Promise.all(workers.map(async ({ queue }) => {
      for (let got = await queue.dequeueTask({ count: 7, blockMs: 200 }); got.length > 0; got = await queue.dequeueTask({ count: 7, blockMs: 200 })) {
        for (const receipt of got) {
          seen.push(receipt.taskId)
          await queue.acknowledgeTask(receipt)
        }
      }
    }))
    expect(seen.toSorted()).toEqual(ids.toSorted())
    expect(await bed.sql("select 1 from tasks where status = 'completed' and attempt = 1")).toHaveLength(300)
    expect(await pendingInRedis()).toBe(0)
  })

  test('metrics tracking', async () => {
    const { queue, metrics, backend } = await bed.open()
    await queue.enqueueTasks([{ ...work(1), priority: 'high' }, work(2), work(3)])
    const receipts = await queue.dequeueTask({ count: 2 })
    const [done, failed] = receipts
    if (done === undefined || failed === undefined) throw new Error('nothing was delivered')
    await queue.acknowledgeTask(done)
    await queue.failTask(failed, new SweepmillError('SPEC_INVALID', 'bad'))
    metrics.queue.observeDepths(() => Promise.resolve({ high: 0, medium: 0, low: 1 }))
    const text = await metrics.exposition()
    expect(text).toContain('task_queue_enqueued_total{priority="high",type="noop"} 1')
    expect(text).toContain('task_queue_enqueued_total{priority="low",type="noop"} 2')
    expect(text).toContain('task_queue_dequeued_total{priority="low",type="noop"} 1')
    expect(text).toContain('task_queue_completed_total{priority="high",type="noop"} 1')
    expect(text).toContain('task_queue_failed_total{priority="low",type="noop",reason="SPEC_INVALID"} 1')
    expect(text).toMatch(/task_queue_processing_duration_seconds_count\{priority="high",type="noop"\} 1/)
    const health = await backend.health()
    expect(health.metrics).toMatchObject({ queue_depth: { high: 0, medium: 0, low: 1 }, tasks_enqueued: 3, tasks_dequeued: 2, tasks_completed: 1, tasks_failed: 1 })
  })
})
