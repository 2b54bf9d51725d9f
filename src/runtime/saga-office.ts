/**
 * What an operator does with sagas: look, and decide about one whose undo failed for good. A decision changes the log first;
 * the task is then started over, and its next attempt goes on with the way back.
 */
import { SweepmillError } from '../base/errors.js'
import { stepsToUndo } from '../saga/compensation.js'
import type { OperatorDecision, SagaDesk, SagaRecord } from '../saga/saga-desk.js'
import type { SagaRunStatus } from '../saga/saga-log.js'
import type { Sagas, SagaQuery, SagaView } from '../tasks/backend.js'
import type { WorkflowCatalog } from '../workflows/workflow-catalog.js'

export interface SagaOfficeParts {
  readonly desk: SagaDesk
  readonly workflows: WorkflowCatalog
  /** Starts the next generation of a task that is over. */
  readonly redrive: (taskId: string) => Promise<unknown>
}

export class SagaOffice implements Sagas {
  readonly #parts: SagaOfficeParts

  constructor(parts: SagaOfficeParts) {
    this.#parts = parts
  }

  async list({ status, type, limit }: SagaQuery): Promise<readonly SagaView[]> {
    return (await this.#parts.desk.list({ status: status as SagaRunStatus | undefined, type, limit })).map(toView)
  }

  async ofTask(taskId: string): Promise<readonly SagaView[]> {
    return (await this.#parts.desk.list({ taskId, limit: 1000 })).map(toView).toReversed()
  }

  async resume(taskId: string, decision: OperatorDecision): Promise<SagaView> {
    const saga = await this.#latest(taskId)
    // A decision that this process did not live to carry out leaves the run compensating and the task over.
    if (saga.status !== 'compensation_failed' && saga.status !== 'compensating') throw notParked(saga)
    if (!await this.#parts.desk.reopen(taskId, saga.run, decision)) throw notParked(saga)
    await this.#parts.redrive(taskId)
    return toView(await this.#latest(taskId))
  }

  async skip(taskId: string, decision: OperatorDecision): Promise<SagaView> {
    const { desk, workflows, redrive } = this.#parts
    const saga = await this.#latest(taskId)
    const failed = saga.steps.find((step) => step.undo && step.status === 'failed')
    if (saga.status !== 'compensation_failed' || failed === undefined) throw notParked(saga)
    const { definition } = workflows.version(saga.sagaType, saga.version)
    const isLast = stepsToUndo(definition, saga.steps).every((step) => step.name === failed.step)
    if (!await desk.skip(taskId, saga.run, failed.step, isLast, decision)) throw notParked(saga)
    if (!isLast) await redrive(taskId)
    return toView(await this.#latest(taskId))
  }

  async #latest(taskId: string): Promise<SagaRecord> {
    const [saga] = await this.#parts.desk.list({ taskId, limit: 1 })
    if (saga === undefined) throw new SweepmillError('TASK_NOT_FOUND', `No saga belongs to a task ${taskId}. List them with \`sweepmill sagas list\`.`, { details: { task_id: taskId } })
    return saga
  }
}

function notParked(saga: SagaRecord): SweepmillError {
  return new SweepmillError('STATE_CONFLICT', `The saga of task ${saga.taskId} is ${saga.status}; only one whose compensation failed waits for a decision. List them with \`sweepmill sagas list --status compensation_failed\`.`, { details: { status: saga.status } })
}

function toView(saga: SagaRecord): SagaView {
  return {
    task_id: saga.taskId, run: saga.run, saga_type: saga.sagaType, version: saga.version, status: saga.status, attempt: saga.attempt,
    started_at: saga.startedAt, finished_at: saga.finishedAt,
    steps: saga.steps.map((step) => ({
      step: step.step, undo: step.undo, status: step.status, attempt: step.attempt, error: step.error, started_at: step.startedAt, finished_at: step.finishedAt,
    })),
  }
}
