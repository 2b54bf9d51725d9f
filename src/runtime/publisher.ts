/**
 * Accepts tasks: capacity at the door, then the row, then the stream.
 *
 * Once the row is committed the task is accepted and nothing is refused any more. If Redis is away, or this
 * process dies in between, the reconciler publishes the row.
 */
import { createHash } from 'node:crypto'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { canonicalJson } from '../base/canonical-json.js'
import { jsonObject } from '../base/json-value.js'
import { newTaskId } from '../base/ids.js'
import { encodeBody } from '../tasks/message.js'
import { MOMENT_FORM, readMoment } from '../tasks/moment.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { Inserted, PublicationBook, TaskIntake } from '../tasks/task-store.js'
import { defaultPriority, PRIORITIES, TASK_DEFAULTS } from '../tasks/task.js'
import type { NewTask, TaskPriority } from '../tasks/task.js'
import { isTaskText, TASK_TEXT_FORM } from '../tasks/task-texts.js'
import type { Publication, TaskPublisher } from '../tasks/task-stream.js'
import { taskLabel } from '../tasks/task-label.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import { checkPriority, refuseInput } from './caller-input.js'

/** A payload in a row; messages carry at most 64 KiB of it. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024

export interface TaskRequest {
  readonly taskType: string
  /** JSON object, refused with its path where it is none; msgpack carries it when it is at most 64 KiB. */
  readonly data: Readonly<Record<string, unknown>>
  readonly priority?: TaskPriority | undefined
  /** What people call it, and find it by: at most 100 characters, and 20 tags of at most 50. */
  readonly name?: string | null | undefined
  readonly tags?: readonly string[] | undefined
  readonly userId?: string | null | undefined
  readonly ipAddress?: string | null | undefined
  readonly timeoutSeconds?: number | undefined
  readonly maxRetries?: number | undefined
  readonly idempotencyKey?: string | undefined
  /** ISO 8601 time before which the task must not start. */
  readonly notBefore?: string | undefined
  /** ISO 8601. If it has not finished by then, it fails permanently. */
  readonly deadlineAt?: string | undefined
  readonly attachKey?: string | undefined
}

export interface PublisherParts {
  readonly stream: TaskPublisher
  readonly intake: TaskIntake
  readonly book: PublicationBook
  readonly observer: QueueObserver
  readonly clock: Clock
  readonly capacity: number
  readonly waypoint: PassWaypoint
}

export class Publisher {
  readonly #parts: PublisherParts

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /** Per request the task's id and whether this call created it. `atomic`: all of them or none. */
  async accept(requests: readonly TaskRequest[], atomic: boolean): Promise<{ readonly taskId: string; readonly created: boolean }[]> {
    if (requests.length === 0) return []
    const tasks = requests.map((request) => this.draft(request))
    await this.#checkCapacity(tasks)
    const inserted = await this.#parts.intake.insert(tasks, atomic)
    const conflict = inserted.find((one) => one.kind === 'conflict')
    if (conflict !== undefined) {
      throw new SweepmillError('IDEMPOTENCY_CONFLICT', `The idempotency key belongs to task ${conflict.taskId}, which has another payload. Use a new key, or send the same payload.`, { details: { task_id: conflict.taskId } })
    }
    await this.publish(tasks.filter((_, i) => (inserted[i] as Inserted).kind === 'created'))
    return inserted.map((one) => ({ taskId: one.taskId, created: one.kind === 'created' }))
  }

  /** Sends the messages of rows that are committed. If Redis is away, the reconciler does it later. */
  async publish(tasks: readonly NewTask[]): Promise<void> {
    if (tasks.length === 0) return
    const { stream, book, observer, clock, waypoint } = this.#parts
    for (const task of tasks) {
      observer.enqueued(task.priority, task.taskType)
      waypoint('row_committed', task.taskId)
    }
    const items = tasks.map((task): Publication => ({
      taskId: task.taskId, taskType: task.taskType, priority: task.priority, body: encodeBody(task.data),
      delayMs: task.notBefore === null ? 0 : Math.max(0, Date.parse(task.notBefore) - clock.wallMs()),
    }))
    try {
      const ids = await stream.publish(items)
      for (const { taskId } of tasks) waypoint('published', taskId)
      // Not awaited: if it is lost, the reconciler publishes once more and the duplicate is cleared by its open.
      void book.markPublished(items.map((item, i) => ({ taskId: item.taskId, messageId: ids[i] ?? null }))).catch(() => undefined)
    } catch (thrown) {
      if (toSweepmillError(thrown).code !== 'REDIS_UNAVAILABLE') throw thrown
    }
  }

