/**
 * The health report: the JSON of GET /health, whose first keys are fixed (monitoring depends on them).
 *
 * `healthy`: runs and both services answer. `degraded`: one of them does not, work in hand goes on.
 * `unhealthy`: the dispatcher does not run.
 */
import type { TaskPriority } from '../tasks/task.js'
import type { EventLoopDelay } from './event-loop.js'
import type { QueueTotals } from './queue-metrics.js'

export interface HealthReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy'
  readonly worker_name: string
  readonly running: boolean
  readonly metrics: {
    readonly consumer_name: string
    /** What waits: stream length minus pending. Null where Redis does not answer. */
    readonly queue_depth: Readonly<Record<TaskPriority, number>> | null
    readonly tasks_enqueued: number
    readonly tasks_dequeued: number
    readonly tasks_completed: number
    readonly tasks_failed: number
    readonly tasks_recovered: number
    /** Not among those that failed. */
    readonly tasks_cancelled: number
  }
  /** ISO 8601, whole seconds, UTC. */
  readonly timestamp: string
  /** `stuck`: busy ones that have given no sign of life for ten seconds; each is replaced when its time is over. */
  readonly threads: { readonly total: number; readonly busy: number; readonly stuck: number; readonly replaced: number }
  readonly event_loop_delay_ms: EventLoopDelay
  /** Priorities that nobody picks; null where Postgres does not answer. */
  readonly paused: readonly TaskPriority[] | null
  /** Sweeps that no worker of their own engine has picked, by engine; null where Postgres does not answer. */
  readonly handed_back: Readonly<Record<string, number>> | null
  /** `up`: it answers and does what tasks need of it. */
  readonly services: { readonly redis: 'up' | 'down'; readonly postgres: 'up' | 'down' }
  /** What is wrong with them, and what to change, in sentences. */
  readonly troubles: readonly string[]
}

export interface HealthInput {
  readonly workerName: string
  readonly consumerName: string
  readonly running: boolean
  readonly depths: Readonly<Record<TaskPriority, number>> | null
  readonly totals: QueueTotals
  readonly threads: HealthReport['threads']
  readonly eventLoopDelay: EventLoopDelay
  readonly paused: readonly TaskPriority[] | null
  readonly handedBack: Readonly<Record<string, number>> | null
  readonly redisUp: boolean
  readonly postgresUp: boolean
  readonly troubles: readonly string[]
  readonly wallMs: number
}

export function healthReport(input: HealthInput): HealthReport {
  const { totals, depths } = input
  return {
    status: !input.running ? 'unhealthy' : input.redisUp && input.postgresUp && input.threads.stuck === 0 ? 'healthy' : 'degraded',
    worker_name: input.workerName,
    running: input.running,
    metrics: {
      consumer_name: input.consumerName,
      queue_depth: depths === null ? null : { high: depths.high, medium: depths.medium, low: depths.low },
      tasks_enqueued: totals.enqueued,
      tasks_dequeued: totals.dequeued,
      tasks_completed: totals.completed,
      tasks_failed: totals.failed,
      tasks_recovered: totals.recovered,
      tasks_cancelled: totals.cancelled,
    },
    timestamp: new Date(input.wallMs).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    threads: { total: input.threads.total, busy: input.threads.busy, stuck: input.threads.stuck, replaced: input.threads.replaced },
    event_loop_delay_ms: input.eventLoopDelay,
    paused: input.paused,
    handed_back: input.handedBack,
    services: { redis: input.redisUp ? 'up' : 'down', postgres: input.postgresUp ? 'up' : 'down' },
    troubles: input.troubles,
  }
}
