/**
 * Why one attempt is to stop, and how far. A cancel or a timeout ends the way forward only: what was begun is undone all the
 * same, however long that takes. A lost lease or a shutdown ends everything at once; a later attempt goes on.
 */
import { SweepmillError } from '../base/errors.js'
import { leavesRunOpen } from '../saga/step-runner.js'
import type { Attempt } from '../tasks/task.js'

export class AttemptStop {
  readonly #attempt: Attempt
  readonly #forward = new AbortController()
  readonly #everything = new AbortController()
  #compensating = false
  #progressMs: number
  #userSteps = 0

  constructor(attempt: Attempt, nowMs: number) {
    this.#attempt = attempt
    this.#progressMs = nowMs
  }

  /** Aborts with the error that the attempt ends with. */
  get signal(): AbortSignal {
    return this.#forward.signal
  }

  /** What steps and undos compute under. */
  get computeSignal(): AbortSignal {
    return this.#compensating ? this.#everything.signal : this.#forward.signal
  }

  /** The first reason stands. */
  readonly stop = (reason: SweepmillError): void => {
    if (!this.#forward.signal.aborted) this.#forward.abort(reason)
    if (leavesRunOpen(reason) && !this.#everything.signal.aborted) this.#everything.abort(reason)
  }

  /** The way back was gone to its end, where the saga ended with `error`. */
  undone(error: SweepmillError): boolean {
    return this.#compensating && error.code !== 'COMPENSATION_FAILED' && error.code !== 'STEP_UNANSWERED' && !leavesRunOpen(error)
  }

  /** Undos have a budget of their own and are not asked for progress. */
  compensating(): void {
    this.#compensating = true
  }

  progressed(nowMs: number): void {
    this.#progressMs = nowMs
  }

  /** A strategy's own code begins, or has ended. */
  userCode(entered: boolean): void {
    this.#userSteps += entered ? 1 : -1
  }

  /** The no-progress watch. */
  check(nowMs: number): void {
    if (!this.#compensating && nowMs - this.#progressMs > this.#attempt.timeoutSeconds * 1000) this.stop(this.#timedOut())
  }

  /** The error that the attempt ends with, where its saga ended with `error`: who was cancelled does not run again. */
  outcomeOf(error: SweepmillError): SweepmillError {
    const reason: unknown = this.#forward.signal.reason
    const cancelled = reason instanceof SweepmillError && reason.code === 'TASK_CANCELLED'
    return cancelled && this.undone(error) ? reason : error
  }

  /** An endless loop loops again: only a step of our own is worth another try. */
  #timedOut(): SweepmillError {
    const { taskId, timeoutSeconds } = this.#attempt
    const silence = `made no progress for ${timeoutSeconds} s`
    return this.#userSteps > 0
      ? new SweepmillError('STRATEGY_TIMEOUT', `The strategy of task ${taskId} ${silence}. Look for an endless loop in it, or raise the task's timeout.`)
      : new SweepmillError('TASK_TIMEOUT', `Task ${taskId} ${silence}. Raise its timeout, if its data is that large.`)
  }
}
