/**
 * Why one attempt is to stop, and how far. A cancel or a timeout ends the way forward only: what was begun is undone all the
 * same, however long that takes. A lost lease or a shutdown ends everything at once; a later attempt goes on.
 */
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { leavesRunOpen } from '../saga/step-runner.js'
import type { Attempt } from '../tasks/task.js'

export class AttemptStop {
  readonly #attempt: Attempt
  readonly #forward = new AbortController()
  readonly #everything = new AbortController()
  #compensating = false
  #progressMs: number
  readonly #deadlineMs: number
  #userSteps = 0

  constructor(attempt: Attempt, nowMs: number) {
    this.#attempt = attempt
    this.#progressMs = nowMs
    this.#deadlineMs = nowMs + (attempt.deadlineMs ?? Number.POSITIVE_INFINITY)
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

  /** The watch over its deadline and over its progress. */
  check(nowMs: number): void {
    if (!this.#compensating && nowMs >= this.#deadlineMs) this.stop(deadlinePassed(this.#attempt.taskId))
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

/** For good: a task that is tried again by hand has no deadline any more. */
export function deadlinePassed(taskId: string): SweepmillError {
  return new SweepmillError('DEADLINE_PASSED', `Task ${taskId} was not done by its deadline. Give it more time, or make it smaller; \`sweepmill tasks retry ${taskId}\` runs it without one.`)
}

/** Longer than a timer can be: left to the rounds of the lease keeper. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Calls when the attempt's deadline has come; returns how to leave it. */
export function atDeadline({ deadlineMs }: Attempt, clock: Clock, run: () => void): () => void {
  return deadlineMs === null || deadlineMs > LONGEST_TIMER_MS ? () => undefined : clock.after(Math.max(0, deadlineMs), run)
}
