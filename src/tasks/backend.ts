/**
 * Ports: what the two faces (HTTP and the command line) ask of the runtime. src/runtime implements them.
 *
 * Views are the JSON that leaves the program: snake_case, times ISO 8601 UTC. Every method rejects with
 * a SweepmillError; nothing here knows of streams, fences or SQL.
 */
import type { ErrorData } from '../base/errors.js'
import type { ByteSink, TableFormat } from '../base/table-format.js'
import type { DeadLetterFilter, QuarantineFilter } from './dead-letters.js'
import type { SeriesDesk } from './bar-series.js'
import type { TaskFilter } from './task-store.js'
import type { ParamRange } from '../engine/strategies/strategy.js'
import type { StrategyDraft } from './strategy-book.js'
import type { PauseBook } from './pause-book.js'
import type { Checkpoint, Progress, RetryOptions, TaskPriority, TaskStatus, TaskType } from './task.js'

export interface SubmitRequest {
  readonly taskType: TaskType
  /** The flat snake_case spec as it came in, not yet parsed. */
  readonly data: Readonly<Record<string, unknown>>
  readonly priority?: TaskPriority | undefined
  /** What people call the task. */
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly userId?: string | undefined
  readonly ipAddress?: string | undefined
  readonly timeoutSeconds?: number | undefined
  readonly maxRetries?: number | undefined
  readonly idempotencyKey?: string | undefined
  /** ISO 8601 with a zone, both. */
  readonly notBefore?: string | undefined
  readonly deadlineAt?: string | undefined
  /** Folders in which a file of the spec must lie. Null: anywhere, relative to the working directory. */
  readonly roots: readonly string[] | null
  /** True: attach to no unfinished sweep and reuse no trial. */
  readonly fresh?: boolean | undefined
}

export interface Submitted {
  readonly taskId: string
  /** False: this call attached to, or repeated, a task that existed. */
  readonly created: boolean
}

export interface TaskView {
  readonly task_id: string
  readonly task_type: string
  readonly priority: TaskPriority
  readonly status: TaskStatus
  readonly name: string | null
  readonly tags: readonly string[]
  readonly user_id: string | null
  readonly ip_address: string | null
  readonly data: Readonly<Record<string, unknown>>
  /** JSON, at most 64 KiB; null until the task is completed. */
  readonly result: unknown
  readonly error: ErrorData | null
  readonly attempt: number
  readonly retry_count: number
  readonly max_retries: number
  /** Seconds without progress. */
  readonly timeout: number
  readonly generation: number
  readonly created_at: string
  /** It must not start earlier: asked for by the caller, or set by a retry. */
  readonly not_before: string | null
  /** If it has not finished by then, it fails permanently. */
  readonly deadline_at: string | null
  readonly started_at: string | null
  readonly completed_at: string | null
  readonly processing_time_ms: number | null
  readonly progress: Progress | null
  /** In a list: which of `data`, `result` and `error` are not whole. GET /api/tasks/:id has them. */
  readonly truncated?: readonly string[]
}
export type TaskQuery = TaskFilter

export interface TaskEventView {
  readonly at: string
  readonly event: string
  readonly from_status: TaskStatus | null
  readonly to_status: TaskStatus | null
  readonly attempt: number
  readonly generation: number
  readonly worker: string | null
  readonly detail: unknown
}

/** What a waiting caller is told while the task is on its way. */
export interface ProgressView extends Progress {
  readonly status: TaskStatus
  /** Null where the threads belong to another process. */
  readonly threads: { readonly total: number; readonly busy: number } | null
}

export interface QueueStatsView {
  readonly priorities: Readonly<Record<TaskPriority, {
    /** In the stream, in nobody's hands. */
    readonly waiting: number
    /** In a worker's hands. */
    readonly in_flight: number
    /** Nobody picks it until it is resumed. */
    readonly paused: boolean
  }>>
  readonly delayed: number
  readonly dead_letters: number
  readonly workers: readonly {
    readonly id: string
    readonly worker_name: string
    readonly host: string
    readonly pid: number
    readonly threads: number
    readonly role: 'worker' | 'session'
    readonly silent_ms: number
  }[]
}

