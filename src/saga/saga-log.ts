/** Port: the durable log of saga runs. Every write is fenced by the attempt; a refused write throws LEASE_LOST. */
import type { ErrorData } from '../base/errors.js'
import type { StepOutput } from './saga-step.js'

export type SagaRunStatus = 'running' | 'completed' | 'compensating' | 'compensated' | 'compensation_failed'

export interface SagaRef {
  readonly taskId: string
  readonly attempt: number
  /** A crash resumes the run; a retry after compensation begins the next. */
  readonly run: number
}

export interface LoggedStep {
  readonly step: string
  readonly undo: boolean
  readonly status: 'started' | 'finished' | 'failed'
  readonly output: StepOutput | null
  readonly error: ErrorData | null
}

export interface BegunRun {
  readonly ref: SagaRef
  readonly version: number
  readonly status: SagaRunStatus
  readonly steps: readonly LoggedStep[]
}

export interface StepWrite {
  readonly step: string
  readonly undo: boolean
  readonly seq: number
  readonly status: 'started' | 'finished' | 'failed'
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
  readonly runStatus?: SagaRunStatus
  readonly steps: readonly StepWrite[]
  readonly checkpoint?: { readonly step: string; readonly data: Readonly<Record<string, unknown>> }
  readonly audit: readonly AuditWrite[]
}

export interface SagaLog {
  begin(taskId: string, attempt: number, sagaType: string, version: number): Promise<BegunRun>
  write(write: SagaWrite): Promise<void>
}
