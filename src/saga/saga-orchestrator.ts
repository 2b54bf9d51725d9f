/**
 * Runs one saga of one attempt: forward, or once a step failed, backward.
 *
 * States of a run: running → completed, or running → compensating → compensated | compensation_failed.
 * The intent of a step is logged before it runs, so after a crash the log names every step whose outcome
 * is unknown; those are compensated too. A run that is compensating never goes forward again, and one that passed its
 * pivot never goes back. Losing the lease and handing back are not failures: nothing is written and the next attempt
 * resumes the run.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../base/canonical-json.js'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { Compensation } from './compensation.js'
import type { UndoBudget } from './compensation.js'
import type { AuditWrite, BegunRun, LoggedStep, SagaLog } from './saga-log.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import { isRefusal, SagaRun } from './saga-run.js'
import type { SagaConfig, SagaDefinition, SagaStep, StepOutput } from './saga-step.js'
import { leavesRunOpen, StepRunner } from './step-runner.js'

export interface SagaObserver {
  started(sagaType: string): void
  stepExecuted(sagaType: string, step: string): void
  completed(sagaType: string): void
  compensated(sagaType: string): void
  failed(sagaType: string): void
  compensationFailed(sagaType: string): void
}

export interface SagaParts {
  readonly log: SagaLog
  readonly clock: Clock
  readonly undoBudget: UndoBudget
  /** How long a step that was stopped is waited for; default 10 s. */
  readonly graceMs?: number
  readonly observer?: SagaObserver
  readonly waypoint?: PassWaypoint
}

export interface ExecuteOptions {
  /** Aborts when the attempt is stopped; its reason is the error that the saga fails with. */
  readonly signal?: AbortSignal
  /** What the saga is about, as JSON: every step's intent is logged with a hash of it. */
  readonly input?: unknown
  /** Called when the way back begins. */
  readonly onCompensating?: () => void
}

interface EndedStep<Context> {
  readonly step: SagaStep<Context>
  readonly seq: number
  readonly output: StepOutput
}

const GRACE_MS = 10_000

export class SagaOrchestrator {
  readonly #config: SagaConfig
  readonly #parts: SagaParts
  readonly #runner: StepRunner
  readonly #compensation: Compensation

  constructor(config: SagaConfig, parts: SagaParts) {
    this.#config = config
    this.#parts = parts
    this.#runner = new StepRunner(parts.clock, parts.graceMs ?? GRACE_MS)
    this.#compensation = new Compensation(parts.clock, parts.undoBudget, (point, taskId) => parts.waypoint?.(point, taskId))
  }

  /**
   * Runs `definition` to its end. Throws the step's error after compensation (the caller ends the run with the task's
   * state: `Outcome.sagaUndone`), COMPENSATION_FAILED when an undo exhausted its budget, LEASE_LOST when another attempt has the saga, NOT_RESOLVABLE when another version began it.
   */
  async execute<Context>(definition: SagaDefinition<Context>, context: Context, taskId: string, attempt: number, options: ExecuteOptions = {}): Promise<void> {
    await this.resume(definition, context, await this.begin(definition, taskId, attempt), options)
  }

  /** Begins a run, or finds the open one: its version says which definition can resume it. */
  async begin(newest: { readonly type: string; readonly version: number }, taskId: string, attempt: number): Promise<BegunRun> {
    this.#parts.waypoint?.('logging', taskId)
    const begun = await this.#parts.log.begin(taskId, attempt, newest.type, newest.version)
    this.#parts.waypoint?.('logged', taskId)
    return begun
  }

