/**
 * Accepts tasks: capacity at the door, then the row, then the stream.
 *
 * Once the row is committed the task is accepted and nothing is refused any more. If Redis is away, or this
 * process dies in between, the reconciler publishes the row.
 */
import { createHash } from 'node:crypto'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { newTaskId } from '../base/ids.js'
import { encodeBody } from '../tasks/message.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { Inserted, TaskIntake } from '../tasks/task-store.js'
import { defaultPriority, PRIORITIES, TASK_DEFAULTS } from '../tasks/task.js'
import type { NewTask, TaskPriority } from '../tasks/task.js'
import type { Publication, TaskPublisher } from '../tasks/task-stream.js'

/** A payload in a row; messages carry at most 64 KiB of it. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024

export interface TaskRequest {
  readonly taskType: string
  /** JSON object; msgpack carries it when it is at most 64 KiB. */
  readonly data: Readonly<Record<string, unknown>>
  readonly priority?: TaskPriority | undefined
  readonly userId?: string | null | undefined
  readonly ipAddress?: string | null | undefined
  readonly timeoutSeconds?: number | undefined
  readonly maxRetries?: number | undefined
  readonly idempotencyKey?: string | undefined
  /** ISO 8601 time before which the task must not start. */
  readonly notBefore?: string | undefined
  readonly attachKey?: string | undefined
}

export class Publisher {
  readonly #stream: TaskPublisher
  readonly #intake: TaskIntake
  readonly #observer: QueueObserver
  readonly #clock: Clock
  readonly #capacity: number

  constructor(parts: { stream: TaskPublisher; intake: TaskIntake; observer: QueueObserver; clock: Clock; capacity: number }) {
    this.#stream = parts.stream
    this.#intake = parts.intake
    this.#observer = parts.observer
    this.#clock = parts.clock
    this.#capacity = parts.capacity
  }

  /** Per request the task's id and whether this call created it. `atomic`: all of them or none. */
  async accept(requests: readonly TaskRequest[], atomic: boolean): Promise<{ readonly taskId: string; readonly created: boolean }[]> {
    if (requests.length === 0) return []
    const tasks = requests.map((request) => this.#newTask(request))
    await this.#checkCapacity(tasks)
    const inserted = await this.#intake.insert(tasks, atomic)
    const conflict = inserted.find((one) => one.kind === 'conflict')
    if (conflict !== undefined) {
      throw new SweepmillError('IDEMPOTENCY_CONFLICT', `The idempotency key belongs to task ${conflict.taskId}, which has another payload. Use a new key, or send the same payload.`, { details: { task_id: conflict.taskId } })
    }
    await this.#publish(tasks.filter((_, i) => (inserted[i] as Inserted).kind === 'created'))
    return inserted.map((one) => ({ taskId: one.taskId, created: one.kind === 'created' }))
  }

  async #publish(tasks: readonly NewTask[]): Promise<void> {
    if (tasks.length === 0) return
    for (const task of tasks) this.#observer.enqueued(task.priority, task.taskType)
    const items = tasks.map((task): Publication => ({
      taskId: task.taskId, taskType: task.taskType, priority: task.priority, body: encodeBody(task.data),
      delayMs: task.notBefore === null ? 0 : Math.max(0, Date.parse(task.notBefore) - this.#clock.wallMs()),
    }))
    try {
      const ids = await this.#stream.publish(items)
      // Not awaited: if it is lost, the reconciler publishes once more and the duplicate is cleared by its open.
      void this.#intake.markPublished(items.map((item, i) => ({ taskId: item.taskId, messageId: ids[i] ?? null }))).catch(() => undefined)
    } catch (thrown) {
      if (toSweepmillError(thrown).code !== 'REDIS_UNAVAILABLE') throw thrown
    }
  }

  async #checkCapacity(tasks: readonly NewTask[]): Promise<void> {
    let lengths: Record<TaskPriority, number>
    try {
      lengths = await this.#stream.lengths()
    } catch {
      return // Redis is away: the row is what counts.
    }
    for (const priority of PRIORITIES) {
      const added = tasks.reduce((sum, task) => sum + (task.priority === priority ? 1 : 0), 0)
      if (added > 0 && lengths[priority] + added > this.#capacity) {
        throw new SweepmillError('QUEUE_FULL', `The queue tasks:${priority} holds ${lengths[priority]} of at most ${this.#capacity} tasks; nothing was accepted. Come back later, or raise STREAM_CAPACITY.`, { details: { priority, length: lengths[priority], capacity: this.#capacity } })
      }
    }
  }

  #newTask(request: TaskRequest): NewTask {
    const data = request.data
    const text = JSON.stringify(data)
    if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
      throw new SweepmillError('PAYLOAD_TOO_LARGE', `The payload has ${Buffer.byteLength(text)} bytes; at most ${MAX_PAYLOAD_BYTES} are taken.`)
    }
    return {
      taskId: newTaskId(this.#clock.wallMs()),
      taskType: request.taskType,
      priority: request.priority ?? defaultPriority(request.taskType, request.notBefore !== undefined),
      data,
      userId: request.userId ?? null,
      ipAddress: request.ipAddress ?? null,
      timeoutSeconds: request.timeoutSeconds ?? TASK_DEFAULTS.timeoutSeconds,
      maxRetries: request.maxRetries ?? TASK_DEFAULTS.maxRetries,
      idempotencyKey: request.idempotencyKey ?? null,
      notBefore: request.notBefore ?? null,
      payloadHash: createHash('sha256').update(`${request.taskType}\n${text}`).digest('hex'),
      attachKey: request.attachKey ?? null,
    }
  }
}
