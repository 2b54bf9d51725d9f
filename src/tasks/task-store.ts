/**
 * Ports: the truth about tasks. One implementation speaks Postgres (src/store).
 *
 * Every write of an attempt is fenced: it holds only while the row is `processing` with this very
 * attempt number. A refused write changes nothing and says so; it is counted, never retried.
 */
import type { ErrorData } from '../base/errors.js'
import type { Attempt, Checkpoint, NewTask, Outcome, Progress, TaskPriority, TaskStatus } from './task.js'
import type { PublishedTask } from './task-stream.js'

export type Inserted =
  | { readonly kind: 'created'; readonly taskId: string }
  | { readonly kind: 'existing'; readonly taskId: string }
  | { readonly kind: 'conflict'; readonly taskId: string }

export interface OpenRequest {
  readonly taskId: string
  readonly messageId: string
  readonly priority: TaskPriority
  readonly takenFrom: string | null
  /** True when the message carried no payload. */
  readonly needsData: boolean
}

/** What opening said of one delivery. Everything but `opened` must leave the stream. */
export type Opened =
  | { readonly kind: 'opened'; readonly attempt: Attempt }
  | { readonly kind: 'poison'; readonly attempts: number; readonly generation: number; readonly taskType: string }
  | { readonly kind: 'not_due'; readonly delayMs: number; readonly taskType: string }
  /** Final, or live under another entry: a duplicate. */
  | { readonly kind: 'stale' }
  /** No row: quarantine. */
  | { readonly kind: 'missing' }

export interface FinishRequest {
  readonly taskId: string
  readonly attempt: number
  readonly outcome: Outcome
}

/** Creating tasks. */
export interface TaskIntake {
  /** `atomic`: all rows or none. */
  insert(tasks: readonly NewTask[], atomic: boolean): Promise<Inserted[]>
  /** Pending rows without a message, by priority, counted up to `limit`: what waits for a Redis that is away. */
  unpublishedCounts(limit: number): Promise<Record<TaskPriority, number>>
}

export interface PublishedItem {
  readonly taskId: string
  /** Null: it waits in the delayed set. */
  readonly messageId: string | null
}

export interface UnpublishedTask {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly attempt: number
  /** Who computes it, or null for a pending one. */
  readonly owner: string | null
  readonly delayMs: number
}

/** Which live tasks have a message in Redis. Pages go by task id, from after `after`. */
export interface PublicationBook {
  markPublished(items: readonly PublishedItem[]): Promise<void>
  /** Rows without a message that are older than `olderThanMs`. */
  unpublished(olderThanMs: number, after: string | null, limit: number): Promise<UnpublishedTask[]>
  published(after: string | null, limit: number): Promise<PublishedTask[]>
  /** Redis does not have these (any more). Holds for rows that still name the same entry; returns how many. */
  markMissing(items: readonly PublishedItem[]): Promise<number>
  /** Unpublished processing rows whose owner is gone go back to pending; returns their ids. */
  takeBack(attempts: readonly { readonly taskId: string; readonly attempt: number }[]): Promise<string[]>
}

/** The life of attempts. */
export interface AttemptStore {
  open(requests: readonly OpenRequest[], owner: string): Promise<Opened[]>
  /** True where the fence stood and the outcome is committed. */
  finish(requests: readonly FinishRequest[]): Promise<boolean[]>
  checkpoint(taskId: string, attempt: number, step: string, dataJson: string): Promise<boolean>
  /** Returns how many were refused because a later attempt has the task. */
  progress(items: readonly { readonly taskId: string; readonly attempt: number; readonly progress: Progress }[]): Promise<number>
  quarantine(messageId: string, priority: TaskPriority, body: Uint8Array | null, reason: string): Promise<void>
}

/** The fleet: who is alive, and which running tasks somebody wants stopped. */
export interface Fleet {
  beat(incarnation: Incarnation): Promise<readonly string[]>
  leave(id: string): Promise<void>
  incarnations(): Promise<FleetMember[]>
}

export interface Incarnation {
  readonly id: string
  readonly workerName: string
  readonly host: string
  readonly pid: number
  /** Identifies the process beyond its pid: boot id, pid namespace and start time; null where the system cannot say. */
  readonly processKey: string | null
  readonly threads: number
  /** A session serves one task and takes nothing else; a worker serves the streams. */
  readonly role: 'worker' | 'session'
  /** What it computes with; null of a process of before this was noted. */
  readonly engine: string | null
  readonly stopped: boolean
}

/** `beats` counts and so identifies the last beat; `silentMs` is its age by Postgres's clock. */
export type FleetMember = Incarnation & { readonly beats: number; readonly silentMs: number }

/** Reading, and what operators do. */
export interface TaskDesk {
  get(taskId: string): Promise<TaskRecord | null>
  list(filter: TaskFilter): Promise<TaskRecord[]>
  findUnfinished(attachKey: string): Promise<string | null>
  checkpoints(taskId: string): Promise<Checkpoint[]>
  /** For somebody to look at: of many large ones only the first have their data. */
  listedCheckpoints(taskId: string): Promise<Checkpoint[]>
  /** The data of the latest one of this step, or null. */
  lastCheckpoint(taskId: string, step: string): Promise<unknown>
  events(taskId: string): Promise<TaskEventRecord[]>
  requestCancel(taskId: string): Promise<TaskRecord | null>
  /** Forgets what was computed of a sweep that waits or is over; false for any other. A redrive of what is over is the caller's. */
  startOver(taskId: string): Promise<boolean>
  redrive(taskId: string): Promise<TaskRecord | null>
}

export interface TaskFilter {
  readonly status?: TaskStatus | undefined
  readonly type?: string | undefined
  readonly userId?: string | undefined
  readonly limit?: number | undefined
  /** Only tasks created before this ISO time. */
  readonly before?: string | undefined
  /** The last task of the page before: only tasks after it. */
  readonly after?: { readonly createdAt: string; readonly taskId: string } | undefined
  /** A part of the name, in small or capital letters. */
  readonly name?: string | undefined
  /** Tasks that have all of these. */
  readonly tags?: readonly string[] | undefined
}

export interface TaskRecord {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly status: TaskStatus
  readonly data: Readonly<Record<string, unknown>>
  readonly name: string | null
  readonly tags: readonly string[]
  readonly userId: string | null
  readonly ipAddress: string | null
  readonly timeoutSeconds: number
  readonly maxRetries: number
  readonly retryCount: number
  readonly attempt: number
  readonly generation: number
  readonly crashes: number
  readonly owner: string | null
  readonly messageId: string | null
  readonly published: boolean
  readonly result: unknown
  readonly error: ErrorData | null
  readonly deadReason: string | null
  readonly progress: Progress | null
  /** In a list: which of `data`, `result` and `error` are not whole. */
  readonly truncated?: readonly string[]
  readonly createdAt: string
  readonly notBefore: string | null
  readonly deadlineAt: string | null
  readonly startedAt: string | null
  readonly completedAt: string | null
  readonly processingTimeMs: number | null
}

export interface TaskEventRecord {
  readonly at: string
  readonly event: string
  readonly fromStatus: TaskStatus | null
  readonly toStatus: TaskStatus | null
  readonly attempt: number
  readonly generation: number
  readonly worker: string | null
  readonly detail: unknown
}
