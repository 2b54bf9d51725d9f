/**
 * Runs one saga of one attempt: forward, or once a step failed, backward.
 *
 * States of a run: running → completed, or running → compensating → compensated | compensation_failed.
 * The intent of a step is logged before it runs, so after a crash the log names every step whose outcome
 * is unknown; those are compensated too. A run that is compensating never goes forward again. Losing the
 * lease and handing back are not failures: nothing is written and the next attempt resumes the run.
 */
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { AuditWrite, BegunRun, LoggedStep, SagaLog, SagaRef } from './saga-log.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import type { SagaConfig, SagaDefinition, SagaStep, StepOutput } from './saga-step.js'

export interface SagaObserver {
  started(sagaType: string): void
  stepExecuted(sagaType: string, step: string): void
  completed(sagaType: string): void
  compensated(sagaType: string): void
  failed(sagaType: string): void
  compensationFailed(sagaType: string): void
}

/** How often an undo is tried before the saga waits for an operator, and the first pause between tries. */
export interface UndoBudget {
  readonly tries: number
  readonly pauseMs: number
}

export interface SagaParts {
  readonly log: SagaLog
  readonly clock: Clock
  readonly undoBudget: UndoBudget
  readonly observer?: SagaObserver
  readonly waypoint?: PassWaypoint
}

/** Errors that mean "stop and leave the run as it is": somebody else, or a later attempt, goes on. */
function leavesRunOpen(error: SweepmillError): boolean {
  return error.code === 'LEASE_LOST' || error.code === 'NOT_RESOLVABLE' || error.code === 'WORKER_STOPPING'
}

export class SagaOrchestrator {
  readonly #config: SagaConfig
  readonly #parts: SagaParts

  constructor(config: SagaConfig, parts: SagaParts) {
    this.#config = config
    this.#parts = parts
  }

  /**
   * Runs `definition` to its end. Throws the step's error after compensation, or COMPENSATION_FAILED when an
   * undo exhausted its budget. The pivot's own commit ends the run in the log (one transaction with the result).
   */
  async execute<Context>(definition: SagaDefinition<Context>, context: Context, taskId: string, attempt: number): Promise<void> {
    const begun = await this.#parts.log.begin(taskId, attempt, definition.type, definition.version)
    if (begun.version !== definition.version) {
      throw new SweepmillError('NOT_RESOLVABLE', `The saga of task ${taskId} was begun by version ${begun.version} of ${definition.type}; this worker has version ${definition.version}.`)
    }
    if (begun.status === 'compensating') {
      const cause = begun.steps.find((step) => step.status === 'failed' && !step.undo)?.error
      await this.#compensate(definition, context, begun.ref, begun.steps)
      throw SweepmillError.fromData(cause ?? { code: 'THREAD_LOST', message: 'The process ended while the saga was being undone.' })
    }
    await this.#forward(definition, context, begun)
  }

