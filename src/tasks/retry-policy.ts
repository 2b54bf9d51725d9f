/**
 * When a failed attempt runs again: transient errors retry with exponential backoff and full jitter
 * until `maxRetries`, then the task is a dead letter. Permanent errors never retry.
 * Full jitter (uniform in 0..cap) because a fleet that failed together must not come back together.
 */
import { ERRORS } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import type { Random } from '../base/random.js'
import { pauseOf } from './other-engine.js'
import type { Attempt, Outcome } from './task.js'

export interface RetryPolicy {
  readonly baseMs: number
  readonly capMs: number
}

/** Of `baseMs`: room is not made in a second, and each try costs two statements. */
const TROUBLE_PAUSES = 5

export const DEFAULT_RETRY: RetryPolicy = { baseMs: 1000, capMs: 60_000 }

/** Milliseconds to wait before retry number `retry` (0 for the first), uniform in (0, min(cap, base × 2^retry)]. */
export function retryDelayMs(policy: RetryPolicy, retry: number, random: Random): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(retry, 30))
  return Math.ceil(random.next() * ceiling)
}

export function outcomeOfError(attempt: Attempt, error: ErrorData, policy: RetryPolicy, random: Random): Outcome {
  const category = ERRORS[error.code].category
  if (category === 'cancelled') return { kind: 'cancelled' }
  if (error.code === 'COMPENSATION_FAILED') return { kind: 'dead_letter', reason: 'compensation_failed', error }
  if (error.code === 'WORKER_STOPPING') return { kind: 'released', why: error.message, delayMs: 0 }
  const pauseMs = pauseOf(error)
  if (pauseMs !== null) return { kind: 'released', why: error.message, delayMs: pauseMs, waits: true }
  if (error.code === 'NOT_RESOLVABLE' || error.code === 'STEP_UNANSWERED') return { kind: 'released', why: error.message, delayMs: policy.baseMs }
  // A full disk is nobody's failure and may last longer than retries do: the task waits for it, and others may take it.
  if (error.code === 'MACHINE_TROUBLE') return { kind: 'released', why: error.message, delayMs: TROUBLE_PAUSES * policy.baseMs }
  if (!ERRORS[error.code].retryable) return { kind: 'failed', error }
  if (attempt.retryCount >= attempt.maxRetries) return { kind: 'dead_letter', reason: 'retries_exhausted', error }
  return { kind: 'retry', error, delayMs: retryDelayMs(policy, attempt.retryCount, random) }
}