  async #checkCapacity(tasks: readonly NewTask[]): Promise<void> {
    const { stream, intake, capacity } = this.#parts
    let held: Record<TaskPriority, number>
    let where = 'The queue'
    try {
      held = await stream.lengths()
    } catch {
      // Rows are accepted without Redis, but not without end: the reconciler has to publish them all.
      held = await intake.unpublishedCounts(capacity)
      where = 'Redis is away, and the backlog of'
    }
    for (const priority of PRIORITIES) {
      const added = tasks.reduce((sum, task) => sum + (task.priority === priority ? 1 : 0), 0)
      if (added > 0 && held[priority] + added > capacity) {
        throw new SweepmillError('QUEUE_FULL', `${where} tasks:${priority} holds ${held[priority]} of at most ${capacity} tasks; nothing was accepted. Come back later, or raise STREAM_CAPACITY.`, { details: { priority, length: held[priority], capacity } })
      }
    }
  }

  /** The row that a request would become. Row, message and the hash of an idempotency key are made of one copy of the payload. */
  draft(request: TaskRequest): NewTask {
    const data = jsonObject(request.data, 'data', 'refuse')
    // How a spec orders its parameters is none of what it asks for: a repeat may write them otherwise.
    const { params_order: _order, ...asked } = data
    const text = JSON.stringify(data)
    if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
      throw new SweepmillError('PAYLOAD_TOO_LARGE', `The payload has ${Buffer.byteLength(text)} bytes; at most ${MAX_PAYLOAD_BYTES} are taken.`)
    }
    return {
      taskId: newTaskId(this.#parts.clock.wallMs()),
      taskType: textOf('taskType', request.taskType) ?? refuseInput('taskType', request.taskType, TASK_TEXT_FORM),
      priority: priorityOf(request) ?? defaultPriority(request.taskType, request.notBefore !== undefined),
      data,
      ...taskLabel(request),
      userId: textOf('userId', request.userId),
      ipAddress: textOf('ipAddress', request.ipAddress),
      timeoutSeconds: wholeOf('timeoutSeconds', request.timeoutSeconds, 1) ?? TASK_DEFAULTS.timeoutSeconds,
      maxRetries: wholeOf('maxRetries', request.maxRetries, 0) ?? TASK_DEFAULTS.maxRetries,
      idempotencyKey: textOf('idempotencyKey', request.idempotencyKey),
      notBefore: momentOf('notBefore', request.notBefore),
      deadlineAt: momentOf('deadlineAt', request.deadlineAt),
      payloadHash: createHash('sha256').update(`${request.taskType}\n${canonicalJson(asked)}`).digest('hex'),
      attachKey: textOf('attachKey', request.attachKey),
    }
  }
}

function priorityOf({ priority }: TaskRequest): TaskPriority | undefined {
  checkPriority(priority)
  return priority ?? undefined
}

function textOf(key: string, value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null
  if (!isTaskText(value)) throw refusal(key, TASK_TEXT_FORM)
  return value
}

/** A column of 32 bits. */
function wholeOf(key: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= least && value < 2 ** 31)) return value
  throw refusal(key, `a whole number from ${least} to ${2 ** 31 - 1}`)
}

function momentOf(key: string, value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null
  const moment = typeof value === 'string' ? readMoment(value) : undefined
  if (moment === undefined) throw refusal(key, MOMENT_FORM)
  return moment
}

function refusal(key: string, wanted: string): SweepmillError {
  return new SweepmillError('SPEC_INVALID', `${key} must be ${wanted}.`, { details: { path: key } })
}
