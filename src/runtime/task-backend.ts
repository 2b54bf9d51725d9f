/** The runtime as its faces see it: submits, waits, shows and steers tasks. All JSON that leaves is snake_case. */
import { SweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { CSV } from '../base/table-format.js'
import type { ByteSink, TableFormat } from '../base/table-format.js'
import type { ArtifactKind, Backend, DeadLetters, Sagas, Schedules, Strategies, ProgressView, QueueStatsView, Submitted, SubmitRequest, TaskEventView, TaskQuery, TaskView } from '../tasks/backend.js'
import type { ArtifactStore } from '../tasks/bar-archive.js'
import type { SeriesDesk } from '../tasks/bar-series.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import type { Fleet, PublicationBook, TaskDesk, TaskRecord } from '../tasks/task-store.js'
import type { PauseBook } from '../tasks/pause-book.js'
import { isFinal, PRIORITIES, TaskType } from '../tasks/task.js'
import type { Checkpoint, RetryOptions, TaskPriority } from '../tasks/task.js'
import type { TaskPublisher } from '../tasks/task-stream.js'
import { isTaskId } from '../base/ids.js'
import { afterCommit } from './after-commit.js'
import { checkRetry, checkSubmission, checkTaskFilter } from './caller-input.js'
import type { ProgressBoard } from './progress-board.js'
import { taskView } from './task-view.js'
import type { SweepExport } from './sweep-export.js'

/** First pauses of a waiting caller are short, because most backtests take milliseconds. */
const WAIT_MIN_MS = 10
const WAIT_MAX_MS = 200

export interface QueueGauges {
  depths(): Promise<Record<TaskPriority, number>>
  lengths(): Promise<Record<TaskPriority, number>>
  delayedCount(): Promise<number>
  readonly deadLetters: { count(): Promise<number> }
}

export interface TaskBackendParts<Health> {
  readonly submit: (request: SubmitRequest, signal?: AbortSignal) => Promise<Submitted>
  readonly deadLetters: DeadLetters
  readonly schedules: Schedules
  readonly sagas: Sagas
  readonly series: SeriesDesk
  readonly strategies: Strategies
  readonly desk: TaskDesk
  readonly book: PublicationBook
  readonly publisher: TaskPublisher
  readonly artifacts: ArtifactStore
  readonly fleet: Fleet
  /** A client's own incarnation: it beats like a worker, and is none. */
  readonly onlooker: string | null
  readonly pauses: PauseBook
  readonly queue: QueueGauges
  readonly observer: QueueObserver
  readonly board: ProgressBoard
  readonly pool: ComputePool
  readonly exports: SweepExport
  readonly clock: Clock
  readonly health: () => Promise<Health>
  readonly ready: () => Promise<boolean>
  /** Tells a task of this process to stop; others hear it from Postgres. */
  readonly stopTask: (taskId: string) => void
}

export class TaskBackend<Health> implements Backend<Health> {
  readonly #parts: TaskBackendParts<Health>

  constructor(parts: TaskBackendParts<Health>) {
    this.#parts = parts
  }

  get pauses(): PauseBook {
    return this.#parts.pauses
  }

  get deadLetters(): DeadLetters {
    return this.#parts.deadLetters
  }

  get schedules(): Schedules {
    return this.#parts.schedules
  }

  get sagas(): Sagas {
    return this.#parts.sagas
  }

  get series(): SeriesDesk {
    return this.#parts.series
  }

  get strategies(): Strategies {
    return this.#parts.strategies
  }

  async submit(request: SubmitRequest, signal?: AbortSignal): Promise<Submitted> {
    checkSubmission(request)
    return this.#parts.submit(request, signal)
  }

  async wait(taskId: string, onProgress?: (view: ProgressView) => void, signal?: AbortSignal): Promise<TaskView> {
    const { board, pool, clock } = this.#parts
    for (let pauseMs = WAIT_MIN_MS; ; pauseMs = Math.min(WAIT_MAX_MS, pauseMs * 1.5)) {
      signal?.throwIfAborted()
      const record = await this.#record(taskId)
      if (isFinal(record.status)) return taskView(record)
      if (onProgress !== undefined) {
        const here = board.latest(taskId)
        const progress = here ?? record.progress
        if (progress !== null) {
          const { threads, busy } = pool.stats()
          onProgress({ ...progress, status: record.status, threads: here === null ? null : { total: threads, busy } })
        }
      }
      await clock.sleep(pauseMs, signal)
    }
  }

  async task(taskId: string): Promise<TaskView> {
    return taskView(await this.#record(taskId))
  }

  async tasks(query: TaskQuery): Promise<readonly TaskView[]> {
    checkTaskFilter(query)
    return (await this.#parts.desk.list(query)).map(taskView)
  }

  async events(taskId: string): Promise<readonly TaskEventView[]> {
    await this.#record(taskId)
    return (await this.#parts.desk.events(taskId)).map((event) => ({
      at: event.at, event: event.event, from_status: event.fromStatus, to_status: event.toStatus,
      attempt: event.attempt, generation: event.generation, worker: event.worker, detail: event.detail,
    }))
  }

  async checkpoints(taskId: string): Promise<readonly Checkpoint[]> {
    await this.#record(taskId)
    return this.#parts.desk.listedCheckpoints(taskId)
  }

  async artifact(taskId: string, kind: ArtifactKind): Promise<Uint8Array | null> {
    const record = await this.#record(taskId)
    if (record.status !== 'completed') return null
    if (kind === 'report') return this.#parts.exports.report(record)
    if (kind === 'equity') return this.#parts.exports.equityCsv(record)
    return this.#parts.artifacts.get(taskId, kind)
  }

  async exportTable(taskId: string, kind: 'trades' | 'equity', format: TableFormat, write: ByteSink): Promise<boolean> {
    const record = await this.#record(taskId)
    return record.status === 'completed' && this.#parts.exports.table(record, kind, format, write)
  }

  async exportTrials(taskId: string, write: ByteSink, format: TableFormat = CSV): Promise<void> {
    await this.#parts.exports.trials(await this.#record(taskId), format, write)
  }

  async cancel(taskId: string): Promise<TaskView> {
    const before = await this.#record(taskId)
    if (isFinal(before.status)) {
      throw new SweepmillError('STATE_CONFLICT', `Task ${taskId} is ${before.status} already; only a task that waits or runs can be cancelled.`, { details: { status: before.status } })
    }
    const record = await this.#parts.desk.requestCancel(taskId)
    this.#parts.stopTask(taskId)
    // It may wait in the delayed set for minutes; what is published twice is cleared by its second open.
    if (record?.status === 'pending') return this.#publish(record)
    if (record !== null && isFinal(record.status)) {
      if (before.status === 'pending' && record.status === 'cancelled') this.#parts.observer.cancelled(record.priority, record.taskType, null)
      // A task that would have been due next year must not stand in the delayed set until then. Redis may be away.
      await this.#parts.publisher.withdraw([before]).catch(() => undefined)
    }
    return taskView(record ?? before)
  }

  async retry(taskId: string, options: RetryOptions = {}): Promise<TaskView> {
    const startOver = checkRetry(options)
    const { desk, deadLetters } = this.#parts
    const before = await this.#record(taskId)
    if (startOver) {
      if (!await desk.startOver(before.taskId)) throw notStartedOver(before)
      if (!isFinal(before.status)) return this.#publish(await this.#record(taskId))
    }
    // A dead letter leaves the projection too.
    if (before.status === 'dead_letter' && (await deadLetters.redrive({ taskIds: [before.taskId] }, false)).length > 0) return this.task(taskId)
    const record = await desk.redrive(taskId)
    if (record === null) {
      if (before.deadReason === 'compensation_failed') {
        throw new SweepmillError('STATE_CONFLICT', `The saga of task ${taskId} could not be undone and waits for a decision: \`sweepmill sagas resume ${taskId} --reason TEXT\`, or \`sagas skip\`.`, { details: { status: before.status } })
      }
      throw new SweepmillError('STATE_CONFLICT', `Task ${taskId} is ${before.status}; only a failed, cancelled or dead-lettered task can be retried.`, { details: { status: before.status } })
    }
    return this.#publish(record)
  }

  /** A row that is due, and whose entry is lost or was never there. */
  async #publish(record: TaskRecord): Promise<TaskView> {
    const { publisher, book } = this.#parts
    const { taskId, taskType, priority } = record
    await afterCommit(async () => {
      const [messageId] = await publisher.publish([{ taskId, taskType, priority, body: null, delayMs: 0 }])
      await book.markPublished([{ taskId, messageId: messageId ?? null }])
    })
    return taskView(record)
  }

  async queueStats(): Promise<QueueStatsView> {
    const { queue, fleet, pauses } = this.#parts
    const [depths, lengths, delayed, deadLetters, workers, paused] = await Promise.all([
      queue.depths(), queue.lengths(), queue.delayedCount(), queue.deadLetters.count(), fleet.incarnations(), pauses.paused(),
    ])
    const of = (priority: TaskPriority): { waiting: number; in_flight: number; paused: boolean } =>
      ({ waiting: depths[priority], in_flight: lengths[priority] - depths[priority], paused: paused.includes(priority) })
    return {
      priorities: Object.fromEntries(PRIORITIES.map((priority) => [priority, of(priority)])) as QueueStatsView['priorities'],
      delayed, dead_letters: deadLetters,
      workers: workers.filter((one) => !one.stopped && one.id !== this.#parts.onlooker).map((one) => ({
        id: one.id, worker_name: one.workerName, host: one.host, pid: one.pid, threads: one.threads, role: one.role, silent_ms: Math.round(one.silentMs),
      })),
    }
  }

  health(): Promise<Health> {
    return this.#parts.health()
  }

  ready(): Promise<boolean> {
    return this.#parts.ready()
  }

  async #record(taskId: string): Promise<TaskRecord> {
    const record = isTaskId(taskId) ? await this.#parts.desk.get(taskId) : null
    if (record === null) throw new SweepmillError('TASK_NOT_FOUND', `No task has the id ${taskId}. List them with \`sweepmill tasks list\`.`, { details: { task_id: taskId } })
    return record
  }
}

function notStartedOver({ taskId, taskType, status, attempt }: TaskRecord): SweepmillError {
  const why = taskType !== TaskType.OPTIMIZATION ? 'is no sweep, and keeps nothing that a retry would go on from; retry it without starting over'
    : status === 'pending' && attempt === 0 ? 'has not begun, so there is nothing to start over'
      : status === 'processing' ? 'is running; cancel it first, then retry it'
        : `is ${status}; only one that was begun and waits, or that failed, was cancelled or is a dead letter can start over`
  return new SweepmillError('STATE_CONFLICT', `Task ${taskId} ${why}.`, { details: { status } })
}
