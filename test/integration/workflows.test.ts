/** The two workflows as a worker runs them: real threads, real Redis, real Postgres. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { SWEEP_METRICS } from '../../src/engine/index.js'
import { LEGAL_TRANSITIONS, TaskType } from '../../src/tasks/task.js'
import type { SubmitRequest } from '../../src/tasks/backend.js'
import { backtestWorkflow } from '../../src/workflows/backtest.js'
import { register } from '../../src/workflows/workflow.js'
import type { Workflow } from '../../src/workflows/workflow.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import { SweepmillError } from '../../src/base/errors.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import { assertLegalHistory } from '../legal-history.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const SAMPLE = join(packageRoot, 'samples', 'sp500-daily.csv')
const backtest = (params: Record<string, number> = { fast: 50, slow: 200 }): SubmitRequest => ({
  taskType: TaskType.BACKTEST, roots: null, data: { file: SAMPLE, strategy: { name: 'sma-cross', params }, execution: { fee_rate: 0.001 } },
})
const sweep = (space: Record<string, unknown> = { fast: { min: 5, max: 40, step: 1 }, slow: { min: 30, max: 120, step: 5 } }): SubmitRequest => ({
  taskType: TaskType.OPTIMIZATION, roots: null,
  data: { file: SAMPLE, strategy: { name: 'sma-cross' }, space, constraint: 'fast < slow', holdout: 0.3, top: 5, execution: { fee_rate: 0.001 } },
})

async function steps(taskId: string): Promise<string[]> {
  const rows = await bed.sql<{ one: string }>(
    "select run || ' ' || step || case when undo then ' undo' else '' end || ' ' || status as one from saga_steps where task_id = $1 order by run, undo, case when undo then -seq else seq end", [taskId])
  return rows.map((row) => row.one)
}

describe('workflows', () => {
  test('saga integration', async () => {
    const runtime = await bed.open()
    await runtime.start()
    const { taskId, created } = await runtime.backend.submit(backtest())
    expect(created).toBe(true)
    const task = await runtime.backend.wait(taskId)
    expect(task).toMatchObject({ status: 'completed', attempt: 1, error: null, priority: 'high' })
    expect(task.result).toMatchObject({ bars: 5105 })
    expect(task.processing_time_ms).toBeGreaterThan(0)
    expect(await steps(taskId)).toEqual(['1 fetch_data finished', '1 run_backtest finished', '1 save_results finished'])
    expect(await bed.sql('select status from saga_runs where task_id = $1', [taskId])).toEqual([{ status: 'completed' }])
    expect((await runtime.backend.checkpoints(taskId)).map(({ step, data }) => ({ step, data }))).toEqual([
      { step: 'fetch_data', data: { step: 'fetch_data', progress: 33 } }, { step: 'run_backtest', data: { step: 'run_backtest', progress: 67 } },
    ])
    const trades = Buffer.from(await runtime.backend.artifact(taskId, 'trades') ?? []).toString()
    expect(trades.split('\n')[0]).toBe('side,units,entry_bar,entry_time,entry_price,exit_bar,exit_time,exit_price,pnl,return,fees,exit_reason')
    const equity = Buffer.from(await runtime.backend.artifact(taskId, 'equity') ?? []).toString().trim().split('\n')
    expect([equity[0], equity.length]).toEqual(['bar,time,equity', 5106])
    expect(Number(equity.at(-1)?.split(',')[2])).toBe((task.result as { final_equity: number }).final_equity)
    const text = await runtime.metrics.exposition()
    expect(text).toContain('saga_completed_total{saga_type="backtest_workflow"} 1')
    expect(text).toContain('saga_step_executed_total{saga_type="backtest_workflow",step_name="run_backtest"} 1')
    assertLegalHistory(await bed.sql('select from_status, to_status from task_events where task_id = $1 order by event_id', [taskId]), LEGAL_TRANSITIONS)
  })

  test('a step that fails is undone in reverse order, retried, and ends as a dead letter', async () => {
    const undone: string[] = []
    const failing: Workflow<null> = {
      taskType: 'failing', begin: () => null, end: () => undefined,
      definition: defineSaga<null>({
        type: 'failing', version: 1,
        steps: [
          { name: 'one', kind: 'compensatable', run: () => Promise.resolve('{"made":1}'), compensation: { name: 'undo_one', undo: (_, output) => { undone.push(`one ${output}`); return Promise.resolve() } } },
          { name: 'two', kind: 'compensatable', run: () => Promise.reject(new SweepmillError('THREAD_LOST', 'gone')), compensation: { name: 'undo_two', undo: (_, output) => { undone.push(`two ${output}`); return Promise.resolve() } } },
        ],
      }),
    }
    const runtime = await bed.open({ workflows: [register(failing)], retry: { baseMs: 20, capMs: 50 } })
    await runtime.start()
    const taskId = await runtime.queue.enqueueTask({ taskType: 'failing', data: {}, maxRetries: 1 })
    const task = await runtime.backend.wait(taskId)
    expect(task).toMatchObject({ status: 'dead_letter', retry_count: 1, attempt: 2, error: { code: 'THREAD_LOST', message: 'gone' } })
    // The outcome of `two` is unknown, so it is undone too, first; each retry is a run of its own.
    expect(undone).toEqual(['two null', 'one null', 'two null', 'one null'])
    expect(await steps(taskId)).toEqual([
      '1 one finished', '1 two failed', '1 two undo finished', '1 one undo finished',
      '2 one finished', '2 two failed', '2 two undo finished', '2 one undo finished',
    ])
    expect(await bed.redis.xlen(`${bed.prefix}tasks:dlq`)).toBe(1)
  })

  test('a sweep gives the same rows and hash at any number of threads', async () => {
    const hashes: string[] = []
    for (const threads of ['1', '2', '4']) {
      const runtime = await bed.open({ env: { WORKER_THREADS: threads } })
      await runtime.start()
      const { taskId } = await runtime.backend.submit({ ...sweep(), fresh: true })
      const task = await runtime.backend.wait(taskId)
      expect(task.status).toBe('completed')
      const result = task.result as { result_hash: string; trials: number; top: unknown[] }
      expect(result.trials).toBe(36 * 19 - (11 + 6 + 1)) // excluded: fast up to 40 against slow 30, 35 and 40
      hashes.push(JSON.stringify([result.result_hash, result.trials, result.top]))
      const lines: string[] = []
      await runtime.backend.exportTrials(taskId, (bytes) => { lines.push(Buffer.from(bytes).toString()); return Promise.resolve() })
      expect(lines.join('').trim().split('\n')).toHaveLength(result.trials + 1)
      await runtime.close()
    }
    expect(new Set(hashes).size).toBe(1)
  })

  test('a session takes its task again when it is due, and not before', async () => {
    const simple: Workflow<null> = {
      taskType: 'simple', begin: () => null, end: () => undefined,
      definition: defineSaga<null>({ type: 'simple', version: 1, steps: [{ name: 'one', kind: 'pivot', run: () => Promise.resolve('{}') }] }),
    }
    const runtime = await bed.open({ role: 'session', workflows: [register(simple)] })
    await runtime.start()
    // As after a failed attempt: the task waits in the delayed set, and no worker is there to promote it.
    const dueMs = systemClock.wallMs() + 700
    const taskId = await runtime.queue.enqueueTask({ taskType: 'simple', data: {}, notBefore: new Date(dueMs).toISOString() })
    runtime.serve(taskId)
    const task = await runtime.backend.wait(taskId)
    expect(task).toMatchObject({ status: 'completed', attempt: 1 })
    expect(Date.parse(task.started_at ?? '')).toBeGreaterThanOrEqual(dueMs)
  })

  test('the same sweep attaches to the unfinished one unless it is fresh', async () => {
    const runtime = await bed.open({ role: 'client' })
    const first = await runtime.backend.submit(sweep())
    const second = await runtime.backend.submit(sweep())
    const third = await runtime.backend.submit({ ...sweep(), fresh: true })
    expect([second, third.created]).toEqual([{ taskId: first.taskId, created: false }, true])
  })

  test('who only looks is not among the workers', async () => {
    const worker = await bed.open()
    const onlooker = await bed.open({ role: 'client' })
    await Promise.all([worker.start(), onlooker.start()])
    expect((await onlooker.backend.queueStats()).workers.map((one) => one.id)).toEqual([worker.consumer])
  })

  test('keys come out of Postgres in the order of the spec and of the page of metrics, whatever way the task came', async () => {
    const runtime = await bed.open()
    await runtime.start()
    const { taskId } = await runtime.backend.submit(sweep({ slow: { min: 60, max: 90, step: 30 }, fast: { choices: [5, 10] } }))
    const { data, result } = await runtime.backend.wait(taskId) as { data: Record<string, object>; result: { best: { params: object; metrics: object } } }
    expect(Object.keys(result).slice(0, 3)).toEqual(['trials', 'reused_chunks', 'result_hash'])
    expect([Object.keys(result.best.params), Object.keys(data['space'] ?? {})]).toEqual([['slow', 'fast'], ['slow', 'fast']])
    expect(Object.keys(result.best.metrics)).toEqual(SWEEP_METRICS)
    const once = await runtime.backend.submit({ ...backtest({ slow: 200, fast: 50 }), idempotencyKey: 'one' })
    const run = await runtime.backend.wait(once.taskId) as { result: { strategy: { params: object } } }
    expect([Object.keys(run.result).slice(0, SWEEP_METRICS.length), Object.keys(run.result.strategy.params)]).toEqual([SWEEP_METRICS, ['slow', 'fast']])
    // The same request with its parameters in another order is a repeat, not a conflict.
    expect(await runtime.backend.submit({ ...backtest({ fast: 50, slow: 200 }), idempotencyKey: 'one' })).toEqual({ taskId: once.taskId, created: false })
  })

  test('cancelling ends a running sweep and keeps its finished chunks', async () => {
    const runtime = await bed.open()
    await runtime.start()
    const { taskId } = await runtime.backend.submit(sweep({ fast: { min: 2, max: 200, step: 1 }, slow: { min: 3, max: 500, step: 1 } }))
    await eventually('a committed chunk', async () => (await bed.sql('select 1 from sweep_chunks limit 1')).length > 0)
    await runtime.backend.cancel(taskId)
    expect(await runtime.backend.wait(taskId)).toMatchObject({ status: 'cancelled', error: { code: 'TASK_CANCELLED' } })
    expect((await bed.sql('select 1 from sweep_chunks')).length).toBeGreaterThan(0)
    // Who was told to stop did not fail, nor did the saga; one that never began is cancelled too.
    const waiting = await runtime.backend.submit({ ...sweep(), notBefore: new Date(systemClock.wallMs() + 3_600_000).toISOString() })
    expect((await runtime.backend.cancel(waiting.taskId)).status).toBe('cancelled')
    expect((await runtime.backend.health()).metrics).toMatchObject({ tasks_cancelled: 2, tasks_failed: 0 })
    const text = await runtime.metrics.exposition()
    expect(text).toContain('task_queue_cancelled_total{priority="low",type="optimization_workflow"} 2')
    expect(text).not.toMatch(/^(task_queue|saga)_failed_total\{/m)
    await runtime.backend.retry(taskId)
    const again = await runtime.backend.wait(taskId)
    expect(again).toMatchObject({ status: 'completed', generation: 2 })
    expect((again.result as { reused_chunks: number }).reused_chunks).toBeGreaterThan(0)
  })

  test('a HIGH backtest overtakes a saturated sweep', async () => {
    const runtime = await bed.open()
    await runtime.start()
    const { taskId } = await runtime.backend.submit(sweep({ fast: { min: 2, max: 200, step: 1 }, slow: { min: 3, max: 500, step: 1 } }))
    await eventually('the sweep to run', async () => (await bed.sql('select 1 from sweep_chunks limit 1')).length > 0)
    const quick = await runtime.backend.submit(backtest())
    expect((await runtime.backend.wait(quick.taskId)).status).toBe('completed')
    expect((await runtime.backend.task(taskId)).status).toBe('processing')
    await runtime.backend.cancel(taskId)
    await runtime.backend.wait(taskId)
  })

  test('bad input is refused before a row exists', async () => {
    const runtime = await bed.open({ role: 'client' })
    const refused = async (request: SubmitRequest, code: string): Promise<void> => {
      await expect(runtime.backend.submit(request)).rejects.toMatchObject({ code })
    }
    await refused(backtest({ fast: 0, slow: 20 }), 'PARAM_INVALID')
    await refused({ ...backtest(), data: { file: SAMPLE, strategy: { name: 'nope' } } }, 'STRATEGY_UNKNOWN')
    await refused({ ...backtest(), data: { ...backtest().data, file: 'nowhere.csv' } }, 'FILE_NOT_FOUND')
    await refused({ ...backtest(), data: { ...backtest().data, colour: 'red' } }, 'SPEC_INVALID')
    await refused({ ...backtest(), data: { ...backtest().data, data_hash: '0'.repeat(64) } }, 'SPEC_INVALID')
    await refused({ ...backtest(), roots: [join(packageRoot, 'docs')] }, 'FILE_FORBIDDEN')
    // Who may read the bars may not bring code from where they lie.
    await expect(runtime.backend.submit({ ...backtest(), roots: [packageRoot], data: { ...backtest().data, strategy: { name: './mine.ts' } } }))
      .rejects.toMatchObject({ code: 'FILE_FORBIDDEN', message: expect.stringContaining('STRATEGY_DIR') as string })
    await refused({ ...sweep(), data: { ...sweep().data, constraint: 'fast > 1000' } }, 'SPACE_EMPTY')
    await refused({ ...sweep(), data: { ...sweep().data, constraint: 'fast <' } }, 'CONSTRAINT_INVALID')
    expect(await bed.sql('select 1 from tasks')).toEqual([])
  })

  test('the definitions hold the rules of sagas', () => {
    expect(backtestWorkflow.definition.steps.map((step) => [step.name, step.compensation?.name])).toEqual([
      ['fetch_data', 'delete_cached_data'], ['run_backtest', 'delete_backtest_results'], ['save_results', 'rollback_results'],
    ])
    expect(() => defineSaga({ type: 'x', version: 1, steps: [
      { name: 'a', kind: 'pivot', run: () => Promise.resolve('') },
      { name: 'b', kind: 'compensatable', run: () => Promise.resolve(''), compensation: { name: 'c', undo: () => Promise.resolve() } },
    ] })).toThrow(expect.objectContaining({ code: 'SAGA_INVALID' }))
  })
})
