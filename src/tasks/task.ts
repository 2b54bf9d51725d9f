/**
 * A task: one unit of accepted work, its states, and the one table of legal transitions.
 *
 * Postgres holds the truth of a task; Redis only delivers it. `attempt` is the fence: it grows by one
 * at every start and every write of an attempt must carry it. `generation` counts how often a finished
 * task was started over by an operator; exactly one final state exists per generation.
 */
import { SweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'

export const TaskPriority = { HIGH: 'high', MEDIUM: 'medium', LOW: 'low' } as const
export type TaskPriority = (typeof TaskPriority)[keyof typeof TaskPriority]

/** Highest first: the order in which everything that respects priority looks. */
export const PRIORITIES: readonly TaskPriority[] = ['high', 'medium', 'low']

/** Shares of threads and picks by priority, such as 8 to 4 to 1. */
export type PriorityWeights = Readonly<Record<TaskPriority, number>>

export const TaskType = {
  BACKTEST: 'backtest_workflow',
  OPTIMIZATION: 'optimization_workflow',
  DATA_SYNC: 'data_sync',
  CLEANUP: 'cleanup',
} as const
export type TaskType = (typeof TaskType)[keyof typeof TaskType]

export type TaskStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'dead_letter' | 'cancelled'

export const FINAL_STATUSES: readonly TaskStatus[] = ['completed', 'failed', 'dead_letter', 'cancelled']

/** The state that a caller names. `queued` is what the reply to a submitted task says of one that is pending. */
export function statusNamed(text: string): TaskStatus | undefined {
  const name = text.toLowerCase()
  return name === QUEUED ? 'pending' : (Object.keys(LEGAL_TRANSITIONS) as TaskStatus[]).find((status) => status === name)
}

export const QUEUED = 'queued'

/** What a filter by state takes. */
export const STATUS_NAMES: readonly string[] = ['pending', 'processing', 'completed', 'failed', 'dead_letter', 'cancelled', QUEUED]

export function isFinal(status: TaskStatus): boolean {
  return FINAL_STATUSES.includes(status)
}

/**
 * From → to. `processing → pending` is a retry, a hand-back or a lost lease; a final state leaves only
 * by an operator's redrive, which starts the next generation.
 */
export const LEGAL_TRANSITIONS: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  pending: ['processing', 'cancelled', 'dead_letter'],
  processing: ['completed', 'failed', 'dead_letter', 'cancelled', 'pending'],
  completed: [],
  failed: ['pending'],
  dead_letter: ['pending'],
  cancelled: ['pending'],
}

export function assertTransition(from: TaskStatus, to: TaskStatus): void {
  if (!LEGAL_TRANSITIONS[from].includes(to)) {
    throw new SweepmillError('STATE_CONFLICT', `A task cannot go from ${from} to ${to}.`, { details: { from, to } })
  }
}

/** What a caller hands in to create a task. Times in milliseconds, `timeoutSeconds` without progress. */
export interface NewTask {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly data: Readonly<Record<string, unknown>>
  /** What people call it, and find it by; null and none where nobody said. */
  readonly name: string | null
  readonly tags: readonly string[]
  readonly userId: string | null
  readonly ipAddress: string | null
  readonly timeoutSeconds: number
  readonly maxRetries: number
  readonly idempotencyKey: string | null
  /** ISO 8601 time before which the task must not start, or null. */
  readonly notBefore: string | null
  /** ISO 8601. If it has not finished by then, it fails permanently. Null: no such time. */
  readonly deadlineAt: string | null
  /** SHA-256 of the canonical payload: tells a repeat from a conflict under one idempotency key. */
  readonly payloadHash: string
  /** Groups equal work, so that a second submit can attach to an unfinished sweep. Null: never attach. */
  readonly attachKey: string | null
}

/** One started attempt, as its owner sees it. */
export interface Attempt {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly messageId: string
  readonly attempt: number
  readonly generation: number
  readonly retryCount: number
  readonly maxRetries: number
  readonly timeoutSeconds: number
  /** Milliseconds that were left to its deadline when it was opened, by Postgres's clock; null without one. */
  readonly deadlineMs: number | null
  readonly userId: string | null
  readonly ipAddress: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** How an attempt ended. `result` is JSON text that nobody on the main thread decodes. */
export type Outcome = (
  | { readonly kind: 'completed'; readonly resultJson: string | null; readonly sweep?: SweepOutcome }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'retry'; readonly error: ErrorData; readonly delayMs: number }
  | { readonly kind: 'dead_letter'; readonly reason: DeadLetterReason; readonly error: ErrorData }
  | { readonly kind: 'cancelled' }
  /** Handed back without counting: shutdown, or a worker that lacks what the task needs. */
  | { readonly kind: 'released'; readonly why: string; readonly delayMs: number; /** The task shows `why` while it is pending. */ readonly waits?: true }
) & {
  /**
   * The saga's run is undone, and ends with the task's state in one transaction: in between a crash would leave an ended run
   * whose failure nobody had heard of, and the next attempt would go forward again.
   */
  readonly sagaUndone?: true
}

/** What the pivot of a sweep commits beside the result. `topJson` is a JSON array of trials. */
export interface SweepOutcome {
  readonly trials: number
  readonly resultHash: string
  readonly topJson: string
}

export const DEAD_LETTER_REASONS = ['retries_exhausted', 'poison', 'undecodable', 'compensation_failed', 'moved_by_caller'] as const
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** A checkpoint as the API serves it. */
export interface Checkpoint {
  readonly step: string
  readonly data: unknown
  readonly timestamp: string
  /** In a list: true where its data was left out, because those before it are that large. */
  readonly truncated?: boolean
}

/** Progress of a running attempt: `done` of `total` units of `step`. */
export interface Progress {
  readonly step: string
  readonly done: number
  readonly total: number
  /** What it waits for, where it does. */
  readonly waits?: string
}

/** How a task is run again. */
export interface RetryOptions {
  readonly startOver?: boolean | undefined
}

export const TASK_DEFAULTS = { timeoutSeconds: 300, maxRetries: 3 } as const

/** The priority of a task whose caller names none. */
export function defaultPriority(taskType: string, scheduled: boolean): TaskPriority {
  if (taskType === TaskType.BACKTEST) return scheduled ? 'medium' : 'high'
  if (taskType === TaskType.DATA_SYNC) return 'medium'
  return 'low'
}