  /** Goes on with a run that `begin` returned. */
  async resume<Context>(definition: SagaDefinition<Context>, context: Context, begun: BegunRun, options: ExecuteOptions = {}): Promise<void> {
    if (begun.version !== definition.version) {
      throw new SweepmillError('NOT_RESOLVABLE', `The saga of task ${begun.ref.taskId} was begun by version ${begun.version} of ${definition.type}; this worker has version ${definition.version}.`)
    }
    const run = new SagaRun(begun, this.#config, this.#parts.log, (point, taskId) => this.#parts.waypoint?.(point, taskId))
    if (begun.status !== 'compensating') return this.#forward(definition, context, run, begun.steps, options)
    const cause = begun.steps.find((step) => step.status === 'failed' && !step.undo)?.error
    options.onCompensating?.()
    await this.#compensate(definition, context, run, begun.steps)
    throw SweepmillError.fromData(cause ?? { code: 'THREAD_LOST', message: 'The process ended while the saga was being undone.' })
  }

  async #forward<Context>(definition: SagaDefinition<Context>, context: Context, run: SagaRun, before: readonly LoggedStep[], options: ExecuteOptions): Promise<void> {
    const { observer } = this.#parts
    const signal = options.signal ?? new AbortController().signal
    const logged = new Map(before.filter((step) => !step.undo).map((step) => [step.step, step]))
    const steps: LoggedStep[] = [...logged.values()]
    const begins = steps.length === 0
    if (begins && this.#config.enableMetrics) observer?.started(definition.type)
    let ended: EndedStep<Context> | null = null

    for (const [seq, step] of definition.steps.entries()) {
      const earlier = logged.get(step.name)
      if (earlier?.status === 'finished') {
        await step.resume?.(context, earlier.output ?? 'null')
        continue
      }
      const inputHash = hashOf(definition, step.name, options.input)
      if (typeof earlier?.inputHash === 'string' && earlier.inputHash !== inputHash) {
        throw new SweepmillError('INVARIANT', `The data of task ${run.ref.taskId} is not what its step ${step.name} began with. Submit it as a new task.`)
      }
      const audit: AuditWrite[] = []
      if (steps.length === 0) audit.push({ event: 'saga_start', detail: { saga_type: definition.type, version: definition.version } })
      if (ended !== null) audit.push(completed(definition, ended))
      audit.push({ event: 'step_start', detail: { step: step.name } })
      const before = ended
      await run.write({
        steps: [...(ended === null ? [] : [finished(ended)]), { step: step.name, undo: false, seq, status: 'started', inputHash }],
        ...(ended === null ? {} : { checkpoint: checkpointOf(definition, ended) }),
        audit,
      }).catch((thrown: unknown) => this.#unlogged(definition, context, run, steps, before, thrown, options))
      if (ended !== null) this.#parts.waypoint?.('checkpointed', run.ref.taskId)
      this.#parts.waypoint?.('step_started', run.ref.taskId)
      if (earlier === undefined) steps.push({ step: step.name, undo: false, status: 'started', inputHash, output: null, error: null })
      try {
        const output = await this.#runner.run(step, context, signal, (tries, error) => run.write({
          steps: [], audit: [{ event: 'step_retry', detail: { step: step.name, tries, code: error.code, message: error.toData().message } }],
        }))
        ended = { step, seq, output }
      } catch (thrown) {
        await this.#fail(definition, context, run, steps, step, toSweepmillError(thrown, 'COMPUTE_FAILED'), options)
      }
      if (this.#config.enableMetrics) observer?.stepExecuted(definition.type, step.name)
    }
    if (ended !== null && ended.step.endsRun !== true) {
      await run.write({
        runStatus: 'completed', steps: [finished(ended)], checkpoint: checkpointOf(definition, ended),
        audit: [completed(definition, ended), { event: 'saga_complete', detail: {} }],
      }).catch((thrown: unknown) => this.#unlogged(definition, context, run, steps, ended, thrown, options))
    }
    if (this.#config.enableMetrics) observer?.completed(definition.type)
  }

  /** Always throws. A step whose output cannot be stored has failed: a later attempt would not know what it did. */
  async #unlogged<Context>(definition: SagaDefinition<Context>, context: Context, run: SagaRun, steps: readonly LoggedStep[],
    ended: EndedStep<Context> | null, thrown: unknown, options: ExecuteOptions): Promise<never> {
    const error = toSweepmillError(thrown)
    if (ended === null || !isRefusal(error)) throw error
    return this.#fail(definition, context, run, steps, ended.step, error, options)
  }

  /** Always throws: the step's error once everything is undone, or why it is not. */
  async #fail<Context>(definition: SagaDefinition<Context>, context: Context, run: SagaRun, steps: readonly LoggedStep[], step: SagaStep<Context>,
    error: SweepmillError, options: ExecuteOptions): Promise<never> {
    const stoppedBy = options.signal?.aborted === true ? toSweepmillError(options.signal.reason) : null
    if (leavesRunOpen(error) || (stoppedBy !== null && leavesRunOpen(stoppedBy))) throw stoppedBy ?? error
    // The step may still be at work, so nothing can be undone yet; but the run must not go forward again either.
    const unanswered = error.code === 'STEP_UNANSWERED'
    const cause = unanswered ? toSweepmillError(error.cause) : error
    const data = cause.toData()
    const onward = pivotIsBehind(definition, step)
    // Being told to stop is no failure of the saga's.
    if (this.#config.enableMetrics && data.code !== 'TASK_CANCELLED') this.#parts.observer?.failed(definition.type)
    await run.write({
      ...(onward ? {} : { runStatus: 'compensating' }),
      steps: [{ step: step.name, undo: false, seq: definition.steps.indexOf(step), status: 'failed', error: data }],
      audit: [{ event: 'step_failed', detail: { step: step.name, code: data.code, message: data.message } }],
    })
    if (unanswered) throw error
    if (onward) throw cause
    options.onCompensating?.()
    await this.#compensate(definition, context, run, steps)
    throw cause
  }

  async #compensate<Context>(definition: SagaDefinition<Context>, context: Context, run: SagaRun, steps: readonly LoggedStep[]): Promise<void> {
    const { observer, undoBudget } = this.#parts
    const failure = await this.#compensation.run(definition, context, run, steps)
    if (failure === null) {
      if (this.#config.enableMetrics) observer?.compensated(definition.type)
      return
    }
    if (this.#config.enableMetrics) observer?.compensationFailed(definition.type)
    throw new SweepmillError('COMPENSATION_FAILED',
      `An undo of saga ${definition.type} failed ${undoBudget.tries} times: ${failure.message} Mend the cause and run "sweepmill sagas resume ${run.ref.taskId}", or "sagas skip" if there is nothing to undo.`,
      { details: { cause: failure.code } })
  }
}

/** After the pivot there is only forward: a step behind it is run again until it succeeds. */
function pivotIsBehind<Context>(definition: SagaDefinition<Context>, step: SagaStep<Context>): boolean {
  const pivot = definition.steps.findIndex(({ kind }) => kind === 'pivot')
  return pivot >= 0 && definition.steps.indexOf(step) > pivot
}

function hashOf<Context>({ type, version }: SagaDefinition<Context>, step: string, input: unknown): string {
  return createHash('sha256').update(`${type} ${version} ${step} ${canonicalJson(input)}`).digest('hex')
}

function finished<Context>({ step, seq, output }: EndedStep<Context>): { step: string; undo: false; seq: number; status: 'finished'; output: StepOutput } {
  return { step: step.name, undo: false, seq, status: 'finished', output }
}

function completed<Context>(definition: SagaDefinition<Context>, ended: EndedStep<Context>): AuditWrite {
  return { event: 'step_complete', detail: { step: ended.step.name, checkpoint: checkpointOf(definition, ended).data } }
}

function checkpointOf<Context>(definition: SagaDefinition<Context>, { step, seq }: EndedStep<Context>): { step: string; data: { step: string; progress: number } } {
  return { step: step.name, data: { step: step.name, progress: Math.round(((seq + 1) / definition.steps.length) * 100) } }
}
