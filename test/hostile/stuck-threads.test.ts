/** Threads that are stuck, whatever in: each is replaced within its time, what waited for it goes on, and readiness knows. */
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputePool, ComputeReply, ComputeRequest } from '../../src/tasks/compute-pool.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'

const pools: ComputePool[] = []
afterEach(async () => { await Promise.all(pools.splice(0).map((pool) => pool.close())) })

function open(stallMs: number, threads = 1): ComputePool {
  const pool = createComputePool({ threads, stallMs, clock: systemClock })
  pools.push(pool)
  return pool
}

function probe(pool: ComputePool, input: object, rest: Partial<ComputeRequest> = {}): Promise<ComputeReply> {
  return pool.run({ step: 'probe', input, priority: 'high', divisible: true, userCode: false, ...rest })
}

const FOR_EVER = 600_000
const stuckFor = { spin_ms: FOR_EVER, silent: true }

/** Leaves a thread that does nothing any more, and of which the pool does not know. */
async function wedge(pool: ComputePool): Promise<void> {
  const wedged = new SharedArrayBuffer(4)
  await probe(pool, { wedge_ms: FOR_EVER }, { shared: { wedged } })
  await eventually('the thread to be wedged', () => Promise.resolve(Atomics.load(new Int32Array(wedged), 0) === 1))
}

describe('a stuck thread', () => {
  test('that gives no sign of life is replaced, and its step says so', async () => {
    const pool = open(1000)
    const lost = probe(pool, stuckFor)
    const next = probe(pool, {})
    await expect(lost).rejects.toMatchObject({ code: 'THREAD_STALLED', message: expect.stringContaining('THREAD_STALL_MS') as string })
    await next
    expect(pool.stats()).toMatchObject({ busy: 0, stuck: 0, replacedThreads: 1 })
  })

  test('with a strategy in it is a fault of the strategy, in the time that the step itself may take', async () => {
    const pool = open(FOR_EVER)
    await expect(probe(pool, stuckFor, { userCode: true, stallMs: 1000 })).rejects.toMatchObject({ code: 'STRATEGY_TIMEOUT' })
    await probe(pool, {})
  })

  test('that was wedged after its step costs the next step its time and nothing else', async () => {
    const pool = open(1000)
    await wedge(pool)
    // Three wait for the one thread; the first of them is asked for on it, and begun on another.
    await Promise.all([probe(pool, {}), probe(pool, {}), probe(pool, {})])
    expect(pool.stats()).toMatchObject({ completed: 4, replacedThreads: 1 })
    await wedge(pool)
    // What was moved to a thread is gone with it.
    await expect(probe(pool, {}, { bytes: { part: new Uint8Array(8) }, moves: true })).rejects.toMatchObject({ code: 'THREAD_LOST', retryable: true })
    await probe(pool, {})
  })

  test('is none that works longer than it may be silent', async () => {
    const pool = open(1000)
    await probe(pool, { spin_ms: 3000 })
    expect(pool.stats()).toMatchObject({ completed: 1, replacedThreads: 0 })
  })

  test('makes its worker not ready until it is replaced', async () => {
    const bed = await openTestBed()
    try {
      const pool = open(8000)
      const runtime = await bed.open({ pool })
      await runtime.start()
      const { backend } = runtime
      expect(await backend.ready()).toBe(true)
      const lost = probe(pool, stuckFor).catch((error: unknown) => error)
      await eventually('the worker to know', async () => !await backend.ready())
      expect(await backend.health()).toMatchObject({ status: 'degraded', threads: { total: 1, busy: 1, stuck: 1 } })
      expect(await lost).toMatchObject({ code: 'THREAD_STALLED' })
      await eventually('the worker to be ready again', () => backend.ready())
      expect(await backend.health()).toMatchObject({ status: 'healthy', threads: { busy: 0, stuck: 0, replaced: 1 } })
    } finally {
      await bed.close()
    }
  })
})
