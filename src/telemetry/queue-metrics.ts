/**
 * The `task_queue_*` metrics, and the plain totals that the health report shows.
 *
 * Both are written by the same call, so /metrics and /health cannot disagree. Counters count what this
 * process did; depths are looked up at the moment of a scrape.
 */
import { Counter, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { TaskPriority } from '../tasks/task.js'
import { PRIORITIES } from '../tasks/task.js'
import { addGauge, addLabelledGauge } from './scraped-gauge.js'

/** Tasks this process handled since it started. */
export interface QueueTotals {
  readonly enqueued: number
  readonly dequeued: number
  readonly completed: number
  /** Not among those that failed. */
  readonly cancelled: number
  readonly failed: number
  readonly recovered: number
}

/** Seconds; a backtest takes milliseconds, a large sweep an hour. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600]

export class QueueMetrics {
  readonly #enqueued: Counter<'priority' | 'type'>
  readonly #dequeued: Counter<'priority' | 'type'>
  readonly #completed: Counter<'priority' | 'type'>
  readonly #failed: Counter<'priority' | 'type' | 'reason'>
  readonly #cancelled: Counter<'priority' | 'type'>
  readonly #deadLettered: Counter<'type'>
  readonly #recovered: Counter<'priority'>
  readonly #duration: Histogram<'priority' | 'type'>
  readonly #fencedWrites: Counter<'kind'>
  readonly #leaseRenewals: Counter<'result'>
  readonly #reconciled: Counter<'what'>
  readonly #totals = { enqueued: 0, dequeued: 0, completed: 0, cancelled: 0, failed: 0, recovered: 0 }
  #depths: () => Promise<Readonly<Record<TaskPriority, number>>> = () => Promise.reject(new Error('no source'))
  #deadLetters: () => Promise<number> = () => Promise.reject(new Error('no source'))

  constructor(registry: Registry) {
    const registers = [registry]
    const byPriorityAndType = ['priority', 'type'] as const
    this.#enqueued = new Counter({ name: 'task_queue_enqueued_total', help: 'Tasks published to a stream.', labelNames: byPriorityAndType, registers })
    this.#dequeued = new Counter({ name: 'task_queue_dequeued_total', help: 'Tasks taken from a stream.', labelNames: byPriorityAndType, registers })
    this.#completed = new Counter({ name: 'task_queue_completed_total', help: 'Tasks completed.', labelNames: byPriorityAndType, registers })
    this.#failed = new Counter({
      name: 'task_queue_failed_total', help: 'Attempts that failed, by error code; cancelled tasks are not among them.', labelNames: ['priority', 'type', 'reason'], registers,
    })
    this.#cancelled = new Counter({ name: 'task_queue_cancelled_total', help: 'Tasks cancelled.', labelNames: byPriorityAndType, registers })
    this.#deadLettered = new Counter({ name: 'task_queue_dlq_total', help: 'Tasks moved to the dead letters.', labelNames: ['type'], registers })
    this.#recovered = new Counter({ name: 'task_queue_recovered_total', help: 'Tasks taken over from a silent owner.', labelNames: ['priority'], registers })
    this.#duration = new Histogram({
      name: 'task_queue_processing_duration_seconds', help: 'From the start of an attempt to its end.',
      labelNames: byPriorityAndType, buckets: DURATION_BUCKETS, registers,
    })
    this.#fencedWrites = new Counter({
      name: 'sweepmill_fenced_writes_total', help: 'Writes refused because the attempt no longer owned its task.', labelNames: ['kind'], registers,
    })
    this.#leaseRenewals = new Counter({ name: 'sweepmill_lease_renewals_total', help: 'Lease renewals, by result.', labelNames: ['result'], registers })
    this.#reconciled = new Counter({
      name: 'sweepmill_reconciled_total', help: 'Tasks the reconciler put right, by what it did.', labelNames: ['what'], registers,
    })
    addLabelledGauge(registry, 'task_queue_depth_current', 'Tasks that wait in a stream and are in nobody\'s hands.', 'priority', () => this.#depths())
    addGauge(registry, 'sweepmill_dlq_depth', 'Dead letters that wait for an operator.', () => this.#deadLetters())
    // Series that exist from the start let rate() see the very first event.
    for (const priority of PRIORITIES) this.#recovered.inc({ priority }, 0)
    for (const result of ['renewed', 'absent', 'lost']) this.#leaseRenewals.inc({ result }, 0)
  }

  /** Called at each scrape; a rejection leaves the depth out of it. */
  observeDepths(depths: () => Promise<Readonly<Record<TaskPriority, number>>>): void { this.#depths = depths }
  observeDeadLetters(deadLetters: () => Promise<number>): void { this.#deadLetters = deadLetters }

  enqueued(priority: TaskPriority, type: string, count = 1): void {
    this.#totals.enqueued += count
    this.#enqueued.inc({ priority, type }, count)
  }

  dequeued(priority: TaskPriority, type: string, count = 1): void {
    this.#totals.dequeued += count
    this.#dequeued.inc({ priority, type }, count)
  }

  completed(priority: TaskPriority, type: string, durationMs: number): void {
    this.#totals.completed += 1
    this.#completed.inc({ priority, type })
    this.#duration.observe({ priority, type }, durationMs / 1000)
  }

  /** `reason` is an error code; whether the task retries does not matter here. */
  failed(priority: TaskPriority, type: string, reason: string, durationMs: number): void {
    this.#totals.failed += 1
    this.#failed.inc({ priority, type, reason })
    this.#duration.observe({ priority, type }, durationMs / 1000)
  }

  /** `durationMs` is null for a task that was cancelled before it began. */
  cancelled(priority: TaskPriority, type: string, durationMs: number | null): void {
    this.#totals.cancelled += 1
    this.#cancelled.inc({ priority, type })
    if (durationMs !== null) this.#duration.observe({ priority, type }, durationMs / 1000)
  }

  deadLettered(type: string): void { this.#deadLettered.inc({ type }) }

  recovered(priority: TaskPriority): void {
    this.#totals.recovered += 1
    this.#recovered.inc({ priority })
  }

  fencedWrite(kind: string): void { this.#fencedWrites.inc({ kind }) }
  leaseRenewal(result: 'renewed' | 'absent' | 'lost', count = 1): void { this.#leaseRenewals.inc({ result }, count) }
  reconciled(what: string, count = 1): void { this.#reconciled.inc({ what }, count) }

  totals(): QueueTotals { return { ...this.#totals } }
}