/** `ranking` is the JSON of a sweep's whole result: its `top` is not cut. */
export type ArtifactKind = 'trades' | 'equity' | 'report' | 'ranking'

/** Starting and steering tasks. */
export interface TaskControl {
  /** Validates the spec, pins its data, writes the row, publishes. The first three may refuse, and end with `signal.reason` when that aborts. */
  submit(request: SubmitRequest, signal?: AbortSignal): Promise<Submitted>
  /** Until the task is final. Rejects with `signal.reason` once that aborts; the task goes on. */
  wait(taskId: string, onProgress?: (view: ProgressView) => void, signal?: AbortSignal): Promise<TaskView>
  /** TASK_NOT_FOUND; STATE_CONFLICT where the task is final. */
  cancel(taskId: string): Promise<TaskView>
  /**
   * Starts the next generation of a task that is final. TASK_NOT_FOUND, STATE_CONFLICT. A sweep goes on from the rows that it has;
   * with `startOver` they are forgotten first, also of one that was begun and waits.
   */
  retry(taskId: string, options?: RetryOptions): Promise<TaskView>
}

/** Looking at tasks. All of one task reject with TASK_NOT_FOUND. */
export interface TaskReader {
  task(taskId: string): Promise<TaskView>
  /** Newest first. */
  tasks(query: TaskQuery): Promise<readonly TaskView[]>
  events(taskId: string): Promise<readonly TaskEventView[]>
  /** Oldest first. */
  checkpoints(taskId: string): Promise<readonly Checkpoint[]>
  artifact(taskId: string, kind: ArtifactKind): Promise<Uint8Array | null>
  /** Trades or equity as a table; false where a task has none. `write` applies back-pressure. */
  exportTable(taskId: string, kind: 'trades' | 'equity', format: TableFormat, write: ByteSink): Promise<boolean>
  /** All trials in index order, as CSV where no format is named; `write` applies back-pressure. */
  exportTrials(taskId: string, write: ByteSink, format?: TableFormat): Promise<void>
}

export interface DeadLetterView {
  readonly task_id: string
  readonly task_type: string
  readonly priority: TaskPriority
  readonly user_id: string | null
  readonly reason: string
  readonly error: ErrorData
  readonly attempts: number
  readonly generation: number
  readonly input_hash: string
  readonly message_id: string | null
  readonly created_at: string
  readonly first_failure_at: string
  readonly last_failure_at: string
}

export interface QuarantineView {
  readonly quarantine_id: number
  readonly message_id: string
  readonly priority: TaskPriority
  readonly reason: string
  readonly size_bytes: number
  /** The beginning of the bytes, at most 1 KiB. */
  readonly head_base64: string
  readonly created_at: string
}

/** What an operator does with tasks that were given up. A dry run changes nothing and returns what would change. */
export interface DeadLetters {
  /** Latest failure first. */
  list(filter: DeadLetterFilter): Promise<readonly DeadLetterView[]>
  /** Starts the next generation of each; returns the ids. */
  redrive(filter: DeadLetterFilter, dryRun: boolean): Promise<readonly string[]>
  /** Deletes the tasks with all that belongs to them but their history; returns the ids. */
  purge(filter: DeadLetterFilter, dryRun: boolean): Promise<readonly string[]>
  /** Entries that no task could be made of, latest first. */
  quarantine(filter: QuarantineFilter): Promise<readonly QuarantineView[]>
}

export interface ScheduleTimes {
  readonly cron: string
  /** IANA name. */
  readonly timeZone: string
}

