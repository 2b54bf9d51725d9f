/** A worker that is stopped past its lease and then goes on: a zombie. Its task belongs to another by then. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { TaskType } from '../../src/tasks/task.js'
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

const sweep = {
  taskType: TaskType.OPTIMIZATION, roots: null, fresh: true,
  data: {
    file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross' }, constraint: 'fast < slow', top: 3,
    space: { fast: { min: 2, max: 120, step: 1 }, slow: { min: 3, max: 300, step: 1 } },
  },
}

async function rows(): Promise<unknown[]> {
  return bed.sql(`select (select count(*)::int from task_events) as events, (select count(*)::int from checkpoints) as checkpoints,
    (select count(*)::int from sweep_chunks) as chunks, (select max(attempt) from tasks) as attempt, (select result->>'result_hash' from tasks limit 1) as hash`)
}

test('a zombie changes nothing', async () => {
  const client = await bed.open({ role: 'client' })
  const zombie = children.start({ role: 'worker' }, bed.environment)
  const { taskId } = await client.backend.submit(sweep)
  await eventually('some chunks', async () => (await bed.sql('select 1 from sweep_chunks')).length > 5)
  zombie.process.kill('SIGSTOP')
  children.start({ role: 'worker' }, bed.environment)
  const tally = await settleAndCheck(bed, [taskId])
  expect(tally).toMatchObject({ completed: 1, attempts: 2, reclaims: 1 })
  const before = await rows()
  zombie.process.kill('SIGCONT')
  // Asked to stop, it ends what it can; the answer says how often it was refused.
  zombie.process.kill('SIGTERM')
  expect(await zombie.exited).toBe(0)
  expect(await rows()).toEqual(before)
  const { taskId: again } = await client.backend.submit(sweep)
  await settleAndCheck(bed, [taskId, again])
  const [one, two] = await Promise.all([taskId, again].map(async (id) => ((await client.backend.task(id)).result as { result_hash: string }).result_hash))
  expect(one).toBe(two)
})

test('no lease lapses because of CPU load', async () => {
  // Twice as many busy threads as cores, each held far longer than a lease, and another worker that looks for lapsed leases.
  const threads = 2 * availableParallelism()
  const client = await bed.open({ role: 'client' })
  const seconds = Number(process.env['FAULT_SPIN_SECONDS'] ?? 8)
  const environment = { ...bed.environment, LEASE_MS: '2000', MAX_TASKS_PER_BATCH: String(threads) }
  children.start({ role: 'worker' }, { ...environment, WORKER_THREADS: String(threads) })
  const ids = await client.queue.enqueueTasks(Array.from({ length: threads }, () => ({ taskType: 'spin', data: { spin_ms: seconds * 1000 }, priority: 'high' as const })))
  await eventually('all to be in hand', async () => (await bed.sql("select 1 from tasks where status = 'processing'")).length === threads)
  children.start({ role: 'worker' }, { ...environment, WORKER_THREADS: '1' })
  const tally = await settleAndCheck(bed, ids, (seconds + 60) * 1000)
  expect(tally).toMatchObject({ completed: threads, attempts: threads, reclaims: 0 })
}, 200_000)
