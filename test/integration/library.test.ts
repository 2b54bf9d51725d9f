/** The queue as a program of one's own would use it, as the README shows. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRuntime, TaskPriority, TaskType } from '../../src/index.js'
import type { Runtime, RuntimeReading } from '../../src/index.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

type Call = (...args: unknown[]) => Promise<unknown>
interface Loose {
  readonly queue: Readonly<Record<'enqueueTask' | 'enqueueTasks' | 'dequeueTask' | 'saveCheckpoint' | 'getCheckpoints', Call>>
  readonly backend: Readonly<Record<'tasks' | 'submit', Call>> & Readonly<Record<'deadLetters' | 'pauses', Readonly<Record<'list' | 'purge' | 'redrive' | 'pause' | 'resume', Call>>>>
  readonly openRuntime: Call
}

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

test('what a caller writes and nothing would act on is refused by name, and nothing is done', async () => {
  const { queue, backend } = await open('client')
  const taskId = await queue.enqueueTask({ taskType: 'my-task', data: {} })
  const receipt = (await queue.dequeueTask({ blockMs: 2000 }))[0]
  if (receipt === undefined) throw new Error('no task came')
  // As a program without types would call it.
  const any = { queue, backend, openRuntime } as unknown as Loose
  const urls = { redisUrl: bed.redisUrl, databaseUrl: bed.databaseUrl }
  const refused: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
    ['SPEC_INVALID', /priority is "HIGH"/, () => any.queue.enqueueTask({ taskType: 'x', data: {}, priority: 'HIGH' })],
    ['SPEC_INVALID', /taskType is undefined/, () => any.queue.enqueueTask({ data: {} })],
    ['SPEC_INVALID', /attachKey must be/, () => any.queue.enqueueTask({ taskType: 'x', data: {}, attachKey: 'a\0' })],
    ['SPEC_INVALID', /The request must be an object/, () => any.queue.enqueueTask(undefined)],
    ['SPEC_INVALID', /requests is/, () => any.queue.enqueueTasks({})],
    ['SPEC_INVALID', /"blockMS"; did you mean "blockMs"/, () => any.queue.dequeueTask({ blockMS: 1 })],
    ['SPEC_INVALID', /count is 0/, () => any.queue.dequeueTask({ count: 0, blockMs: 1 })],
    ['SPEC_INVALID', /count is NaN/, () => any.queue.dequeueTask({ count: Number.NaN, blockMs: 1 })],
    ['SPEC_INVALID', /priority is "HIGH"/, () => any.queue.dequeueTask({ priority: 'HIGH', blockMs: 1 })],
    ['SPEC_INVALID', /step is undefined/, () => any.queue.saveCheckpoint(receipt, undefined, {})],
    ['TASK_NOT_FOUND', /"nonsense"/, () => any.queue.getCheckpoints('nonsense')],
    ['SPEC_INVALID', /"stat"; did you mean "status"/, () => any.backend.tasks({ stat: 'failed' })],
    ['SPEC_INVALID', /limit is -1/, () => any.backend.tasks({ limit: -1 })],
    ['SPEC_INVALID', /before is "2027-02-30T00:00:00Z"/, () => any.backend.tasks({ before: '2027-02-30T00:00:00Z' })],
    ['SPEC_INVALID', /Unknown key "maxRetry"/, () => any.backend.submit({ taskType: 'cleanup', data: {}, roots: null, maxRetry: 1 })],
    ['SPEC_INVALID', /"reasn"; did you mean "reason"/, () => any.backend.deadLetters.purge({ reasn: 'poison' }, false)],
    ['SPEC_INVALID', /"taskId"; did you mean "taskIds"/, () => any.backend.deadLetters.redrive({ taskId }, false)],
    ['SPEC_INVALID', /taskIds is/, () => any.backend.deadLetters.redrive({ taskIds: taskId }, false)],
    ['SPEC_INVALID', /since is/, () => any.backend.deadLetters.list({ since: 'yesterday' })],
    ['SPEC_INVALID', /priorities\[0\] is "HIGH"/, () => any.backend.pauses.pause(['HIGH'])],
    ['SPEC_INVALID', /priorities is "low"/, () => any.backend.pauses.resume('low')],
    ['SPEC_INVALID', /"rol"; did you mean "role"/, () => any.openRuntime({ ...urls, rol: 'worker' })],
    ['CONFIG_INVALID', /role must be one of/, () => any.openRuntime({ ...urls, role: 'wroker' })],
    ['CONFIG_INVALID', /databaseUrl must be/, () => any.openRuntime({ redisUrl: bed.redisUrl })],
    ['CONFIG_INVALID', /settings.LEASE_MS must be a text/, () => any.openRuntime({ ...urls, settings: { LEASE_MS: 1000 } })],
    ['CONFIG_INVALID', /settings.REDIS_URL must be left out/, () => any.openRuntime({ ...urls, settings: { REDIS_URL: 'redis://elsewhere' } })],
    ['CONFIG_INVALID', /workflows must be/, () => any.openRuntime({ ...urls, workflows: [{ taskType: 'x' }] })],
  ]
  for (const [code, message, call] of refused) {
    await expect(call(), message.source).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  }
  await queue.moveToDlq(receipt, new Error('kept'))
  await expect(any.backend.deadLetters.purge({ usr: 'x' }, false)).rejects.toMatchObject({ code: 'SPEC_INVALID' })
  expect((await backend.task(taskId)).status).toBe('dead_letter')
})