export interface ScheduleView {
  readonly name: string
  readonly cron: string
  readonly time_zone: string
  readonly task_type: string
  readonly priority: TaskPriority
  readonly enabled: boolean
  /** Null while paused. */
  readonly next_fire_at: string | null
  readonly last_fire_at: string | null
  readonly last_task_id: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** Tasks that are made again and again. SCHEDULE_NOT_FOUND where there is none of the name. */
export interface Schedules {
  /** SPEC_INVALID; STATE_CONFLICT where the name is taken. */
  add(name: string, times: ScheduleTimes, request: SubmitRequest): Promise<ScheduleView>
  list(): Promise<readonly ScheduleView[]>
  remove(name: string): Promise<void>
  setEnabled(name: string, enabled: boolean): Promise<void>
}

export const SAGA_STATUSES = ['running', 'completed', 'compensating', 'compensated', 'compensation_failed'] as const

export interface SagaView {
  readonly task_id: string
  readonly run: number
  readonly saga_type: string
  readonly version: number
  readonly status: string
  readonly attempt: number
  readonly started_at: string
  readonly finished_at: string | null
  /** Forward in order, then the way back in order. `undo`: the step's compensation. */
  readonly steps: readonly {
    readonly step: string
    readonly undo: boolean
    readonly status: string
    readonly attempt: number
    readonly error: ErrorData | null
    readonly started_at: string
    readonly finished_at: string | null
  }[]
}

export interface SagaQuery {
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly limit?: number | undefined
}

/** How tasks went step by step. TASK_NOT_FOUND without a saga; STATE_CONFLICT where nothing waits for a decision. */
export interface Sagas {
  /** Latest first. */
  list(query: SagaQuery): Promise<readonly SagaView[]>
  /** The runs of one task, earliest first; none when it has not started. */
  ofTask(taskId: string): Promise<readonly SagaView[]>
  /** The undo that failed is tried again, with its whole budget. */
  resume(taskId: string, decision: { readonly reason: string; readonly userId: string | null }): Promise<SagaView>
  /** The undo that failed is left out; what else is to undo is undone. */
  skip(taskId: string, decision: { readonly reason: string; readonly userId: string | null }): Promise<SagaView>
}

export interface StrategyRequest {
  /** A built-in's name, or a file. */
  readonly strategy: string
  readonly params: Readonly<Record<string, unknown>>
  /** What to store it as; absent: as it calls itself. */
  readonly name?: string | undefined
}

export interface StrategyView {
  readonly strategy_id: number
  readonly name: string
  /** What it is made of: a built-in, or the name in its source. */
  readonly strategy: string
  readonly version: number
  readonly params: Readonly<Record<string, number>>
  readonly source_hash: string | null
  readonly created_at: string
}

export interface StrategiesView {
  readonly built_in: readonly { readonly name: string; readonly params: Readonly<Record<string, ParamRange>> }[]
  readonly stored: readonly StrategyView[]
}

/** The latest version of a name, or the one of an id. One that is only built in has no id, version or time. */
export interface StrategyDetailView extends Omit<StrategyView, 'strategy_id' | 'version' | 'created_at'> {
  readonly strategy_id: number | null
  readonly version: number | null
  readonly created_at: string | null
  /** Null where the code is gone. */
  readonly ranges: Readonly<Record<string, ParamRange>> | null
  /** All of the name, latest first. */
  readonly versions: readonly StrategyView[]
}

/** Strategies by number. */
export interface Strategies {
  list(): Promise<StrategiesView>
  /** The same content under the same name is the same id; `created` is false then. */
  add(draft: StrategyDraft): Promise<StrategyView & { readonly created: boolean }>
  /** STRATEGY_UNKNOWN, with the names that are near. */
  show(idOrName: string): Promise<StrategyDetailView>
}

/** Looking at the fleet. `Health` is the report's shape, which this layer does not know. */
export interface FleetView<Health> {
  queueStats(): Promise<QueueStatsView>
  health(): Promise<Health>
  /** True while new work is accepted and started. */
  ready(): Promise<boolean>
}

export interface Backend<Health> extends TaskControl, TaskReader, FleetView<Health> {
  readonly deadLetters: DeadLetters
  readonly schedules: Schedules
  readonly sagas: Sagas
  readonly series: SeriesDesk
  readonly strategies: Strategies
  readonly pauses: PauseBook
}
