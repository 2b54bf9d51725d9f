/**
 * Dead letters: tasks that were given up, with everything an operator needs to judge them.
 *
 * The truth is the task's row; the stream `tasks:dlq` is a projection of it, written after the row was committed.
 */
import type { ErrorData } from '../base/errors.js'
import type { TaskPriority } from './task.js'

export interface DeadLetterRecord {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly userId: string | null
  /** Why it was given up: see `DeadLetterReason`. */
  readonly reason: string
  /** The last error, with its stack where there is one. */
  readonly error: ErrorData
  /** Attempts over all generations. */
  readonly attempts: number
  readonly generation: number
  /** SHA-256 of type and payload: equal letters failed on equal input. */
  readonly inputHash: string
  /** The stream entry that was delivered last. */
  readonly messageId: string | null
  readonly createdAt: string
  /** Of this generation. */
  readonly firstFailureAt: string
  readonly lastFailureAt: string
}

export interface DeadLetterFilter {
  readonly taskIds?: readonly string[] | undefined
  readonly type?: string | undefined
  readonly reason?: string | undefined
  readonly userId?: string | undefined
  /** Given up at or after, before: ISO times. */
  readonly since?: string | undefined
  readonly before?: string | undefined
  readonly limit?: number | undefined
  /** Goes on after this letter of an earlier list. */
  readonly after?: Pick<DeadLetterRecord, 'lastFailureAt' | 'taskId'> | undefined
}

/** Put aside at or after, before; 50 where no limit is given. */
export type QuarantineFilter = Pick<DeadLetterFilter, 'since' | 'before' | 'limit'>

/** An entry that no task could be made of: its bytes do not decode, or no row has its id. */
export interface QuarantinedEntry {
  readonly quarantineId: number
  readonly messageId: string
  readonly priority: TaskPriority
  readonly reason: string
  /** Of the body; 0 where the entry had none. */
  readonly sizeBytes: number
  /** The body's beginning, at most 1 KiB. */
  readonly head: Uint8Array
  readonly createdAt: string
}

export interface DeadLetterDesk {
  /** Latest failure first, to the millisecond that is shown; 50 where no limit is given. */
  list(filter: DeadLetterFilter): Promise<DeadLetterRecord[]>
  /** Of these, the ones that still are dead letters start their next generation; returned as tasks to publish. */
  redrive(taskIds: readonly string[]): Promise<{ readonly taskId: string; readonly taskType: string; readonly priority: TaskPriority }[]>
  /** Deletes these tasks with all that belongs to them, except their history; returns the ids deleted. */
  purge(taskIds: readonly string[]): Promise<string[]>
  /** Latest first. */
  quarantined(filter: QuarantineFilter): Promise<QuarantinedEntry[]>
}
