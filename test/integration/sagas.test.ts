/** Sagas on the real log: the way back in order, what parks it, who may go on with it, and who may not. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.js'
import { SweepmillError } from '../../src/base/errors.js'
import { packageRoot } from '../../src/base/package-root.js'
import { SagaOrchestrator } from '../../src/saga/saga-orchestrator.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import type { SagaStep } from '../../src/saga/saga-step.js'
import { Postgres } from '../../src/store/postgres.js'
import { PostgresSagaLog } from '../../src/store/saga-log.js'
import { TaskType } from '../../src/tasks/task.js'
import type { Attempt } from '../../src/tasks/task.js'
import { backtestWorkflow } from '../../src/workflows/backtest.js'
import { register } from '../../src/workflows/workflow.js'
import type { RegisteredWorkflow, WorkflowTools } from '../../src/workflows/workflow.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

interface Context {
  readonly attempt: Attempt
  readonly tools: WorkflowTools
}

const RETRY = { baseMs: 20, capMs: 50 }

function workflow(steps: readonly SagaStep<Context>[], version = 1, taskType = 'tested'): RegisteredWorkflow {
  return register<Context>({ taskType, begin: (attempt, tools) => ({ attempt, tools }), end: () => undefined, definition: defineSaga<Context>({ type: taskType, version, steps }) })
}

const save: SagaStep<Context> = {
  name: 'save_results', kind: 'pivot', endsRun: true,
  run: async ({ tools }) => { await tools.commit({ kind: 'completed', resultJson: '{}' }); return 'null' },
}
const transient = (): Promise<string> => Promise.reject(new SweepmillError('THREAD_LOST', 'gone'))
const done = (): Promise<string> => Promise.resolve('null')

/** A compensatable step that tells of its undo. */
function noted(name: string, told: string[], run: SagaStep<Context>['run'] = done, undo: () => Promise<void> = () => Promise.resolve()): SagaStep<Context> {
  return { name, kind: 'compensatable', run, compensation: { name: `undo_${name}`, undo: async () => { told.push(name); await undo() } } }
}

async function start(workflows: readonly RegisteredWorkflow[], env: Record<string, string> = {}): Promise<TestRuntime> {
  const worker = await bed.open({ workflows, retry: RETRY, env })
  await worker.start()
  return worker
}

const audit = async (taskId: string, like: string): Promise<string[]> => (await bed.sql<{ one: string }>(
  'select event || coalesce(\' \' || (detail->>\'step\'), \'\') as one from task_events where task_id = $1 and event like $2 order by event_id', [taskId, like])).map((row) => row.one)
const runs = (taskId: string): Promise<object[]> => bed.sql('select run, status from saga_runs where task_id = $1 order by run', [taskId])

