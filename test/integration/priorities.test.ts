/** Priorities that mean it: strict, weighted. Real Redis, Postgres and threads. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputePriority } from '../../src/tasks/compute-pool.js'
import { PRIORITIES } from '../../src/tasks/task.js'
import type { TaskPriority } from '../../src/tasks/task.js'
import type { TaskReceipt } from '../../src/runtime/task-queue.js'
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

describe('threads', () => {
  /** Keeps steps waiting until every priority has used its thread time for so long; returns the milliseconds each got. */
  async function flood(weights: Record<ComputePriority, number> | null, forMs: number): Promise<Record<ComputePriority, number>> {
    const pool = createComputePool({ threads: 1, clock: systemClock, weights })
    const got = { high: 0, medium: 0, low: 0 }
    const untilMs = systemClock.monotonicMs() + forMs
    const lane = async (priority: ComputePriority, ms: number): Promise<void> => {
      while (systemClock.monotonicMs() < untilMs) {
        const { threadMs } = await pool.run({ step: 'probe', input: { spin_ms: ms }, priority, divisible: true, userCode: false })
        got[priority] += threadMs
      }
    }
    await Promise.all([['high', 5], ['high', 5], ['low', 20], ['low', 20]].map(([priority, ms]) => lane(priority as ComputePriority, ms as number)))
    await pool.close()
    return got
  }

  test('LOW keeps its share of thread time under a flood of HIGH with weights, and has none without', async () => {
    const weighted = await flood({ high: 3, medium: 1, low: 1 }, 2000)
    const share = weighted.low / (weighted.low + weighted.high)
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.32)
    const strict = await flood(null, 500)
    // The first step finds the thread free, and one of each lane is in the line when time is up.
    expect(strict.low).toBeLessThanOrEqual(3 * 25)
  })
})
