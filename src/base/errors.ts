/**
 * The closed table of everything that can go wrong, and the one error class that carries it.
 *
 * Each row says the category, whether a retry may help, the HTTP status and what the code means in a
 * sentence. Threads, Postgres and HTTP transport an error as `ErrorData` (plain data): match on
 * `code`, never on `instanceof`, because a class does not survive a thread boundary or a database.
 * docs/errors.md is compared with this table by a test.
 */
import { shortageBehind } from './machine-shortage.js'
import { cutText } from './storable-text.js'

export type ErrorCategory =
  | 'config' | 'validation' | 'conflict' | 'not-found' | 'transient' | 'timeout'
  | 'cancelled' | 'lease-lost' | 'compute' | 'saga' | 'invariant'

interface ErrorRow {
  readonly category: ErrorCategory
  readonly retryable: boolean
  readonly httpStatus: number
  readonly sentence: string
}

const row = (category: ErrorCategory, retryable: boolean, httpStatus: number, sentence: string): ErrorRow =>
  ({ category, retryable, httpStatus, sentence })

export const ERRORS = {
  CONFIG_INVALID: row('config', false, 500, 'An environment variable has a value that cannot be used.'),
  CONFIG_UNKNOWN: row('config', false, 500, 'A setting, or an environment variable that begins with SWEEPMILL_, is not known.'),
  PORT_IN_USE: row('config', false, 500, 'The HTTP port is taken by another program.'),
  REDIS_EVICTS: row('config', false, 500, 'Redis is configured to evict keys, which would lose tasks.'),
  SERVICE_MISSING: row('config', false, 500, 'Redis or Postgres was neither configured, found nor fetched.'),
  SERVICE_FAILED: row('transient', true, 503, 'An embedded service did not start.'),
  SCHEMA_TOO_NEW: row('config', false, 500, 'The database schema is newer than this program understands.'),

  FILE_NOT_FOUND: row('validation', false, 400, 'A file that was named does not exist or cannot be read.'),
  FILE_FORBIDDEN: row('validation', false, 403, 'The file lies outside the folders that tasks may read.'),
  DATA_EMPTY: row('validation', false, 400, 'The market data has no bars.'),
  DATA_FORMAT: row('validation', false, 400, 'The market data is not in a format that is understood.'),
  DATA_CHECKSUM: row('validation', false, 400, 'The file is not the one that the checksum beside it was made of.'),
  DATA_INVALID: row('validation', false, 400, 'A row of the market data holds an impossible value.'),
  DATA_ORDER: row('validation', false, 400, 'The times of the bars are duplicated or not ascending.'),
  DATA_CONFLICT: row('validation', false, 409, 'Bars would take the place of stored ones that have other values, or are stored under other times.'),
  SPEC_INVALID: row('validation', false, 400, 'The specification has a missing, unknown or wrong value.'),
  STRATEGY_UNKNOWN: row('validation', false, 400, 'No strategy has this name.'),
  STRATEGY_INVALID: row('validation', false, 400, 'The strategy file does not load or does not define a strategy.'),
  PARAM_INVALID: row('validation', false, 400, 'A strategy parameter is missing, unknown or out of range.'),
  SPACE_EMPTY: row('validation', false, 400, 'The sweep has no trial to run.'),
  CONSTRAINT_INVALID: row('validation', false, 400, 'The constraint is not an expression over the parameters.'),
  USAGE: row('validation', false, 400, 'The command line was not understood.'),
  NOT_SUPPORTED: row('validation', false, 400, 'The request names something that this version does not do.'),
  PAYLOAD_TOO_LARGE: row('validation', false, 413, 'The payload is larger than a task may carry.'),

  REQUEST_INVALID: row('validation', false, 400, 'The HTTP request is not one that the server understands.'),
  REQUEST_TIMEOUT: row('timeout', false, 408, 'The request did not come within its time.'),
  SERVER_BUSY: row('transient', true, 503, 'The server holds as many requests as it may.'),
  ORIGIN_FORBIDDEN: row('validation', false, 403, 'The request comes from a web page of another origin.'),
  UNAUTHORIZED: row('validation', false, 401, 'The request carries no valid bearer token.'),
  TASK_NOT_FOUND: row('not-found', false, 404, 'No task has this id.'),
  SWEEP_NOT_FOUND: row('not-found', false, 404, 'No sweep has this id.'),
  SCHEDULE_NOT_FOUND: row('not-found', false, 404, 'No schedule has this name.'),
  SERIES_NOT_FOUND: row('not-found', false, 404, 'The bar store has no such series.'),
  REVISION_NOT_FOUND: row('not-found', false, 404, 'The series has no such revision, or a cleanup removed its bars.'),
  ROUTE_NOT_FOUND: row('not-found', false, 404, 'There is no such address.'),
  IDEMPOTENCY_CONFLICT: row('conflict', false, 409, 'The idempotency key was used before with another payload.'),
  STATE_CONFLICT: row('conflict', false, 409, 'The task is not in a state that allows this.'),
  QUEUE_FULL: row('conflict', true, 503, 'The queue of this priority is full.'),

  REDIS_UNAVAILABLE: row('transient', true, 503, 'Redis does not answer.'),
  POSTGRES_UNAVAILABLE: row('transient', true, 503, 'Postgres does not answer.'),
  MACHINE_TROUBLE: row('transient', true, 503, 'The machine lacks room, memory or open files, or its disk is read-only.'),
  THREAD_LOST: row('transient', true, 503, 'The thread that computed the step died.'),
  THREAD_STALLED: row('timeout', true, 504, 'A step of the program\'s own made no progress for THREAD_STALL_MS, or for its task\'s timeout.'),
  EXCHANGE_UNAVAILABLE: row('transient', true, 503, 'The exchange gave no usable answer.'),
  WORKER_STOPPING: row('transient', true, 503, 'The worker is shutting down and hands its work back.'),
  NOT_RESOLVABLE: row('transient', true, 503, 'This worker does not have what the task needs.'),
  TASK_TIMEOUT: row('timeout', true, 504, 'The task made no progress within its timeout.'),
  DEADLINE_PASSED: row('timeout', false, 504, 'The task was not done by its deadline.'),
  STRATEGY_TIMEOUT: row('timeout', false, 504, 'A strategy\'s own code made no progress within the task\'s timeout.'),
  STEP_TIMEOUT: row('timeout', true, 504, 'A step of a saga, or its undo, took longer than its timeout.'),
  STEP_UNANSWERED: row('timeout', true, 504, 'A step was stopped and did not end; the next attempt goes on from there.'),
  TASK_CANCELLED: row('cancelled', false, 409, 'The task was cancelled.'),
  LEASE_LOST: row('lease-lost', false, 409, 'Another attempt owns the task now.'),

  EXCHANGE_REFUSED: row('validation', false, 400, 'The exchange does not have what was asked for.'),
  STRATEGY_FAILED: row('compute', false, 422, 'The strategy threw an error or returned unusable masks.'),
  COMPUTE_FAILED: row('compute', false, 500, 'A compute step failed in the same way it would fail again.'),
  OUT_OF_MEMORY: row('compute', false, 507, 'A thread ran out of heap.'),
  DATA_TOO_LARGE: row('compute', false, 413, 'The bars take more memory than DATA_MEMORY_MB allows.'),
  SAGA_INVALID: row('saga', false, 500, 'The saga definition breaks a rule of sagas.'),
  COMPENSATION_FAILED: row('saga', false, 500, 'A compensation failed until its budget was used up.'),
  MESSAGE_UNDECODABLE: row('validation', false, 400, 'The bytes of a message do not decode.'),
  INVARIANT: row('invariant', false, 500, 'The program found itself in a state that it excludes.'),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERRORS

/** An error as plain data: what crosses threads, Postgres and HTTP. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly stack?: string
}

/** Characters of a message and of a stack, and of the details as JSON: an error is kept in rows, letters and logs. */
const MAX_MESSAGE = 8192
const CUT_WORD = 64
const MAX_STACK = 16_384
const MAX_DETAILS = 65_536

export class SweepmillError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    // What is said may be of a strange source, and is kept as long as the error is.
    super(cutText(message, MAX_MESSAGE), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SweepmillError'
    this.code = code
    this.details = options.details
  }

  get category(): ErrorCategory { return ERRORS[this.code].category }
  get retryable(): boolean { return ERRORS[this.code].retryable }
  get httpStatus(): number { return ERRORS[this.code].httpStatus }

  /** Data that can be sent and kept whatever was thrown: of bounded size, and nothing in it but JSON. */
  toData(): ErrorData {
    return {
      code: this.code,
      // It was cut when it was made, and has a word on that behind it.
      message: cutText(this.message, MAX_MESSAGE + CUT_WORD),
      ...(this.details === undefined ? {} : { details: plainDetails(this.details) }),
      ...(this.stack === undefined ? {} : { stack: cutText(this.stack, MAX_STACK) }),
    }
  }

  static fromData(data: ErrorData): SweepmillError {
    const error = new SweepmillError(data.code, data.message, data.details ? { details: { ...data.details } } : {})
    if (data.stack !== undefined) error.stack = data.stack
    return error
  }
}