describe('the way back', () => {
  test('a save that fails undoes the backtest and the data, retries, and ends as a dead letter with its whole history', async () => {
    const broken = { ...backtestWorkflow, definition: { ...backtestWorkflow.definition, steps: backtestWorkflow.definition.steps.map((step) => (step.name === 'save_results' ? { ...step, run: transient } : step)) } }
    const worker = await start([register(broken)])
    const { taskId } = await worker.backend.submit({
      taskType: TaskType.BACKTEST, roots: null, maxRetries: 2, userId: 'ann', ipAddress: '10.0.0.7',
      data: { file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } },
    })
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'dead_letter', retry_count: 2, attempt: 3, error: { code: 'THREAD_LOST' } })
    const back = ['compensation_start save_results', 'compensation_complete save_results', 'compensation_start run_backtest', 'compensation_complete run_backtest', 'compensation_start fetch_data', 'compensation_complete fetch_data']
    expect(await audit(taskId, 'compensation%')).toEqual([...back, ...back, ...back])
    expect(await audit(taskId, 'step_failed')).toHaveLength(3)
    expect(await runs(taskId)).toEqual([1, 2, 3].map((run) => ({ run, status: 'compensated' })))
    expect(await bed.sql('select 1 from task_artifacts')).toEqual([])
    const [letter] = await worker.backend.deadLetters.list({})
    expect(letter).toMatchObject({ task_id: taskId, reason: 'retries_exhausted', attempts: 3 })
    const [first] = await bed.sql<{ detail: object }>("select detail from task_events where task_id = $1 and event = 'step_complete' order by event_id limit 1", [taskId])
    expect(first?.detail).toEqual({ step: 'fetch_data', checkpoint: { step: 'fetch_data', progress: 33 }, user_id: 'ann', ip_address: '10.0.0.7' })
    expect(await worker.metrics.exposition()).toContain('saga_compensated_total{saga_type="backtest_workflow"} 3')
  })

  test('an undo that fails five times parks the saga: nothing before it is undone, and nothing starts it over', async () => {
    const told: string[] = []
    const worker = await start([workflow([
      noted('first', told), noted('second', told, done, () => Promise.reject(new SweepmillError('POSTGRES_UNAVAILABLE', 'no way'))), { name: 'fail', kind: 'read-only', run: transient }, save])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'dead_letter', error: { code: 'COMPENSATION_FAILED', message: expect.stringContaining(`sagas resume ${taskId}`) as string } })
    expect(told).toEqual(Array.from({ length: 5 }, () => 'second'))
    expect(await runs(taskId)).toEqual([{ run: 1, status: 'compensation_failed' }])
    expect(await worker.metrics.exposition()).toContain('saga_compensation_failed_total{saga_type="tested"} 1')
    await expect(worker.backend.retry(taskId)).rejects.toMatchObject({ code: 'STATE_CONFLICT', message: expect.stringContaining('sagas skip') as string })
    expect(await worker.backend.deadLetters.redrive({}, false)).toEqual([])

    // Skipped: what comes before it is undone by the next attempt, which ends as the first would have: it is tried again.
    const saga = await worker.backend.sagas.skip(taskId, { reason: 'the table is gone', userId: 'ops' })
    expect(saga.steps.find((step) => step.step === 'second' && step.undo)?.status).toBe('skipped')
    await eventually('the way back to end', async () => (await audit(taskId, 'compensation%')).includes('compensation_complete first'))
    expect(await audit(taskId, 'compensation%')).toEqual([
      'compensation_start second', 'compensation_failed second', 'compensation_skipped second', 'compensation_start first', 'compensation_complete first',
      ...(await audit(taskId, 'compensation%')).slice(5)])
    const [skipped] = await bed.sql<{ detail: object }>("select detail from task_events where task_id = $1 and event = 'compensation_skipped'", [taskId])
    expect(skipped?.detail).toEqual({ step: 'second', reason: 'the table is gone', user_id: 'ops' })
    await expect(worker.backend.sagas.resume('01900000-0000-7000-8000-000000000000', { reason: 'x', userId: null })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  })

  test('the last undo is skipped: the saga is compensated at once, without a worker', async () => {
    const worker = await start([workflow([noted('only', [], done, () => Promise.reject(new SweepmillError('COMPUTE_FAILED', 'never'))), { name: 'fail', kind: 'read-only', run: transient }])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    await worker.backend.wait(taskId)
    await worker.worker.stop()
    expect(await worker.backend.sagas.skip(taskId, { reason: 'done by hand', userId: null })).toMatchObject({ status: 'compensated' })
    await expect(worker.backend.sagas.skip(taskId, { reason: 'again', userId: null })).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
    expect(await worker.backend.task(taskId)).toMatchObject({ status: 'dead_letter', generation: 1 })
    expect(await worker.backend.deadLetters.redrive({}, false)).toEqual([taskId])
  })

  test('once its cause is mended a parked undo is resumed, and the task goes on', async () => {
    let mended = false
    const told: string[] = []
    const worker = await start([workflow([
      noted('write', told, done, () => (mended ? Promise.resolve() : Promise.reject(new SweepmillError('COMPUTE_FAILED', 'locked')))),
      { name: 'fail', kind: 'read-only', run: () => (mended ? done() : transient()) }, save])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    await worker.backend.wait(taskId)
    mended = true
    await worker.backend.sagas.resume(taskId, { reason: 'unlocked', userId: 'ops' })
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'completed', generation: 2 })
    expect(told).toHaveLength(6)
    expect(await runs(taskId)).toEqual([{ run: 1, status: 'compensated' }, { run: 2, status: 'completed' }])
    expect(await audit(taskId, 'saga_complete')).toHaveLength(1)
  })

  test('a cancel in the middle of the way back ends it no earlier, and nothing goes forward again', async () => {
    let letGo: () => void = () => undefined
    const held = new Promise<void>((resolve) => { letGo = resolve })
    const told: string[] = []
    const worker = await start([workflow([noted('first', told), noted('second', told, done, () => held), { name: 'fail', kind: 'read-only', run: transient }, save])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    await eventually('the undo to begin', () => Promise.resolve(told.includes('second')))
    await worker.backend.cancel(taskId)
    expect((await worker.backend.task(taskId)).status).toBe('processing')
    letGo()
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'cancelled', attempt: 1 })
    expect(told).toEqual(['second', 'first'])
    expect(await runs(taskId)).toEqual([{ run: 1, status: 'compensated' }])
  })

  test('a cancelled task that waits with an open saga is undone first', async () => {
    const told: string[] = []
    const handsBack = workflow([noted('first', told), { name: 'absent', kind: 'read-only', run: () => Promise.reject(new SweepmillError('NOT_RESOLVABLE', 'not here')) }, save])
    const worker = await start([handsBack])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    await eventually('it to be handed back', async () => (await bed.sql('select 1 from task_events where task_id = $1 and event = \'released\'', [taskId])).length > 0)
    await worker.worker.stop()
    expect(await runs(taskId)).toEqual([{ run: 1, status: 'running' }])
    await worker.backend.cancel(taskId)
    expect((await worker.backend.task(taskId)).status).toBe('pending')
    const waits = workflow([noted('first', told), { name: 'absent', kind: 'read-only', run: (_, signal) => new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason as Error) }) }) }, save])
    const other = await start([waits])
    expect(await other.backend.wait(taskId)).toMatchObject({ status: 'cancelled' })
    expect(told).toEqual(['first'])
    expect(await runs(taskId)).toEqual([{ run: 1, status: 'compensated' }])
  })
})

