/** What a step ends with that did not end by itself: in words, and with a code that says whether it is worth another try. */
import { machineTrouble, SweepmillError } from '../base/errors.js'
import type { ComputeRequest } from '../tasks/compute-pool.js'

export function cancelledStep({ step }: ComputeRequest): SweepmillError {
  return new SweepmillError('TASK_CANCELLED', `The step ${step} was cancelled.`)
}

export function stoppingPool(): SweepmillError {
  return new SweepmillError('WORKER_STOPPING', 'The threads are shutting down.')
}

export function neverBegun({ step }: ComputeRequest): SweepmillError {
  return new SweepmillError('THREAD_LOST', `No thread began the step ${step}; those that were asked are replaced.`)
}

/** A strategy that hangs hangs again; of a step of ours the machine may have been the reason. */
export function stalledStep({ step, userCode }: ComputeRequest, silentMs: number): SweepmillError {
  const silence = `made no progress for ${silentMs / 1000} s in the step ${step}, and its thread was replaced`
  return userCode
    ? new SweepmillError('STRATEGY_TIMEOUT', `The strategy ${silence}. Look for an endless loop in it; a task whose single call needs longer has a longer timeout.`)
    : new SweepmillError('THREAD_STALLED', `The work ${silence}. Look at what it reads: a file may be made to keep a reader busy. If it is honest, make it smaller, or raise THREAD_STALL_MS.`)
}

/** None can be started, whatever the step is. */
export function noThreads(cause: unknown): SweepmillError {
  return machineTrouble(cause) ?? new SweepmillError('MACHINE_TROUBLE', `No thread can be started: ${(cause as Error).message}.`, { cause })
}

/** Its thread ended by itself. */
export function endedStep({ step, userCode }: ComputeRequest, thrown: unknown): SweepmillError {
  const { code, message } = thrown as { code?: string; message?: string }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new SweepmillError('OUT_OF_MEMORY', `The step ${step} needs more heap than a thread has. Raise THREAD_HEAP_MB, or make the task smaller.`, { cause: thrown })
  }
  // What a thread with a strategy's code ended of the strategy may have thrown itself.
  const trouble = userCode && code !== 'ERR_WORKER_INIT_FAILED' ? null : machineTrouble(thrown)
  if (trouble !== null) return trouble
  return new SweepmillError('THREAD_LOST', `The thread that ran ${step} died: ${message ?? 'no reason given'}.`, { cause: thrown })
}
