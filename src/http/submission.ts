/**
 * The body of a POST: a flat spec with the task's own keys at the same level, taken apart.
 *
 * Only the task's keys are judged here; the rest is the spec, which the runtime validates. Every
 * refusal is SPEC_INVALID and names the key.
 */
import { SweepmillError } from '../base/errors.js'
import { readMoment } from '../tasks/moment.js'
import { PRIORITIES } from '../tasks/task.js'
import type { TaskPriority, TaskType } from '../tasks/task.js'
import { taskLabel } from '../tasks/task-label.js'
import type { SubmitRequest } from '../tasks/backend.js'
import { isTaskText, TASK_TEXT_FORM } from '../tasks/task-texts.js'

const MAX_TIMEOUT_SECONDS = 7 * 86_400
const MAX_RETRIES = 100

export interface Submitter {
  readonly ipAddress: string
  readonly roots: readonly string[]
}

export function parseSubmission(taskType: TaskType, body: unknown, submitter: Submitter): SubmitRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new SweepmillError('REQUEST_INVALID', 'The body must be a JSON object: the spec, with priority, user_id and so on at the same level.')
  }
  const { priority, name, tags, user_id: userId, timeout, max_retries: maxRetries, idempotency_key: idempotencyKey, not_before: notBefore, deadline_at: deadlineAt, ...data } =
    body as Record<string, unknown>
  const label = taskLabel({ name, tags })
  return {
    taskType,
    data,
    priority: priorityOf(priority),
    ...(label.name === null ? {} : { name: label.name }), ...(label.tags.length === 0 ? {} : { tags: label.tags }),
    userId: textOf('user_id', userId),
    ipAddress: submitter.ipAddress,
    timeoutSeconds: wholeOf('timeout', timeout, 1, MAX_TIMEOUT_SECONDS),
    maxRetries: wholeOf('max_retries', maxRetries, 0, MAX_RETRIES),
    idempotencyKey: textOf('idempotency_key', idempotencyKey),
    notBefore: timeOf('not_before', notBefore),
    deadlineAt: timeOf('deadline_at', deadlineAt),
    roots: submitter.roots,
  }
}

function priorityOf(value: unknown): TaskPriority | undefined {
  if (value === undefined || value === null) return undefined
  const found = typeof value === 'string' ? PRIORITIES.find((name) => name === value.toLowerCase()) : undefined
  return found ?? refuse('priority', value, `one of ${PRIORITIES.join(', ')}`)
}

function textOf(key: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  return isTaskText(value) ? value : refuse(key, value, TASK_TEXT_FORM)
}

function wholeOf(key: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  return refuse(key, value, `a whole number from ${min} to ${max}`)
}

/** ISO 8601 with a time and a zone, since who asks may be anywhere; the text of the value, in UTC. */
function timeOf(key: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  const moment = typeof value === 'string' && /:.*(Z|[+-]\d{2}:?\d{2})$/.test(value) ? readMoment(value) : undefined
  return moment ?? refuse(key, value, 'an ISO 8601 time with a zone, such as 2025-11-05T17:30:00Z')
}

function refuse(key: string, value: unknown, wanted: string): never {
  const shown = JSON.stringify(value)?.slice(0, 60)
  throw new SweepmillError('SPEC_INVALID', `"${key}" is ${shown}; it must be ${wanted}.`, { details: { path: key } })
}
