/**
 * What a program hands to the library besides payloads and specs: options, filters, priorities, names. TypeScript holds
 * its callers to their types, a program in JavaScript nothing; so a slip is refused by name here, where it would be
 * dropped (`usr` of a filter would redrive every dead letter) or come back as an error of the store.
 */
import { SweepmillError } from '../base/errors.js'
import { isTaskId } from '../base/ids.js'
import { refuseUnknownKeys, show } from '../engine/specs/refuse.js'
import type { SubmitRequest } from '../tasks/backend.js'
import type { DeadLetterFilter } from '../tasks/dead-letters.js'
import { MOMENT_FORM, readMoment } from '../tasks/moment.js'
import { PRIORITIES, STATUS_NAMES } from '../tasks/task.js'
import type { RetryOptions, TaskPriority } from '../tasks/task.js'
import type { TaskFilter } from '../tasks/task-store.js'

export function refuseInput(path: string, value: unknown, wanted: string): never {
  throw new SweepmillError('SPEC_INVALID', `${path} is ${show(value)}, but must be ${wanted}.`, { details: { path } })
}

/** SPEC_INVALID unless it is an object that has none but these keys. */
export function checkKeys(value: unknown, what: string, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SweepmillError('SPEC_INVALID', `${what} must be an object of ${known.join(', ')}, not ${show(value)}.`, { details: { path: '' } })
  }
  refuseUnknownKeys({ ...value }, known, '')
}

export function checkWhole(path: string, value: unknown, least: number): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= least)) refuseInput(path, value, `a whole number from ${least}`)
}

export function checkPriority(value: unknown, path = 'priority'): void {
  if (value !== undefined && value !== null && !PRIORITIES.includes(value as TaskPriority)) refuseInput(path, value, `one of ${PRIORITIES.join(', ')}`)
}

export function checkPriorities(value: unknown): void {
  if (!Array.isArray(value)) refuseInput('priorities', value, `a list of ${PRIORITIES.join(', ')}`)
  value.forEach((one: unknown, i) => { if (!PRIORITIES.includes(one as TaskPriority)) refuseInput(`priorities[${i}]`, one, `one of ${PRIORITIES.join(', ')}`) })
}

const TASK_FILTER = Object.keys({
  status: 1, type: 1, userId: 1, limit: 1, before: 1, after: 1, name: 1, tags: 1,
} satisfies Record<keyof TaskFilter, 1>)

const LETTER_FILTER = Object.keys({
  taskIds: 1, type: 1, reason: 1, userId: 1, since: 1, before: 1, limit: 1, after: 1,
} satisfies Record<keyof DeadLetterFilter, 1>)

const SUBMISSION = Object.keys({
  taskType: 1, data: 1, priority: 1, name: 1, tags: 1, userId: 1, ipAddress: 1, timeoutSeconds: 1, maxRetries: 1, idempotencyKey: 1,
  notBefore: 1, deadlineAt: 1, roots: 1, fresh: 1,
} satisfies Record<keyof SubmitRequest, 1>)

export function checkSubmission(request: SubmitRequest): void {
  checkKeys(request, 'The request', SUBMISSION)
}

/** Whether it is to start over. */
export function checkRetry(options: RetryOptions): boolean {
  checkKeys(options, 'The options', ['startOver'])
  const { startOver = false } = options
  if (typeof startOver !== 'boolean') refuseInput('startOver', startOver, 'true or false')
  return startOver
}

export function checkTaskFilter(filter: TaskFilter): void {
  checkKeys(filter, 'The filter', TASK_FILTER)
  if (filter.status !== undefined && !STATUS_NAMES.includes(filter.status)) refuseInput('status', filter.status, `one of ${STATUS_NAMES.join(', ')}`)
  checkWhole('limit', filter.limit, 1)
  checkMoment('before', filter.before)
  checkPlace(filter.after, filter.after?.createdAt, filter.after?.taskId)
  checkTexts('tags', filter.tags)
}

export function checkLetterFilter(filter: DeadLetterFilter): void {
  checkKeys(filter, 'The filter', LETTER_FILTER)
  checkWhole('limit', filter.limit, 1)
  checkMoment('since', filter.since)
  checkMoment('before', filter.before)
  checkPlace(filter.after, filter.after?.lastFailureAt, filter.after?.taskId)
  checkTexts('taskIds', filter.taskIds)
}

/** The last row of the page before. */
function checkPlace(after: unknown, time: unknown, taskId: unknown): void {
  if (after === undefined) return
  checkMoment('after', time ?? null)
  if (typeof taskId !== 'string' || !isTaskId(taskId)) refuseInput('after.taskId', taskId, 'the id of a task')
}

function checkMoment(path: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || readMoment(value) === undefined)) refuseInput(path, value, MOMENT_FORM)
}

function checkTexts(path: string, value: unknown): void {
  if (value !== undefined && !(Array.isArray(value) && value.every((one) => typeof one === 'string'))) refuseInput(path, value, 'a list of texts')
}