describe('steps', () => {
  test('a step that timed out but took effect is waited for and undone', async () => {
    const told: string[] = []
    let effects = 0
    const late: SagaStep<Context> = {
      ...noted('slow', told, async (_, signal) => {
        await new Promise((resolve) => { signal.addEventListener('abort', resolve) })
        effects += 1
        return 'null'
      }, () => { effects -= 1; return Promise.resolve() }),
      timeoutMs: 30,
    }
    const worker = await start([workflow([late, save])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {}, maxRetries: 0 })
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'dead_letter', error: { code: 'STEP_TIMEOUT', message: expect.stringContaining('30 ms') as string } })
    expect([effects, told]).toEqual([0, ['slow']])
  })

  test('a step that was stopped and does not end leaves the way back to the next attempt, which it cannot disturb', async () => {
    const client = await bed.open({ role: 'client' })
    const taskId = await client.queue.enqueueTask({ taskType: 'tested', data: {} })
    const owner = (attempt: number): Promise<object[]> => bed.sql('update tasks set status = \'processing\', attempt = $2 where task_id = $1', [taskId, attempt])
    const postgres = new Postgres({ databaseUrl: bed.databaseUrl })
    try {
      const orchestrator = new SagaOrchestrator({ sagaType: 'tested', userId: null, ipAddress: null, enableMetrics: false, enableAuditLog: true },
        { log: new PostgresSagaLog(postgres, 'test'), clock: systemClock, undoBudget: { tries: 1, pauseMs: 1, timeoutMs: 1000 }, graceMs: 20 })
      const undone: string[] = []
      const deaf = defineSaga<null>({ type: 'tested', version: 1, steps: [{
        name: 'deaf', kind: 'compensatable', timeoutMs: 10, run: () => new Promise(() => undefined),
        compensation: { name: 'undo_deaf', undo: (_context, _output, key) => { undone.push(key); return Promise.resolve() } },
      }] })
      await owner(1)
      await expect(orchestrator.execute(deaf, null, taskId, 1)).rejects.toMatchObject({ code: 'STEP_UNANSWERED' })
      // It may still be at work: nothing is undone yet, and nothing goes forward again.
      expect([undone, await runs(taskId), await audit(taskId, 'step_failed')]).toEqual([[], [{ run: 1, status: 'compensating' }], ['step_failed deaf']])
      await owner(2)
      await expect(orchestrator.execute(deaf, null, taskId, 2)).rejects.toMatchObject({ code: 'STEP_TIMEOUT' })
      expect([undone, await audit(taskId, 'compensation%')]).toEqual([[`${taskId}/1:deaf:undo`], ['compensation_start deaf', 'compensation_complete deaf']])
    } finally {
      await postgres.close()
    }
  })

  test('an error that may pass is tried again within the attempt, as often as the step says', async () => {
    let tries = 0
    const worker = await start([workflow([{ name: 'flaky', kind: 'read-only', retry: { tries: 3, pauseMs: 1 }, run: () => { tries += 1; return tries < 3 ? transient() : done() } }, save])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'completed', attempt: 1 })
    expect(await audit(taskId, 'step_retry')).toEqual(['step_retry flaky', 'step_retry flaky'])
  })

  test('behind the pivot there is no way back: the step runs again in the next attempt, and what is done stays done', async () => {
    const told: string[] = []
    const ran: string[] = []
    const worker = await start([workflow([
      noted('first', told, () => { ran.push('first'); return done() }),
      { name: 'decide', kind: 'pivot', run: () => { ran.push('decide'); return done() } },
      { name: 'tell', kind: 'retriable', retry: { tries: 1, pauseMs: 1 }, run: () => { ran.push('tell'); return ran.filter((one) => one === 'tell').length < 3 ? transient() : done() } },
    ])])
    const taskId = await worker.queue.enqueueTask({ taskType: 'tested', data: {} })
    expect(await worker.backend.wait(taskId)).toMatchObject({ status: 'completed', attempt: 3 })
    expect([ran, told]).toEqual([['first', 'decide', 'tell', 'tell', 'tell'], []])
    expect(await runs(taskId)).toEqual([{ run: 1, status: 'completed' }])
  })
})

