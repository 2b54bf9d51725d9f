/**
 * What cannot be stored, against real Redis and Postgres: a result, a checkpoint or an error that the store refuses ends
 * nothing by itself and is lost nowhere, and a payload is the same at every delivery.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import type { SagaStep } from '../../src/saga/saga-step.js'
import type { TaskReceipt } from '../../src/runtime/task-queue.js'
import { TaskType } from '../../src/tasks/task.js'
import type { Attempt } from '../../src/tasks/task.js'
import { register } from '../../src/workflows/workflow.js'
import type { WorkflowTools } from '../../src/workflows/workflow.js'
import { eventually } from '../eventually.js'
import { openTestBed, SHORT_LEASE } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

async function take({ queue }: TestRuntime): Promise<TaskReceipt> {
  return eventually('a task', async () => (await queue.dequeueTask({ blockMs: 500 }))[0])
}

async function given(runtime: TestRuntime, more: object = {}): Promise<TaskReceipt> {
  await runtime.queue.enqueueTask({ taskType: 'noop', data: {}, ...more })
  return take(runtime)
}

const circular: Record<string, unknown> = {}
circular['self'] = circular
const TOO_LARGE = { text: 'x'.repeat(70_000) }

describe('a closing that was refused', () => {
  const results: readonly (readonly [string, unknown, object])[] = [
    ['too large', TOO_LARGE, { code: 'PAYLOAD_TOO_LARGE', details: { bytes: 70_011, limit: 65_536 } }],
    ['a cycle', circular, { code: 'SPEC_INVALID', details: { path: 'result.self' } }],
    ['a BigInt', { n: [1n] }, { code: 'SPEC_INVALID', details: { path: 'result.n[0]' } }],
    ['a function', () => 1, { code: 'SPEC_INVALID', details: { path: 'result' } }],
    ['NaN', { mean: Number.NaN }, { code: 'SPEC_INVALID', details: { path: 'result.mean' } }],
  ]

  test('leaves the receipt as it was, whatever was wrong with it', async () => {
    const runtime = await bed.open()
    for (const [what, result, refusal] of results) {
      const receipt = await given(runtime)
      await expect(runtime.queue.acknowledgeTask(receipt, result), what).rejects.toMatchObject(refusal)
      await runtime.queue.saveCheckpoint(receipt, 'still here', {})
      expect(await runtime.queue.failTask(receipt, new SweepmillError('COMPUTE_FAILED', 'then not')), what).toBe('failed')
      expect(await runtime.backend.task(receipt.taskId)).toMatchObject({ status: 'failed', error: { message: 'then not' } })
      await expect(runtime.queue.failTask(receipt, new Error('again'))).rejects.toMatchObject({ code: 'LEASE_LOST', message: expect.stringContaining('is closed') as string })
    }
    const receipt = await given(runtime)
    await expect(runtime.queue.acknowledgeTask(receipt, TOO_LARGE)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    await runtime.queue.acknowledgeTask(receipt, { text: 'a\0b\ud800' })
    expect(await runtime.backend.task(receipt.taskId)).toMatchObject({ status: 'completed', result: { text: 'a\u2400b\ufffd' } })
  })

  test('one of several that were called together stands, and the others are told', async () => {
    const runtime = await bed.open()
    const { queue, backend } = runtime
    for (let round = 0; round < 5; round += 1) {
      const receipt = await given(runtime)
      const closings = await Promise.allSettled([
        queue.acknowledgeTask(receipt, TOO_LARGE), queue.failTask(receipt, new Error('first')), queue.acknowledgeTask(receipt, { late: true }),
        queue.moveToDlq(receipt, new Error('later still')),
      ])
      expect(closings.map((one) => (one.status === 'fulfilled' ? 'stands' : (one.reason as SweepmillError).code)))
        .toEqual(['PAYLOAD_TOO_LARGE', 'stands', 'LEASE_LOST', 'LEASE_LOST'])
      expect(await backend.task(receipt.taskId)).toMatchObject({ status: 'failed', error: { message: 'first' }, result: null })
    }
  })

  test('whatever is thrown ends the attempt, also what throws when it is looked at', async () => {
    const runtime = await bed.open()
    const { queue, backend } = runtime
    const thrower = (): never => { throw new Error('looked at') }
    const hostile: readonly unknown[] = [
      Object.defineProperty(new Error('x'), 'message', { get: thrower }), Object.defineProperty(new Error('x'), 'stack', { get: thrower }),
      Object.assign(new Error('x'), { message: Symbol('no text') }), Object.assign(new SweepmillError('COMPUTE_FAILED', 'x'), { message: 5 }),
      new Proxy({}, { get: thrower, getPrototypeOf: thrower }), Object.defineProperty(new SweepmillError('COMPUTE_FAILED', 'x'), 'details', { get: thrower }),
      Object.create(null), undefined,
    ]
    for (const [i, thrown] of hostile.entries()) {
      const receipt = await given(runtime)
      expect(await queue.failTask(receipt, thrown), `the one at ${i}`).toBe('failed')
      expect(await backend.task(receipt.taskId), `the one at ${i}`).toMatchObject({ status: 'failed', error: { code: 'COMPUTE_FAILED', message: expect.any(String) as string } })
    }
  })

  test('that nobody follows up ends with the task\'s timeout', async () => {
    const runtime = await bed.open({ env: SHORT_LEASE })
    await runtime.start()
    await runtime.worker.stop()
    const receipt = await given(runtime, { timeoutSeconds: 1, maxRetries: 0 })
    await expect(runtime.queue.acknowledgeTask(receipt, TOO_LARGE)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const task = await eventually('its end', async () => {
      const now = await runtime.backend.task(receipt.taskId)
      return now.status === 'processing' ? undefined : now
    })
    expect(task).toMatchObject({ status: 'dead_letter', attempt: 1, error: { code: 'TASK_TIMEOUT' } })
  })

  test('a checkpoint that is too large, or no JSON, is refused and the attempt goes on', async () => {
    const runtime = await bed.open()
    const receipt = await given(runtime)
    const { queue } = runtime
    await expect(queue.saveCheckpoint(receipt, 'large', 'x'.repeat(2 ** 20))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    await expect(queue.saveCheckpoint(receipt, 'odd', { at: [new Date()] })).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path: 'data.at[0]' } })
    await queue.saveCheckpoint(receipt, 'st\0p', { 'k\0': '\udfff', long: 'x'.repeat(100_000) })
    expect(await queue.getCheckpoints(receipt.taskId)).toMatchObject([{ step: 'st\u2400p', data: { 'k\u2400': '\ufffd' } }])
    // The live feed keeps thousands of them in memory: a large one is only named in it.
    expect((await bed.redis.xrange(`${bed.prefix}tasks:checkpoints`, '-', '+')).map(([, fields]) => fields.at(-1))).toEqual(['null'])
    await queue.acknowledgeTask(receipt)
    expect(await runtime.backend.task(receipt.taskId)).toMatchObject({ status: 'completed' })
  })
})

describe('an error that cannot be stored', () => {
  const thrown: readonly (readonly [unknown, RegExp])[] = [
    [new Error('the exchange said \0 and \ud800'), /^the exchange said \u2400 and \ufffd$/],
    [new SweepmillError('STRATEGY_FAILED', 'x'.repeat(5_000_000), { details: { n: 1n } }), /^x{8192} … /],
    [new SweepmillError('STRATEGY_FAILED', 'm', { details: { deep: circular, 'k\0': '\0' } }), /^m$/],
    [Object.create(null), /no text/],
  ]

  test('ends the attempt all the same, with what can be shown of it', async () => {
    const runtime = await bed.open()
    for (const [error, message] of thrown) {
      const failed = await given(runtime)
      expect(await runtime.queue.failTask(failed, error)).toBe('failed')
      const moved = await given(runtime)
      await runtime.queue.moveToDlq(moved, error)
      for (const { taskId } of [failed, moved]) {
        expect((await runtime.backend.task(taskId)).error).toMatchObject({ message: expect.stringMatching(message) as string })
      }
    }
    expect(await runtime.backend.deadLetters.list({})).toHaveLength(thrown.length)
  })

  test('is left out where the database refuses its words', async () => {
    const runtime = await bed.open()
    await bed.sql("alter table tasks add constraint picky check (error_message not like '%unheard of%')")
    const receipt = await given(runtime)
    expect(await runtime.queue.failTask(receipt, new SweepmillError('STRATEGY_FAILED', 'unheard of'))).toBe('failed')
    expect((await runtime.backend.task(receipt.taskId)).error).toEqual({ code: 'STRATEGY_FAILED', message: 'The error could not be stored.' })
  })
})

interface Context { readonly attempt: Attempt; readonly tools: WorkflowTools }
type Run = SagaStep<Context>['run']

test('a saga that fails with what cannot be stored is undone', async () => {
  const done = (): Promise<string> => Promise.resolve('null')
  const commit = (resultJson: string): Run => async ({ tools }) => { await tools.commit({ kind: 'completed', resultJson }); return 'null' }
  const failing: readonly { readonly what: string; readonly last: Run; readonly first?: Run; readonly error: object }[] = [
    { what: 'a NUL', last: () => Promise.reject(new Error('a \0 \ud800')), error: { code: 'COMPUTE_FAILED', message: 'a \u2400 \ufffd' } },
    { what: 'details that are no JSON', last: () => Promise.reject(new SweepmillError('STRATEGY_FAILED', 'm', { details: { n: 1n } })), error: { code: 'STRATEGY_FAILED', message: 'm' } },
    { what: 'a result that is too large', last: commit(JSON.stringify(TOO_LARGE)), error: { code: 'PAYLOAD_TOO_LARGE' } },
    { what: 'a result that is no JSON', last: commit('{oops'), error: { code: 'INVARIANT', message: expect.stringContaining('json') as string } },
    { what: 'a checkpoint that is too large', last: async ({ tools }) => { await tools.checkpoint('c', 'x'.repeat(2 ** 20)); return 'null' }, error: { code: 'PAYLOAD_TOO_LARGE' } },
    { what: 'words that the log refuses', last: () => Promise.reject(new SweepmillError('STRATEGY_FAILED', 'unheard of')), error: { code: 'STRATEGY_FAILED', message: 'unheard of' } },
    { what: 'an output that is no JSON', first: () => Promise.resolve('no JSON'), last: done, error: { code: 'INVARIANT' } },
  ]
  const undone = failing.map(() => 0)
  const workflows = failing.map(({ first = done, last }, i) => register<Context>({
    taskType: `failing-${i}`, begin: (attempt, tools) => ({ attempt, tools }), end: () => undefined,
    definition: defineSaga<Context>({
      type: `failing-${i}`, version: 1, steps: [
        { name: 'first', kind: 'compensatable', run: first, compensation: { name: 'undo', undo: () => { undone[i] = (undone[i] ?? 0) + 1; return Promise.resolve() } } },
        { name: 'last', kind: 'pivot', endsRun: true, run: last },
      ],
    }),
  }))
  const worker = await bed.open({ workflows })
  await bed.sql("alter table saga_steps add constraint picky check (error->>'message' not like '%unheard of%')")
  await worker.start()
  const ids = await worker.queue.enqueueTasks(failing.map((_, i) => ({ taskType: `failing-${i}`, data: {} })))
  for (const [i, { what, error }] of failing.entries()) {
    expect(await worker.backend.wait(ids[i] ?? ''), what).toMatchObject({ status: 'failed', attempt: 1, error })
    expect(await bed.sql('select status from saga_runs where task_id = $1', [ids[i]]), what).toEqual([{ status: 'compensated' }])
  }
  expect(undone).toEqual(failing.map(() => 1))
})

describe('a payload', () => {
  test('is the same at every delivery, in every key', async () => {
    const runtime = await bed.open()
    const data = { zulu: -0, when: '2020-01-01', a: [{ yy: null, x: [1.5, 1e300, 5e-324, 2 ** 53] }], '7': true, '10': 'ü😀', gone: undefined, é: {} }
    const taskId = await runtime.queue.enqueueTask({ taskType: 'noop', data, idempotencyKey: 'k' })
    const first = await take(runtime)
    expect(await runtime.queue.failTask(first, new SweepmillError('THREAD_LOST', 'gone'))).toBe('retry')
    const second = await take(runtime)
    expect([first.attempt, second.attempt]).toEqual([1, 2])
    expect(JSON.stringify(second.payload)).toBe(JSON.stringify(first.payload))
    expect(Object.is(first.payload['zulu'], 0)).toBe(true)
    // The key compares what is stored: neither the order of keys nor what is undefined makes another payload.
    const { gone: _gone, zulu: _zulu, ...rest } = data
    expect(await runtime.queue.enqueueTask({ taskType: 'noop', data: { ...rest, zulu: 0 }, idempotencyKey: 'k' })).toBe(taskId)
    await expect(runtime.queue.enqueueTask({ taskType: 'noop', data: rest, idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
  })

  test('and whatever else names a task is refused by its path, before there is a row', async () => {
    const runtime = await bed.open()
    const { queue } = runtime
    const one = { taskType: 'noop', data: {} }
    for (const [request, path] of [
      [{ ...one, data: { when: new Date(0) } }, 'data.when'], [{ ...one, data: { text: 'a\0' } }, 'data.text'], [{ ...one, data: { list: [Number.NaN] } }, 'data.list[0]'],
      [{ ...one, userId: 'a\0' }, 'userId'], [{ ...one, idempotencyKey: '\ud800' }, 'idempotencyKey'], [{ ...one, idempotencyKey: 'x'.repeat(3000) }, 'idempotencyKey'],
      [{ ...one, taskType: 'no\0op' }, 'taskType'], [{ ...one, notBefore: '2027-02-30T00:00:00Z' }, 'notBefore'], [{ ...one, deadlineAt: 'tomorrow' }, 'deadlineAt'],
      [{ ...one, timeoutSeconds: 1.5 }, 'timeoutSeconds'], [{ ...one, maxRetries: Number.NaN }, 'maxRetries'],
    ] as const) {
      await expect(queue.enqueueTask(request), path).rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path } })
      await expect(queue.enqueueTasks([one, request]), path).rejects.toMatchObject({ code: 'SPEC_INVALID' })
    }
    await expect(runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { file: 'a\0.csv', strategy: { name: 'sma-cross' } } }))
      .rejects.toMatchObject({ code: 'SPEC_INVALID', details: { path: 'file' } })
    expect(await bed.sql('select 1 from tasks')).toEqual([])
    // A filter that names what cannot be there finds nothing.
    expect(await runtime.backend.tasks({ userId: 'a\0', limit: 5 })).toEqual([])
    expect(await runtime.backend.deadLetters.list({ type: '\0', userId: '\ud800' })).toEqual([])
  })
})