/** MACHINE_TROUBLE where the machine lacked something, else null. Ask it before something of the caller's is blamed. */
export function machineTrouble(thrown: unknown): SweepmillError | null {
  const shortage = shortageBehind(thrown)
  return shortage === null ? null : new SweepmillError('MACHINE_TROUBLE', `The machine refused what was needed, ${shortage}: ${messageOf(thrown)}.`, { cause: thrown })
}

/**
 * Any thrown value as a SweepmillError; what is not ours becomes MACHINE_TROUBLE where the machine lacked something, else
 * `fallback`, with the original as its cause. What a strategy threw never counts as the machine's: it may be made up.
 */
export function toSweepmillError(thrown: unknown, fallback: ErrorCode = 'INVARIANT'): SweepmillError {
  try {
    if (thrown instanceof SweepmillError && isWhole(thrown)) return thrown
  } catch {
    // A proxy may throw at every look.
  }
  const trouble = fallback === 'STRATEGY_FAILED' ? null : machineTrouble(thrown)
  const error = trouble ?? new SweepmillError(fallback, messageOf(thrown), { cause: thrown })
  const stack = stackOf(thrown)
  if (stack !== undefined) error.stack = cutText(stack, MAX_STACK)
  return error
}

/** Everything that `toData` reads can be read. */
function isWhole({ code, message, stack, details }: SweepmillError): boolean {
  return Object.hasOwn(ERRORS, code) && typeof message === 'string' && ['string', 'undefined'].includes(typeof stack) && ['object', 'undefined'].includes(typeof details)
}

function stackOf(thrown: unknown): string | undefined {
  try {
    return thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : undefined
  } catch {
    return undefined
  }
}

/** Anything can be thrown, also what has no text. */
function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return `Something was thrown that has no text (${typeof thrown}).`
  }
}

function plainDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    const json = JSON.stringify(details)
    return json.length > MAX_DETAILS ? { left_out: `${json.length} characters of details` } : JSON.parse(json) as Record<string, unknown>
  } catch {
    return { left_out: 'details that are not JSON' }
  }
}

/** True for a value that already carries one of our codes (also across a module boundary). */
export function hasCode(thrown: unknown, code: ErrorCode): boolean {
  return typeof thrown === 'object' && thrown !== null && (thrown as { code?: unknown }).code === code
}
