/**
 * Runs one step: its tries, its timeout, and the wait for an answer.
 *
 * A step that was told to stop (the attempt is over, or its timeout) is waited for, because an undo must come after what
 * the step still does. One that does not answer in time leaves its outcome to the next attempt, which fences it out.
 */
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { SagaStep, StepOutput, StepRetry } from './saga-step.js'

const ONCE: StepRetry = { tries: 1, pauseMs: 0 }
const FORWARD: StepRetry = { tries: 5, pauseMs: 200 }

const LEAVE_OPEN: ReadonlySet<string> = new Set<ErrorCode>(['LEASE_LOST', 'NOT_RESOLVABLE', 'WORKER_STOPPING', 'MACHINE_TROUBLE'])

/** Errors that mean "stop and leave the run as it is": somebody else, or a later attempt, goes on. */
export function leavesRunOpen(error: SweepmillError): boolean {
  return LEAVE_OPEN.has(error.code)
}

export class StepRunner {
  readonly #clock: Clock
  readonly #graceMs: number

  /** A step that was stopped has `graceMs` to end. */
  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock
    this.#graceMs = graceMs
  }

  /** Throws the last try's error; STEP_UNANSWERED when the step was stopped and did not end. */
  async run<Context>(step: SagaStep<Context>, context: Context, signal: AbortSignal, onRetry: (tries: number, error: SweepmillError) => Promise<void>): Promise<StepOutput> {
    const { tries, pauseMs } = step.retry ?? (step.kind === 'retriable' ? FORWARD : ONCE)
    for (let tried = 1; ; tried += 1) {
      try {
        // Whoever was stopped before begins nothing.
        signal.throwIfAborted()
        return await this.#once(step, context, signal)
      } catch (thrown) {
        const error = toSweepmillError(thrown, 'COMPUTE_FAILED')
        if (!error.retryable || leavesRunOpen(error) || error.code === 'STEP_UNANSWERED' || tried >= tries || signal.aborted) throw error
        await onRetry(tried, error)
        await this.#clock.sleep(pauseMs * 2 ** (tried - 1), signal)
      }
    }
  }

  async #once<Context>(step: SagaStep<Context>, context: Context, signal: AbortSignal): Promise<StepOutput> {
    const { timeoutMs } = step
    if (timeoutMs === undefined) return this.answer(step.name, signal, step.run(context, signal))
    const late = new AbortController()
    const stopTimer = this.#clock.after(timeoutMs, () => {
      late.abort(new SweepmillError('STEP_TIMEOUT', `The step ${step.name} took longer than its ${timeoutMs} ms.`))
    })
    try {
      const both = AbortSignal.any([signal, late.signal])
      const output = await this.answer(step.name, both, step.run(context, both))
      // It ended, but after its time: whoever gave it a timeout has no use for it any more.
      late.signal.throwIfAborted()
      return output
    } catch (thrown) {
      if (!signal.aborted && toSweepmillError(thrown).code !== 'STEP_UNANSWERED') late.signal.throwIfAborted()
      throw thrown
    } finally {
      stopTimer()
    }
  }

  /** What `running` comes to, or STEP_UNANSWERED once it was stopped and does not end. */
  async answer<T>(name: string, stop: AbortSignal, running: Promise<T>): Promise<T> {
    let stopTimer = (): void => undefined
    let onStop = (): void => undefined
    const unanswered = new Promise<never>((_resolve, reject) => {
      onStop = () => {
        stopTimer = this.#clock.after(this.#graceMs, () => {
          reject(new SweepmillError('STEP_UNANSWERED', `The step ${name} was stopped and did not end within ${this.#graceMs} ms; the next attempt goes on from here.`, { cause: stop.reason }))
        })
      }
    })
    if (stop.aborted) onStop()
    else stop.addEventListener('abort', onStop, { once: true })
    try {
      return await Promise.race([running, unanswered])
    } finally {
      stopTimer()
      stop.removeEventListener('abort', onStop)
    }
  }
}
