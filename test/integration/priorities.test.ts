/** Priorities that mean it: strict, weighted, paused. Real Redis, Postgres and threads. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputePriority } from '../../src/tasks/compute-pool.js'
import { PRIORITIES } from '../../src/tasks/task.js'
import type { TaskPriority } from '../../src/tasks/task.js'
import type { TaskReceipt } from '../../src/runtime/task-queue.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import { register } from '../../src/workflows/workflow.js'
import type { RegisteredWorkflow, Workflow } from '../../src/workflows/workflow.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const WEIGHTS = { PRIORITY_WEIGHTS: 'high:8,medium:4,low:1' }

function work(priority: TaskPriority, count: number): { taskType: string; data: { n: number }; priority: TaskPriority }[] {
  return Array.from({ length: count }, (_, n) => ({ taskType: 'noop', data: { n }, priority }))
}

function counts(receipts: readonly TaskReceipt[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { priority } of receipts) found[priority] = (found[priority] ?? 0) + 1
  return found
}

async function take({ queue }: TestRuntime, picks: number, count = 1): Promise<TaskReceipt[]> {
  const receipts: TaskReceipt[] = []
  for (let i = 0; i < picks; i += 1) receipts.push(...await queue.dequeueTask({ count, blockMs: 0 }))
  return receipts
}

describe('picks', () => {
  test('a priority whose slots were all taken goes on as soon as one is free, without waiting for the bell', async () => {
    const noop = register<{ commit: () => Promise<void> }>({
      taskType: 'noop', begin: (_attempt, tools) => ({ commit: () => tools.commit({ kind: 'completed', resultJson: null }) }), end: () => undefined,
      definition: defineSaga({ type: 'noop', version: 1, steps: [{ name: 'save_results', kind: 'pivot', endsRun: true, run: async (context) => { await context.commit(); return 'null' } }] }),
    })
    // The bell would ring after a minute.
    const runtime = await bed.open({ env: { POLL_INTERVAL_MS: '60000', MAX_TASKS_PER_BATCH: '2' }, workflows: [noop] })
    await runtime.queue.enqueueTasks(work('medium', 30))
    await runtime.start()
    await eventually('all to be completed', async () => (await bed.sql<{ n: number }>("select count(*)::int as n from tasks where status = 'completed'"))[0]?.n === 30, 30_000)
  })

  test('without weights nothing below HIGH is taken while HIGH has entries', async () => {
    const runtime = await bed.open({ role: 'client' })
    for (const priority of PRIORITIES.toReversed()) await runtime.queue.enqueueTasks(work(priority, 20))
    expect(counts(await take(runtime, 20))).toEqual({ high: 20 })
    expect(counts(await take(runtime, 3, 10))).toEqual({ medium: 20, low: 10 })
  })

  test('with weights, one at a time and by tens, full streams are taken 8 to 4 to 1', async () => {
    const runtime = await bed.open({ role: 'client', env: WEIGHTS })
    for (const priority of PRIORITIES) await runtime.queue.enqueueTasks(work(priority, 100))
    const one = await take(runtime, 26)
    expect(counts(one)).toEqual({ high: 16, medium: 8, low: 2 })
    // Spread, not in blocks: any five in a row hold a MEDIUM one.
    for (let i = 0; i + 5 <= one.length; i += 1) expect(one.slice(i, i + 5).some(({ priority }) => priority === 'medium')).toBe(true)
    expect(counts(await take(runtime, 13, 10))).toEqual({ high: 80, medium: 40, low: 10 })
  })

  test('a stream that runs empty leaves its turns to the others, and comes back without credit', async () => {
    const runtime = await bed.open({ role: 'client', env: WEIGHTS })
    await runtime.queue.enqueueTasks([...work('medium', 100), ...work('low', 100)])
    expect(counts(await take(runtime, 50))).toEqual({ medium: 40, low: 10 })
    await runtime.queue.enqueueTasks(work('high', 100))
    const after = counts(await take(runtime, 39))
    expect(after['high']).toBeGreaterThanOrEqual(23)
    expect(after['high']).toBeLessThanOrEqual(25)
    expect(after['low']).toBeGreaterThanOrEqual(2)
    // A caller that asks for one priority gets it, and the others earn nothing meanwhile.
    for (let i = 0; i < 20; i += 1) expect(counts(await runtime.queue.dequeueTask({ priority: 'high', blockMs: 0 }))).toEqual({ high: 1 })
    expect(counts(await take(runtime, 13))['high']).toBeGreaterThanOrEqual(7)
  })

  test('what lapsed is taken over by weight too, and nothing is lost on the way', async () => {
    const first = await bed.open({ role: 'client' })
    const ids = await first.queue.enqueueTasks(PRIORITIES.flatMap((priority) => work(priority, 5)))
    await first.start()
    expect(await take(first, 3)).toHaveLength(3)
    // It left without settling: it is surely gone, and the next look finds its entries.
    await first.close()
    const second = await bed.open({ role: 'client', env: WEIGHTS })
    const receipts: TaskReceipt[] = []
    for (let i = 0; i < 10; i += 1) {
      await second.queue.recoverStalledTasks()
      receipts.push(...await take(second, 1, 2))
    }
    expect(receipts.map(({ taskId }) => taskId).toSorted()).toEqual(ids.toSorted())
    expect(receipts.filter(({ attempt }) => attempt === 2)).toHaveLength(3)
  })
})

describe('pauses', () => {
  /** Completes at once, except where its data says to wait for the test. */
  function gated(released: Promise<void>): RegisteredWorkflow {
    const workflow: Workflow<{ held: boolean }> = {
      taskType: 'gated', begin: (attempt) => ({ held: attempt.data['held'] === true }), end: () => undefined,
      definition: defineSaga<{ held: boolean }>({
        type: 'gated', version: 1,
        steps: [{ name: 'one', kind: 'read-only', run: async ({ held }) => { if (held) await released; return '{}' } }],
      }),
    }
    return register(workflow)
  }
  const status = async (taskId: string): Promise<string | undefined> =>
    (await bed.sql<{ status: string }>('select status from tasks where task_id = $1', [taskId]))[0]?.status

  test('a paused priority is not dequeued, by anybody, until it is resumed; a waiting caller then gets it at once', async () => {
    // The doorbell would end by itself after a minute only.
    const env = { POLL_INTERVAL_MS: '60000' }
    const [one, other] = [await bed.open({ role: 'client', env }), await bed.open({ role: 'client', env })]
    const [high] = await one.queue.enqueueTasks(work('high', 1))
    await one.queue.enqueueTasks(work('low', 1))
    expect(await one.backend.pauses.pause(['high'])).toEqual(['high'])
    for (const { queue } of [one, other]) expect((await queue.dequeueTask({ count: 1, blockMs: 0 })).map(({ priority }) => priority)).not.toContain('high')
    expect(await one.queue.dequeueTask({ blockMs: 50, priority: 'high' })).toEqual([])
    const waiting = one.queue.dequeueTask({ blockMs: 300_000 })
    await eventually('the caller to wait', async () => String(await bed.redis.client('LIST')).includes('cmd=xread'))
    expect(await one.backend.pauses.resume(['high', 'low'])).toEqual([])
    let got: string[] = []
    void waiting.then((receipts) => { got = receipts.map(({ taskId }) => taskId) })
    await eventually('the caller to get it', () => Promise.resolve(got.length > 0), 30_000)
    expect(got).toEqual([high])
  })

  test('another process pauses a running worker: what runs goes on, the rest waits, and resuming wakes it', async () => {
    let release: () => void = () => undefined
    const workflows = [gated(new Promise((resolve) => { release = resolve }))]
    // Heartbeats are far apart, so that only the bell can tell in time.
    const env = { LEASE_MS: '60000', POLL_INTERVAL_MS: '30000' }
    const worker = await bed.open({ workflows, env })
    await worker.start()
    const operator = await bed.open({ role: 'client', env })
    const [running] = await operator.queue.enqueueTasks([{ taskType: 'gated', data: { held: true }, priority: 'low' }])
    await eventually('it to run', async () => await status(running ?? '') === 'processing')
    await operator.backend.pauses.pause(['low'])
    await eventually('the worker to hear it', async () => (await bed.sql("select 1 from pg_stat_activity where application_name = 'sweepmill notice bell'")).length > 0)
    const [held, free] = await operator.queue.enqueueTasks([{ taskType: 'gated', data: {}, priority: 'low' }, { taskType: 'gated', data: {}, priority: 'medium' }])
    expect(await operator.backend.wait(free ?? '')).toMatchObject({ status: 'completed' })
    release()
    expect(await operator.backend.wait(running ?? '')).toMatchObject({ status: 'completed' })
    expect(await status(held ?? '')).toBe('pending')
    expect((await operator.backend.queueStats()).priorities).toMatchObject({ low: { waiting: 1, in_flight: 0, paused: true }, medium: { paused: false } })
    expect(await worker.backend.health()).toMatchObject({ status: 'healthy', paused: ['low'] })
    await operator.backend.pauses.resume(['low'])
    expect(await operator.backend.wait(held ?? '', undefined, AbortSignal.timeout(25_000))).toMatchObject({ status: 'completed' })
  })

  test('without the bell a heartbeat finds it, and it holds over restarts and a lost Redis', async () => {
    const first = await bed.open({ workflows: [gated(Promise.resolve())] })
    await first.start()
    // As if the notification were lost: the row alone is written.
    await bed.sql("insert into pauses (priority) values ('medium')")
    await eventually('it to be known', async () => {
      const [taskId] = await first.queue.enqueueTasks([{ taskType: 'gated', data: {}, priority: 'medium' }])
      const [probe] = await first.queue.enqueueTasks([{ taskType: 'gated', data: {}, priority: 'high' }])
      await first.backend.wait(probe ?? '')
      return await status(taskId ?? '') === 'pending'
    })
    await first.close()
    await bed.redis.del(...await bed.redis.keys(`${bed.prefix}*`))
    const second = await bed.open({ workflows: [gated(Promise.resolve())] })
    await second.start()
    const [probe] = await second.queue.enqueueTasks([{ taskType: 'gated', data: {}, priority: 'low' }])
    await second.backend.wait(probe ?? '')
    const waiting = await bed.sql<{ task_id: string }>("select task_id from tasks where status = 'pending' and priority = 'medium'")
    expect(waiting.length).toBeGreaterThan(0)
    await second.backend.pauses.resume(['medium'])
    for (const { task_id: taskId } of waiting) expect(await second.backend.wait(taskId)).toMatchObject({ status: 'completed' })
  })

  test('a session does not start its task while its priority is paused', async () => {
    const session = await bed.open({ role: 'session', workflows: [gated(Promise.resolve())] })
    await session.start()
    await session.backend.pauses.pause(PRIORITIES)
    const [taskId = ''] = await session.queue.enqueueTasks([{ taskType: 'gated', data: {}, priority: 'high' }])
    session.serve(taskId)
    await expect(session.backend.wait(taskId, undefined, AbortSignal.timeout(500))).rejects.toThrow()
    expect(await status(taskId)).toBe('pending')
    await session.backend.pauses.resume(['high'])
    expect(await session.backend.wait(taskId)).toMatchObject({ status: 'completed' })
  })
})