describe('who may go on', () => {
  test('a run is resumed by the version that began it; a worker without it hands the task back', async () => {
    const ran: string[] = []
    const version = (n: number): RegisteredWorkflow => workflow([{ name: 'one', kind: 'read-only', run: () => { ran.push(`v${n}`); return done() } }, {
      name: 'two', kind: 'read-only', run: () => (ran.length < 2 ? Promise.reject(new SweepmillError('WORKER_STOPPING', 'going')) : done()) }, save], n)
    const old = await start([version(1)])
    const taskId = await old.queue.enqueueTask({ taskType: 'tested', data: {} })
    await eventually('the first step', async () => (await bed.sql('select 1 from task_events where task_id = $1 and event = \'released\'', [taskId])).length > 0)
    await old.worker.stop()
    const newer = await start([version(2)])
    await eventually('the hand-back', async () => (await bed.sql("select 1 from task_events where task_id = $1 and event = 'released' and detail->>'why' like '%version 1%'", [taskId])).length > 0)
    expect(await newer.backend.task(taskId)).toMatchObject({ retry_count: 0 })
    await newer.worker.stop()
    ran.push('both')
    const both = await start([version(2), version(1)])
    expect(await both.backend.wait(taskId)).toMatchObject({ status: 'completed' })
    expect(ran).toEqual(['v1', 'both'])
    expect(await bed.sql('select version from saga_runs')).toEqual([{ version: 1 }])
    // What begins now begins with the newest.
    const next = await both.queue.enqueueTask({ taskType: 'tested', data: {} })
    await both.backend.wait(next)
    expect(ran.at(-1)).toBe('v2')
  })

  test('two orchestrators of one attempt cannot both advance a run, and changed data is noticed', async () => {
    const client = await bed.open({ role: 'client' })
    const taskId = await client.queue.enqueueTask({ taskType: 'tested', data: {} })
    await bed.sql('update tasks set status = \'processing\', attempt = 1 where task_id = $1', [taskId])
    const postgres = new Postgres({ databaseUrl: bed.databaseUrl })
    try {
      const log = new PostgresSagaLog(postgres, 'test')
      const orchestrator = new SagaOrchestrator({ sagaType: 'tested', userId: null, ipAddress: null, enableMetrics: false, enableAuditLog: true },
        { log, clock: systemClock, undoBudget: { tries: 1, pauseMs: 1, timeoutMs: 1000 } })
      const ran: string[] = []
      const definition = defineSaga<null>({ type: 'tested', version: 1, steps: [
        { name: 'one', kind: 'read-only', run: () => { ran.push('one'); return done() } },
        { name: 'two', kind: 'read-only', run: () => (ran.length === 1 ? Promise.reject(new SweepmillError('WORKER_STOPPING', 'going')) : done()) }] })
      const begun = await orchestrator.begin(definition, taskId, 1)
      const both = await Promise.allSettled([orchestrator.resume(definition, null, begun, { input: 1 }), orchestrator.resume(definition, null, begun, { input: 1 })])
      expect(both.map((one) => (one.status === 'rejected' ? (one.reason as SweepmillError).code : 'done')).toSorted()).toEqual(['LEASE_LOST', 'WORKER_STOPPING'])
      expect(ran).toEqual(['one'])
      await expect(orchestrator.execute(definition, null, taskId, 1, { input: 2 })).rejects.toMatchObject({ code: 'INVARIANT', message: expect.stringContaining('not what its step two began with') as string })
      await orchestrator.execute({ ...definition, steps: definition.steps.map((step) => ({ ...step, run: done })) }, null, taskId, 1, { input: 1 })
      expect(await runs(taskId)).toEqual([{ run: 1, status: 'completed' }])
    } finally {
      await postgres.close()
    }
  })
})
