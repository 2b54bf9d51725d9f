/** Memory admission with real bars, threads and stores: waiting instead of overshooting, and giving back for real. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { SubmitRequest } from '../../src/tasks/backend.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

/** Six columns of doubles: 150 000 bars are 7 MiB, so two fit into the least budget of 16 MiB, and three do not. */
const BARS = 150_000
const MIB = 2 ** 20
let bed: TestBed
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-memory-'))
  for (const [name, bars] of [['a', BARS], ['b', BARS], ['c', BARS], ['huge', 400_000]] as const) {
    const lines = ['time,open,high,low,close,volume']
    for (let i = 0; i < bars; i += 1) lines.push(`${new Date(Date.UTC(2000, 0, 1) + i * 60_000).toISOString()},${10 + name.charCodeAt(0)},210,1,${100 + (i % 7)},${i % 13}`)
    writeFileSync(join(folder, `${name}.csv`), lines.join('\n'))
  }
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const BUDGET = { DATA_MEMORY_MB: '16', WORKER_THREADS: '2' }
const backtest = (name: string, strategy: Record<string, unknown> = { name: 'sma-cross', params: { fast: 5, slow: 20 } }): SubmitRequest =>
  ({ taskType: TaskType.BACKTEST, roots: null, data: { file: join(folder, `${name}.csv`), strategy } })
const sweep = (name: string): SubmitRequest => ({
  taskType: TaskType.OPTIMIZATION, roots: null, fresh: true,
  data: { file: join(folder, `${name}.csv`), strategy: { name: 'sma-cross' }, space: { fast: { min: 2, max: 200, step: 1 }, slow: { min: 3, max: 500, step: 1 } } },
})

/** Submitted by a client, so that the worker has none of the bars in memory. */
async function submitElsewhere(requests: readonly SubmitRequest[]): Promise<string[]> {
  const client = await bed.open({ role: 'client' })
  const ids: string[] = []
  for (const request of requests) ids.push((await client.backend.submit(request)).taskId)
  return ids
}

async function openWorker(): Promise<{ worker: TestRuntime; most: () => number }> {
  const worker = await bed.open({ env: BUDGET })
  await worker.start()
  let most = 0
  systemClock.every(5, () => { most = Math.max(most, worker.dataMemory().usedBytes) })
  return { worker, most: () => most }
}

/** Two sweeps hold the memory, a third task waits for some. */
async function crowded(): Promise<{ worker: TestRuntime; most: () => number; first: string; second: string; third: string }> {
  const [first = '', second = ''] = await submitElsewhere([sweep('a'), sweep('b')])
  const { worker, most } = await openWorker()
  const at = async (id: string, step: string): Promise<boolean> => (await worker.backend.task(id)).progress?.step === step
  await eventually('the sweeps to run', async () => await at(first, 'run_chunks') && await at(second, 'run_chunks'))
  const [third = ''] = await submitElsewhere([backtest('c')])
  await eventually('the third to wait', () => at(third, 'fetch_data'))
  return { worker, most, first, second, third }
}

describe('memory admission', () => {
  test('a task whose bars do not fit waits until another releases, and the budget is never exceeded', async () => {
    const { worker, most, first, second, third } = await crowded()
    expect(await worker.backend.task(third)).toMatchObject({ status: 'processing', progress: { step: 'fetch_data', done: 0 } })
    await worker.backend.cancel(first)
    expect(await worker.backend.wait(third)).toMatchObject({ status: 'completed', attempt: 1 })
    expect((await worker.backend.task(second)).status).toBe('processing')
    expect(most()).toBeLessThanOrEqual(16 * MIB)
    expect(most()).toBeGreaterThan(12 * MIB)
    await worker.backend.cancel(second)
    await worker.backend.wait(second)
  })

  test('unused bars make room one after the other, least recently used first, and used ones are found again', async () => {
    const ids = await submitElsewhere(['a', 'b', 'c', 'a', 'b'].map((name) => backtest(name)))
    const { worker, most } = await openWorker()
    for (const id of ids) expect(await worker.backend.wait(id)).toMatchObject({ status: 'completed', attempt: 1 })
    expect(most()).toBeLessThanOrEqual(16 * MIB)
    expect(worker.dataMemory().usedBytes).toBeGreaterThan(6 * MIB)
  })

  test('bars that can never fit fail the task at once, and say what to raise', async () => {
    const [id = '', other = ''] = await submitElsewhere([backtest('huge'), backtest('a')])
    const { worker } = await openWorker()
    const task = await worker.backend.wait(id)
    expect(task).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'DATA_TOO_LARGE', message: expect.stringMatching(/take 19 MiB.*at most 16 MiB.*Raise DATA_MEMORY_MB to 19/) as string } })
    expect((await worker.backend.wait(other)).status).toBe('completed')
  })

  test('a cancelled task leaves the line for memory', async () => {
    const { worker, first, second, third } = await crowded()
    await worker.backend.cancel(third)
    expect((await worker.backend.wait(third)).status).toBe('cancelled')
    for (const id of [first, second]) {
      await worker.backend.cancel(id)
      await worker.backend.wait(id)
    }
  })
})

