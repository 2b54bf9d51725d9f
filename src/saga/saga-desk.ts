/** Port: looking at sagas, and what an operator does with one that is parked. Every decision leaves a row of history with its reason. */
import type { ErrorData } from '../base/errors.js'
import type { SagaRunStatus, SagaStepStatus } from './saga-log.js'

export interface SagaStepRecord {
  readonly step: string
  readonly undo: boolean
  readonly status: SagaStepStatus
  readonly attempt: number
  readonly error: ErrorData | null
  readonly startedAt: string
  readonly finishedAt: string | null
}

export interface SagaRecord {
  readonly taskId: string
  readonly run: number
  readonly sagaType: string
  readonly version: number
  readonly status: SagaRunStatus
  readonly attempt: number
  readonly startedAt: string
  readonly finishedAt: string | null
  /** In the order in which they began. */
  readonly steps: readonly SagaStepRecord[]
}

export interface SagaFilter {
  readonly taskId?: string | undefined
  readonly status?: SagaRunStatus | undefined
  readonly type?: string | undefined
  readonly limit?: number | undefined
}

export interface OperatorDecision {
  readonly reason: string
  /** Who decided. */
  readonly userId: string | null
}

export interface SagaDesk {
  /** Latest first. */
  list(filter: SagaFilter): Promise<readonly SagaRecord[]>
  /** The parked run of a task that is over may be undone further. False when it is not parked any more. */
  reopen(taskId: string, run: number, decision: OperatorDecision): Promise<boolean>
  /** The undo of `step` is not to be done. `isLast`: nothing else is to undo either. False when it is not parked any more. */
  skip(taskId: string, run: number, step: string, isLast: boolean, decision: OperatorDecision): Promise<boolean>
}
