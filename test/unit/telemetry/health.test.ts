import { expect, test } from 'vitest'
import { healthReport } from '../../../src/telemetry/health.js'
import type { HealthInput } from '../../../src/telemetry/health.js'

const input: HealthInput = {
  workerName: 'worker-prod-1', consumerName: 'worker-prod-1-7f3a', running: true, depths: { high: 5, medium: 12, low: 3 },
  totals: { enqueued: 245, dequeued: 238, completed: 235, failed: 3, cancelled: 0, recovered: 0 }, threads: { total: 8, busy: 3, stuck: 0, replaced: 0 },
  eventLoopDelay: { p50: 0.1, p99: 2, max: 9 }, paused: ['low'], handedBack: { 'engine-1': 2 }, redisUp: true, postgresUp: true, troubles: [], wallMs: Date.UTC(2025, 10, 5, 17, 30, 0, 250),
}

test('the report begins with the keys that monitoring depends on', () => {
  const report = healthReport(input)
  expect(Object.keys(report).slice(0, 5)).toEqual(['status', 'worker_name', 'running', 'metrics', 'timestamp'])
  expect(report).toMatchObject({
    status: 'healthy', worker_name: 'worker-prod-1', running: true,
    metrics: {
      consumer_name: 'worker-prod-1-7f3a', queue_depth: { high: 5, medium: 12, low: 3 },
      tasks_enqueued: 245, tasks_dequeued: 238, tasks_completed: 235, tasks_failed: 3, tasks_recovered: 0,
    },
    timestamp: '2025-11-05T17:30:00Z',
    threads: { total: 8, busy: 3, stuck: 0, replaced: 0 }, event_loop_delay_ms: { p50: 0.1, p99: 2, max: 9 }, services: { redis: 'up', postgres: 'up' }, paused: ['low'], handed_back: { 'engine-1': 2 },
  })
})

test('a service that is away degrades, a dispatcher that does not run is unhealthy', () => {
  expect(healthReport({ ...input, redisUp: false, depths: null })).toMatchObject({ status: 'degraded', metrics: { queue_depth: null } })
  expect(healthReport({ ...input, postgresUp: false }).status).toBe('degraded')
  expect(healthReport({ ...input, running: false }).status).toBe('unhealthy')
})
