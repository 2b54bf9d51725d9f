/**
 * How a command ends badly: exit code 2 for what the caller can mend (input, configuration), 1 for
 * everything else, and one sentence that says what to change.
 */
import { CommanderError } from 'commander'
import { ERRORS, SweepmillError, toSweepmillError } from '../base/errors.js'
import type { ErrorCode, ErrorData } from '../base/errors.js'
import type { TaskView } from '../tasks/backend.js'
import type { Output } from './output.js'

/** Configuration errors that no input can mend: the machine or the database is not what it must be. */
const NOT_THE_CALLERS: ReadonlySet<ErrorCode> = new Set(['SERVICE_MISSING', 'REDIS_EVICTS', 'SCHEMA_TOO_NEW'])

/** A strategy is the caller's own file: what it does wrong is bad input, though it shows only while it runs. */
const THE_CALLERS: ReadonlySet<ErrorCode> = new Set(['STRATEGY_FAILED', 'STRATEGY_TIMEOUT'])

export function exitCodeOf(error: SweepmillError): 1 | 2 {
  if (THE_CALLERS.has(error.code)) return 2
  if (NOT_THE_CALLERS.has(error.code)) return 1
  return ['config', 'validation', 'not-found'].includes(error.category) ? 2 : 1
}

/** A signal ended the wait: not an error of anybody's, but not success either. */
export class Interrupted extends Error {
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`)
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}

/** Tells it and returns the exit code. */
export function reportFailure(thrown: unknown, output: Output, verbose: boolean): number {
  if (thrown instanceof Interrupted) return thrown.exitCode
  const error = thrown instanceof CommanderError ? usageError(thrown) : toSweepmillError(thrown)
  const { code, message, details } = error
  output.document({ error: { code, message, ...(details === undefined ? {} : { details }) } })
  if (!output.json) output.note(`sweepmill: ${message} [${code}]`)
  if (verbose || ERRORS[code].category === 'invariant') output.note(stackOf(error))
  return exitCodeOf(error)
}

/** A task that ended without a result, as an error. */
export function failureOfTask(task: TaskView): SweepmillError {
  const where = { task_id: task.task_id, status: task.status }
  const fallback: ErrorData = task.status === 'cancelled'
    ? { code: 'TASK_CANCELLED', message: `The task ${task.task_id} was cancelled.` }
    : { code: 'COMPUTE_FAILED', message: `The task ${task.task_id} is ${task.status} and says no more; "sweepmill tasks show ${task.task_id}" shows its events.` }
  const { code, message, details } = task.error ?? fallback
  return new SweepmillError(code, message, { details: { ...details, ...where } })
}

function usageError(error: CommanderError): SweepmillError {
  const message = error.message.replace(/^error: /, '').replace(/\n+/g, ' ')
  const sentence = message.charAt(0).toUpperCase() + message.slice(1)
  return new SweepmillError('USAGE', /[.)?]$/.test(sentence) ? sentence : `${sentence}.`, { details: { reason: error.code.replace('commander.', '') } })
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : ''
  return `${error.stack ?? error.message}${cause}`
}
