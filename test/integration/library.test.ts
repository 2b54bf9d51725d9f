/** The queue as a program of one's own would use it, as the README shows. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRuntime, TaskPriority, TaskType } from '../../src/index.js'
import type { Runtime, RuntimeReading } from '../../src/index.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
const opened: Runtime<RuntimeReading>[] = []
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => {
  await Promise.all(opened.splice(0).map((runtime) => runtime.close()))
  await bed.close()
})

async function open(role: 'client' | 'worker'): Promise<Runtime<RuntimeReading>> {
  const runtime = await openRuntime({ redisUrl: bed.redisUrl, databaseUrl: bed.databaseUrl, role, settings: { KEY_PREFIX: bed.prefix, WORKER_THREADS: '1', LOG_LEVEL: 'silent' } })
  opened.push(runtime)
  return runtime
}

test('a program enqueues, takes and acknowledges', async () => {
  const { queue } = await open('client')
  const taskId = await queue.enqueueTask({ taskType: 'my-task', data: { n: 1 }, priority: TaskPriority.HIGH, idempotencyKey: 'once' })
  expect(await queue.enqueueTask({ taskType: 'my-task', data: { n: 1 }, priority: TaskPriority.HIGH, idempotencyKey: 'once' })).toBe(taskId)
  const [receipt] = await queue.dequeueTask({ count: 10, blockMs: 1000 })
  expect(receipt).toMatchObject({ taskId, attempt: 1, payload: { n: 1 } })
  if (receipt === undefined) return
  await queue.saveCheckpoint(receipt, 'half', { progress: 50 })
  await queue.acknowledgeTask(receipt, { answer: 42 })
  expect(await queue.getCheckpoints(taskId)).toMatchObject([{ step: 'half', data: { progress: 50 } }])
})

test('a program runs a worker of its own', async () => {
  const { backend, worker } = await open('worker')
  const { taskId } = await backend.submit({
    taskType: TaskType.BACKTEST, roots: null, data: { file: 'samples/sp500-daily.csv', strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } },
  })
  expect(await backend.wait(taskId)).toMatchObject({ status: 'completed', result: { bars: 5105 } })
  expect(await worker.healthCheck()).toMatchObject({ running: true, redisUp: true, postgresUp: true })
  await worker.stop()
  expect(await worker.healthCheck()).toMatchObject({ running: false })
})
