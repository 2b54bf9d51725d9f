/** A task that is not done by its deadline fails for good: while it runs, before it runs, between two tries; by hand it runs without one. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import { LEGAL_TRANSITIONS } from '../../src/tasks/task.js'
import { register } from '../../src/workflows/workflow.js'
import type { Workflow } from '../../src/workflows/workflow.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { assertLegalHistory } from '../legal-history.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const soon = (ms: number): string => new Date(Date.now() + ms).toISOString()

/** A deadline near enough to wait for and far enough to begin before it: on a busy machine a longer one is tried. */
async function inTime<T>(attempt: (deadlineAt: string) => Promise<T | null>): Promise<T> {
  for (const marginMs of [1500, 6000, 24_000]) {
    const made = await attempt(soon(marginMs))
    if (made !== null) return made
  }
  throw new Error('nothing began within 24 s')
}

/** Runs until it is told to stop, or fails each time. */
function patient(ran: string[], undone: string[], fails: boolean): Workflow<AbortSignal> {
  return {
    taskType: 'patient', begin: (_attempt, tools) => tools.signal, end: () => undefined,
    definition: defineSaga<AbortSignal>({ type: 'patient', version: 1, steps: [{
      name: 'one', kind: 'compensatable', compensation: { name: 'undo', undo: () => { undone.push('undo'); return Promise.resolve() } },
      run: (signal) => {
        ran.push('run')
        if (fails) return Promise.reject(new SweepmillError('POSTGRES_UNAVAILABLE', 'not today'))
        return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true }) })
      },
    }] }),
  }
}

test('one that runs is stopped at its deadline and undone, long before its timeout, and is not tried again', async () => {
  const [ran, undone]: [string[], string[]] = [[], []]
  // Rounds of the lease keeper are too far apart to be what stops it.
  const runtime = await bed.open({ workflows: [register(patient(ran, undone, false))], env: { LEASE_MS: '60000' } })
  await runtime.start()
  const { taskId, deadlineAt } = await inTime(async (deadlineAt) => {
    const taskId = await runtime.queue.enqueueTask({ taskType: 'patient', data: {}, deadlineAt })
    await runtime.backend.wait(taskId)
    return ran.length > 0 ? { taskId, deadlineAt } : null
  })
  const task = await runtime.backend.task(taskId)
  expect(task).toMatchObject({ status: 'failed', attempt: 1, deadline_at: deadlineAt, error: { code: 'DEADLINE_PASSED' } })
  expect(Date.parse(task.completed_at ?? '') - Date.parse(deadlineAt)).toBeGreaterThanOrEqual(0)
  expect([ran, undone]).toEqual([['run'], ['undo']])
  assertLegalHistory(await runtime.backend.events(taskId), LEGAL_TRANSITIONS)
  // Whoever tries it again by hand wants it done.
  await runtime.backend.retry(taskId)
  await eventually('it to run again', () => Promise.resolve(ran.length === 2))
  expect(await runtime.backend.task(taskId)).toMatchObject({ status: 'processing', deadline_at: null })
  await runtime.backend.cancel(taskId)
})

test('one that waited past its deadline does not begin, and a retry does not outlast it', async () => {
  const [ran, undone]: [string[], string[]] = [[], []]
  const runtime = await bed.open({ workflows: [register(patient(ran, undone, true))] })
  const late = await runtime.queue.enqueueTask({ taskType: 'patient', data: {}, deadlineAt: soon(-1000) })
  await runtime.start()
  expect(await runtime.backend.wait(late)).toMatchObject({ status: 'failed', error: { code: 'DEADLINE_PASSED' } })
  expect(ran).toEqual([])
  const failing = await inTime(async (deadlineAt) => {
    const taskId = await runtime.queue.enqueueTask({ taskType: 'patient', data: {}, deadlineAt, maxRetries: 100 })
    expect(await runtime.backend.wait(taskId)).toMatchObject({ status: 'failed', error: { code: 'DEADLINE_PASSED' } })
    return ran.length > 0 ? taskId : null
  })
  assertLegalHistory(await runtime.backend.events(failing), LEGAL_TRANSITIONS)
})

test('whoever takes tasks by hand is told by its signal', async () => {
  const runtime = await bed.open({ role: 'client' })
  await runtime.start()
  const { taskId, receipt } = await inTime(async (deadlineAt) => {
    const taskId = await runtime.queue.enqueueTask({ taskType: 'own', data: {}, deadlineAt })
    const [receipt] = await runtime.queue.dequeueTask({ blockMs: 500 })
    return receipt === undefined ? null : { taskId, receipt }
  })
  await eventually('the signal', () => Promise.resolve(receipt.signal.aborted))
  expect(receipt.signal.reason).toMatchObject({ code: 'DEADLINE_PASSED' })
  await eventually('the task to end', async () => (await runtime.backend.task(taskId)).status === 'failed')
})