  async #forward<Context>(definition: SagaDefinition<Context>, context: Context, begun: BegunRun): Promise<void> {
    const { log, observer } = this.#parts
    const { ref } = begun
    const logged = new Map(begun.steps.filter((step) => !step.undo).map((step) => [step.step, step]))
    const steps: LoggedStep[] = [...logged.values()]
    if (steps.length === 0 && this.#config.enableMetrics) observer?.started(definition.type)
    let ended: { step: SagaStep<Context>; seq: number; output: StepOutput } | null = null

    for (const [seq, step] of definition.steps.entries()) {
      const before = logged.get(step.name)
      if (before?.status === 'finished') {
        await step.resume?.(context, before.output ?? 'null')
        continue
      }
      const audit: AuditWrite[] = []
      if (steps.length === 0) audit.push(this.#audit('saga_start', { saga_type: definition.type, version: definition.version }))
      if (ended !== null) audit.push(this.#audit('step_complete', { step: ended.step.name }))
      audit.push(this.#audit('step_start', { step: step.name }))
      await log.write({
        ref,
        steps: [
          ...(ended === null ? [] : [{ step: ended.step.name, undo: false, seq: ended.seq, status: 'finished' as const, output: ended.output }]),
          { step: step.name, undo: false, seq, status: 'started' },
        ],
        ...(ended === null ? {} : { checkpoint: checkpointOf(definition, ended.step.name, ended.seq) }),
        audit: this.#config.enableAuditLog ? audit : [],
      })
      if (ended !== null) this.#parts.waypoint?.('checkpointed', ref.taskId)
      this.#parts.waypoint?.('step_started', ref.taskId)
      steps.push({ step: step.name, undo: false, status: 'started', output: null, error: null })
      try {
        ended = { step, seq, output: await step.run(context) }
      } catch (thrown) {
        const error = toSweepmillError(thrown, 'COMPUTE_FAILED')
        if (leavesRunOpen(error)) throw error
        await this.#fail(definition, context, ref, steps, step, seq, error)
        throw error
      }
      if (this.#config.enableMetrics) observer?.stepExecuted(definition.type, step.name)
    }
    // The pivot committed its own end; only a saga that ends otherwise closes its run here.
    if (ended !== null && ended.step.kind !== 'pivot') {
      await log.write({
        ref, runStatus: 'completed',
        steps: [{ step: ended.step.name, undo: false, seq: ended.seq, status: 'finished', output: ended.output }],
        audit: this.#config.enableAuditLog ? [this.#audit('step_complete', { step: ended.step.name }), this.#audit('saga_complete', {})] : [],
      })
    }
    if (this.#config.enableMetrics) observer?.completed(definition.type)
  }

  async #fail<Context>(definition: SagaDefinition<Context>, context: Context, ref: SagaRef, steps: readonly LoggedStep[],
    step: SagaStep<Context>, seq: number, error: SweepmillError): Promise<void> {
    const data = error.toData()
    if (this.#config.enableMetrics) this.#parts.observer?.failed(definition.type)
    await this.#parts.log.write({
      ref, runStatus: 'compensating',
      steps: [{ step: step.name, undo: false, seq, status: 'failed', error: data }],
      audit: this.#config.enableAuditLog ? [this.#audit('step_failed', { step: step.name, code: data.code, message: data.message })] : [],
    })
    await this.#compensate(definition, context, ref, steps)
  }

  /** Undoes in reverse order every step that may have taken effect and is not undone yet. */
  async #compensate<Context>(definition: SagaDefinition<Context>, context: Context, ref: SagaRef, steps: readonly LoggedStep[]): Promise<void> {
    const { log, observer } = this.#parts
    const touched = new Map(steps.filter((step) => !step.undo).map((step) => [step.step, step]))
    const undone = new Set(steps.filter((step) => step.undo && step.status === 'finished').map((step) => step.step))
    let exhausted: ErrorData | null = null
    for (const [seq, step] of [...definition.steps.entries()].reverse()) {
      const { compensation } = step
      if (compensation === undefined || !touched.has(step.name) || undone.has(step.name)) continue
      await log.write({
        ref, steps: [{ step: step.name, undo: true, seq, status: 'started' }],
        audit: this.#config.enableAuditLog ? [this.#audit('compensation_start', { step: step.name, compensation: compensation.name })] : [],
      })
      this.#parts.waypoint?.('undoing', ref.taskId)
      const failure = await this.#undo(() => compensation.undo(context, touched.get(step.name)?.output ?? null))
      // Later undos still run after one that is exhausted: each undo stands alone.
      exhausted ??= failure
      await log.write({
        ref,
        steps: [{ step: step.name, undo: true, seq, status: failure === null ? 'finished' : 'failed', ...(failure === null ? {} : { error: failure }) }],
        audit: this.#config.enableAuditLog
          ? [this.#audit(failure === null ? 'compensation_complete' : 'compensation_failed', { step: step.name, compensation: compensation.name, ...(failure === null ? {} : { message: failure.message }) })]
          : [],
      })
    }
    await log.write({ ref, runStatus: exhausted === null ? 'compensated' : 'compensation_failed', steps: [], audit: [] })
    if (exhausted !== null) {
      if (this.#config.enableMetrics) observer?.compensationFailed(definition.type)
      throw new SweepmillError('COMPENSATION_FAILED', `An undo of saga ${definition.type} failed ${this.#parts.undoBudget.tries} times: ${exhausted.message}`, { details: { cause: exhausted.code } })
    }
    if (this.#config.enableMetrics) observer?.compensated(definition.type)
  }

  /** Null when the undo succeeded within its own budget. Losing the lease ends it at once. */
  async #undo(undo: () => Promise<void>): Promise<ErrorData | null> {
    const { tries, pauseMs } = this.#parts.undoBudget
    for (let attempt = 1; ; attempt += 1) {
      try {
        await undo()
        return null
      } catch (thrown) {
        const error = toSweepmillError(thrown, 'COMPUTE_FAILED')
        if (error.code === 'LEASE_LOST') throw error
        if (attempt >= tries) return error.toData()
        await this.#parts.clock.sleep(pauseMs * 2 ** (attempt - 1))
      }
    }
  }

  #audit(event: string, detail: Readonly<Record<string, unknown>>): AuditWrite {
    return { event, detail: { ...detail, user_id: this.#config.userId, ip_address: this.#config.ipAddress } }
  }
}

function checkpointOf<Context>(definition: SagaDefinition<Context>, step: string, seq: number): { step: string; data: Record<string, unknown> } {
  return { step, data: { step, progress: Math.round(((seq + 1) / definition.steps.length) * 100) } }
}
