/**
 * The way back: undoes, in reverse order, every step that may have taken effect and is not undone yet.
 *
 * Strictly one after the other: an earlier step may not be undone while a later one, which may have built on it, stands.
 * So an undo that used up its budget parks the saga (`compensation_failed`) until an operator resumes or skips it.
 */
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import type { LoggedStep } from './saga-log.js'
import type { SagaRun } from './saga-run.js'
import type { SagaDefinition, SagaStep, UndoKey } from './saga-step.js'
import { leavesRunOpen } from './step-runner.js'

/** How often an undo is tried before the saga waits for an operator, the first pause, and the longest that all tries may take. */
export interface UndoBudget {
  readonly tries: number
  readonly pauseMs: number
  readonly timeoutMs: number
}

/** Steps of which the log does not say that they never ran, latest first: what a compensation still has to undo. */
export function stepsToUndo<Context>(definition: SagaDefinition<Context>, steps: readonly Pick<LoggedStep, 'step' | 'undo' | 'status'>[]): SagaStep<Context>[] {
  const touched = new Set(steps.filter((step) => !step.undo).map((step) => step.step))
  const undone = new Set(steps.filter((step) => step.undo && (step.status === 'finished' || step.status === 'skipped')).map((step) => step.step))
  return definition.steps.filter((step) => step.compensation !== undefined && touched.has(step.name) && !undone.has(step.name)).toReversed()
}

export class Compensation {
  readonly #clock: Clock
  readonly #budget: UndoBudget
  readonly #waypoint: PassWaypoint

  constructor(clock: Clock, budget: UndoBudget, waypoint: PassWaypoint) {
    this.#clock = clock
    this.#budget = budget
    this.#waypoint = waypoint
  }

  /** Null when everything is undone; else the error that parked the saga. */
  async run<Context>(definition: SagaDefinition<Context>, context: Context, run: SagaRun, steps: readonly LoggedStep[]): Promise<ErrorData | null> {
    const outputs = new Map(steps.filter((step) => !step.undo).map((step) => [step.step, step.output]))
    for (const step of stepsToUndo(definition, steps)) {
      const { name, compensation } = step
      if (compensation === undefined) continue
      const seq = definition.steps.indexOf(step)
      const detail = { step: name, compensation: compensation.name }
      await run.write({ steps: [{ step: name, undo: true, seq, status: 'started' }], audit: [{ event: 'compensation_start', detail }] })
      this.#waypoint('undoing', run.ref.taskId)
      const key: UndoKey = `${run.ref.taskId}/${run.ref.run}:${name}:undo`
      const failure = await this.#undo(() => compensation.undo(context, outputs.get(name) ?? null, key))
      if (failure !== null) {
        await run.write({
          runStatus: 'compensation_failed', steps: [{ step: name, undo: true, seq, status: 'failed', error: failure }],
          audit: [{ event: 'compensation_failed', detail: { ...detail, code: failure.code, message: failure.message } }],
        })
        return failure
      }
      await run.write({ steps: [{ step: name, undo: true, seq, status: 'finished' }], audit: [{ event: 'compensation_complete', detail }] })
    }
    // Whoever closes the attempt ends the run, in one transaction with the task's state.
    return null
  }

  /** Null when the undo succeeded within its budget. Losing the lease or a shutdown ends it at once, and the next attempt goes on. */
  async #undo(undo: () => Promise<void>): Promise<ErrorData | null> {
    const { tries, pauseMs, timeoutMs } = this.#budget
    const late = new SweepmillError('STEP_TIMEOUT', `The undo did not end within ${timeoutMs} ms.`)
    let stopTimer = (): void => undefined
    const timeout = new Promise<never>((_resolve, reject) => { stopTimer = this.#clock.after(timeoutMs, () => { reject(late) }) })
    // It may fire between two tries, when nobody listens.
    timeout.catch(() => undefined)
    try {
      for (let tried = 1; ; tried += 1) {
        try {
          await Promise.race([undo(), timeout])
          return null
        } catch (thrown) {
          const error = toSweepmillError(thrown, 'COMPUTE_FAILED')
          if (leavesRunOpen(error)) throw error
          // One that hangs is not called a second time beside itself.
          if (tried >= tries || error === late) return error.toData()
          await this.#clock.sleep(pauseMs * 2 ** (tried - 1))
        }
      }
    } finally {
      stopTimer()
    }
  }
}