describe('heap of a thread', () => {
  test('a strategy that allocates without end fails its own task; the thread is replaced and the rest goes on', async () => {
    const greedy = join(folder, 'greedy.ts')
    // Its first trials are harmless, so it passes the trial run at the door.
    writeFileSync(greedy, `import { defineStrategy } from 'sweepmill'
export default defineStrategy({ name: 'greedy', params: { size: { default: 1, min: 1, max: 100 } }, signals({ close }, { size }) {
  const all: number[][] = []
  for (let i = 0; size > 90 && i < Infinity; i++) all.push(Array.from({ length: 1000 }, (_, k) => i + k / close.length))
  return { longEntry: new Uint8Array(close.length), longExit: new Uint8Array(close.length) }
} })`)
    const pool = createComputePool({ threads: 2, clock: systemClock, heapMb: 64 })
    try {
      const worker = await bed.open({ pool })
      await worker.start()
      const running = await worker.backend.submit(sweep('a'))
      await eventually('the sweep to run', async () => (await worker.backend.task(running.taskId)).progress?.step === 'run_chunks')
      const doomed = await worker.backend.submit({ ...sweep('b'), data: { ...sweep('b').data, strategy: { name: greedy }, space: { size: { min: 1, max: 100, step: 1 } } } })
      expect(await worker.backend.wait(doomed.taskId)).toMatchObject({
        status: 'failed', attempt: 1, error: { code: 'OUT_OF_MEMORY', message: expect.stringContaining('THREAD_HEAP_MB') as string },
      })
      // Both threads may have had a chunk of it.
      expect(pool.stats().replacedThreads).toBeGreaterThanOrEqual(1)
      expect((await worker.backend.task(running.taskId)).status).toBe('processing')
      const after = await worker.backend.submit(backtest('b'))
      expect((await worker.backend.wait(after.taskId)).status).toBe('completed')
      await worker.close()
    } finally {
      await pool.close()
    }
  })
})

describe('giving back', () => {
  test('threads let go of bars that they kept runners and columns for, and the process gets the memory', async () => {
    const pool = createComputePool({ threads: 2, clock: systemClock })
    const run = async (): Promise<string> => {
      const parsed = await pool.run({ step: 'parse_bars', input: { file: join(folder, 'a.csv'), source: 'a.csv' }, priority: 'high', divisible: false, userCode: false })
      const { bars } = parsed.shared
      if (bars === undefined) throw new Error('no bars')
      const spec = sweep('a').data
      await Promise.all([[0, 3], [3, 6], [6, 9], [9, 12]].map((range) =>
        pool.run({ step: 'run_trials', input: { spec, ranges: [range] }, shared: { bars }, priority: 'low', divisible: true, userCode: false })))
      return (JSON.parse(parsed.json) as { data_hash: string }).data_hash
    }
    const dataHash = await run()
    // A thread that is in the middle of a step answers when it is through.
    const busy = pool.run({ step: 'probe', input: { spin_ms: 300 }, priority: 'low', divisible: true, userCode: false })
    await Promise.all([pool.recall(dataHash), busy])
    await pool.recall('bars that no thread ever saw')
    await pool.close()
  })
})
