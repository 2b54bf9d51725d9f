import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { Metrics } from '../../../src/telemetry/registry.js'

async function filled(): Promise<Metrics> {
  const metrics = new Metrics('0.0.0-test')
  metrics.queue.enqueued('high', 'backtest_workflow', 3)
  metrics.queue.dequeued('high', 'backtest_workflow', 2)
  metrics.queue.completed('high', 'backtest_workflow', 120)
  metrics.queue.failed('low', 'cleanup', 'THREAD_LOST', 40)
  metrics.queue.cancelled('low', 'cleanup', 40)
  metrics.queue.deadLettered('cleanup')
  metrics.queue.recovered('low')
  metrics.queue.fencedWrite('result')
  metrics.queue.leaseRenewal('lost')
  metrics.queue.reconciled('published', 4)
  metrics.queue.observeDepths(() => Promise.resolve({ high: 5, medium: 12, low: 3 }))
  metrics.queue.observeDeadLetters(() => Promise.resolve(2))
  metrics.saga.started('backtest_workflow')
  metrics.saga.stepExecuted('backtest_workflow', 'fetch_data')
  metrics.saga.completed('backtest_workflow')
  metrics.saga.compensated('backtest_workflow')
  metrics.saga.failed('backtest_workflow')
  metrics.saga.compensationFailed('backtest_workflow')
  metrics.host.observe(() => ({ eventLoopDelayP99Ms: 12.5, threads: 8, threadsBusy: 7, usefulCpuShare: 0.93, dataBytes: 1000, dataBudgetBytes: 2000 }))
  metrics.host.barsProcessed(5105)
  return metrics
}

describe('the exposition', () => {
  test('has every metric of the contract by name and labels', async () => {
    const lines = new Set((await (await filled()).exposition()).split('\n'))
    for (const line of [
      'task_queue_enqueued_total{priority="high",type="backtest_workflow"} 3',
      'task_queue_dequeued_total{priority="high",type="backtest_workflow"} 2',
      'task_queue_completed_total{priority="high",type="backtest_workflow"} 1',
      'task_queue_failed_total{priority="low",type="cleanup",reason="THREAD_LOST"} 1',
      'task_queue_cancelled_total{priority="low",type="cleanup"} 1',
      'task_queue_dlq_total{type="cleanup"} 1',
      'task_queue_recovered_total{priority="low"} 1',
      'task_queue_depth_current{priority="medium"} 12',
      'task_queue_processing_duration_seconds_bucket{le="0.1",priority="high",type="backtest_workflow"} 0',
      'task_queue_processing_duration_seconds_bucket{le="0.25",priority="high",type="backtest_workflow"} 1',
      'saga_started_total{saga_type="backtest_workflow"} 1',
      'saga_step_executed_total{saga_type="backtest_workflow",step_name="fetch_data"} 1',
      'saga_completed_total{saga_type="backtest_workflow"} 1',
      'saga_compensated_total{saga_type="backtest_workflow"} 1',
      'saga_failed_total{saga_type="backtest_workflow"} 1',
      'saga_compensation_failed_total{saga_type="backtest_workflow"} 1',
      'sweepmill_event_loop_delay_p99_seconds 0.0125',
      'sweepmill_threads 8',
      'sweepmill_threads_busy 7',
      'sweepmill_useful_cpu_share 0.93',
      'sweepmill_data_memory_bytes 1000',
      'sweepmill_data_memory_budget_bytes 2000',
      'sweepmill_fenced_writes_total{kind="result"} 1',
      'sweepmill_lease_renewals_total{result="lost"} 1',
      'sweepmill_bars_processed_total 5105',
      'sweepmill_dlq_depth 2',
      'sweepmill_reconciled_total{what="published"} 4',
    ]) expect(lines, line).toContain(line)
  })

  test('leaves out what cannot be looked up, instead of an old value or 0', async () => {
    const metrics = await filled()
    await metrics.exposition()
    metrics.queue.observeDepths(() => Promise.reject(new Error('Redis is away')))
    metrics.queue.observeDeadLetters(() => Promise.reject(new Error('Redis is away')))
    metrics.host.observe(() => ({ eventLoopDelayP99Ms: 1, threads: 8, threadsBusy: 0, usefulCpuShare: null, dataBytes: 1000, dataBudgetBytes: 2000 }))
    const text = await metrics.exposition()
    expect(text).not.toMatch(/^task_queue_depth_current\{/m)
    expect(text).not.toMatch(/^sweepmill_dlq_depth /m)
    expect(text).not.toMatch(/^sweepmill_useful_cpu_share /m)
    expect(text).toMatch(/^sweepmill_threads_busy 0$/m)
  })

  test('two runtimes in one process do not share counters', async () => {
    const one = await filled()
    expect(new Metrics('other').queue.totals().enqueued).toBe(0)
    expect(await new Metrics('other').exposition()).not.toContain('task_queue_enqueued_total{')
    expect(one.queue.totals()).toEqual({ enqueued: 3, dequeued: 2, completed: 1, failed: 1, cancelled: 1, recovered: 1 })
  })

  const promtool = spawnSync('promtool', ['--version']).error === undefined
  test.skipIf(!promtool)('promtool finds nothing to complain about (skipped without promtool)', async () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await (await filled()).exposition(), encoding: 'utf8' })
    expect(checked.stderr + checked.stdout).toBe('')
    expect(checked.status).toBe(0)
  })
})
