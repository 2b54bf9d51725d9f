/**
 * Port: the durable log of saga runs. A write is fenced twice: by the attempt, so that a late owner changes nothing, and by
 * the run's row version, so that two orchestrators of one attempt cannot both advance it. A refused write throws LEASE_LOST.
 */
import type { ErrorData } from '../base/errors.js'
import type { SAGA_STATUSES } from '../tasks/backend.js'
import type { StepOutput } from './saga-step.js'

export type SagaRunStatus = (typeof SAGA_STATUSES)[number]

/** `skipped`: an operator said that this undo is not to be done. */
export type SagaStepStatus = 'started' | 'finished' | 'failed' | 'skipped'

export interface SagaRef {
  readonly taskId: string
  readonly attempt: number
  /** A crash resumes the run; a retry after compensation begins the next. */
  readonly run: number
}

export interface LoggedStep {
  readonly step: string
  readonly undo: boolean
  readonly status: SagaStepStatus
  readonly inputHash: string | null
  readonly output: StepOutput | null
  readonly error: ErrorData | null
}

export interface BegunRun {
  readonly ref: SagaRef
  readonly version: number
  readonly rowVersion: number
  readonly status: SagaRunStatus
  readonly steps: readonly LoggedStep[]
}

export interface StepWrite {
  readonly step: string
  readonly undo: boolean
  readonly seq: number
  readonly status: 'started' | 'finished' | 'failed'
  readonly inputHash?: string
  readonly output?: StepOutput
  readonly error?: ErrorData
}

export interface AuditWrite {
  readonly event: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** One atomic advance of a run: the end of one step and the intent of the next travel together. */
export interface SagaWrite {
  readonly ref: SagaRef
  /** What the run's row must say; the write makes it one more. */
  readonly rowVersion: number
  readonly runStatus?: SagaRunStatus
  readonly steps: readonly StepWrite[]
  readonly checkpoint?: { readonly step: string; readonly data: Readonly<Record<string, unknown>> }
  readonly audit: readonly AuditWrite[]
}

export interface SagaLog {
  /** Resumes the task's open run with the version that began it, else begins the next run with `version`. */
  begin(taskId: string, attempt: number, sagaType: string, version: number): Promise<BegunRun>
  write(write: SagaWrite): Promise<void>
}