describe('threads', () => {
  type Got = Record<ComputePriority, { steps: number; threadMs: number }>

  /** Keeps steps of both priorities waiting until so many ran; returns what each got. */
  async function flood(weights: Record<ComputePriority, number> | null, steps: number): Promise<Got> {
    const pool = createComputePool({ threads: 1, clock: systemClock, weights })
    const got: Got = { high: { steps: 0, threadMs: 0 }, medium: { steps: 0, threadMs: 0 }, low: { steps: 0, threadMs: 0 } }
    let left = steps
    const lane = async (priority: ComputePriority, ms: number): Promise<void> => {
      while (left > 0) {
        const { threadMs } = await pool.run({ step: 'probe', input: { spin_ms: ms }, priority, divisible: true, userCode: false })
        left -= 1
        got[priority].steps += 1
        got[priority].threadMs += threadMs
      }
    }
    await Promise.all([['high', 15], ['high', 15], ['low', 40], ['low', 40]].map(([priority, ms]) => lane(priority as ComputePriority, ms as number)))
    await pool.close()
    return got
  }

  test('LOW keeps its share of thread time under a flood of HIGH with weights, and has none without', async () => {
    const weighted = await flood({ high: 3, medium: 1, low: 1 }, 100)
    const share = weighted.low.threadMs / (weighted.low.threadMs + weighted.high.threadMs)
    // By turns it would be 0.73. (What a step's way to its thread costs is charged too, and not seen here.)
    expect(share).toBeGreaterThan(0.18)
    expect(share).toBeLessThan(0.4)
    const strict = await flood(null, 30)
    // One of each lane is in the line when the last step of HIGH ends.
    expect(strict.low.steps).toBeLessThanOrEqual(2)
  })
})
