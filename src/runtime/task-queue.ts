/**
 * The queue as a library: enqueue, dequeue, acknowledge, checkpoint, dead-letter, recover.
 *
 * Every dequeued task is an opened attempt with a lease that this object renews until the receipt is settled.
 * A receipt is needed for everything, because an acknowledgement without an attempt cannot be fenced: when
 * another attempt owns the task, the call throws LEASE_LOST and changes nothing. A closing that was refused for what
 * it carries (a result that is too large, or no JSON) changes nothing either, and the receipt can be closed in another way.
 */
import { hasCode, SweepmillError, toSweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { isTaskId } from '../base/ids.js'
import { jsonValue } from '../base/json-value.js'
import type { Random } from '../base/random.js'
import { DEFAULT_RETRY, outcomeOfError } from '../tasks/retry-policy.js'
import { leaseLost } from '../tasks/lease-lost.js'
import type { FencedWrite } from '../tasks/lease-lost.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { AttemptStore, TaskDesk } from '../tasks/task-store.js'
import type { Attempt, Checkpoint, Outcome, TaskPriority } from '../tasks/task.js'
import type { PendingEntry, TaskStream } from '../tasks/task-stream.js'
import type { AttemptLedger } from './attempt-ledger.js'
import { checkKeys, checkPriority, checkWhole, refuseInput } from './caller-input.js'
import { deadlinePassed } from './attempt-stop.js'
import type { LeaseKeeper } from './lease-keeper.js'
import type { PauseGate } from './pause-gate.js'
import type { Publisher, TaskRequest } from './publisher.js'
import type { Recovery } from './recovery.js'

export interface TaskReceipt {
  readonly messageId: string
  readonly priority: TaskPriority
  readonly taskId: string
  readonly taskType: string
  /** The fence: every later call carries it. */
  readonly attempt: number
  readonly payload: Readonly<Record<string, unknown>>
  /** Aborted when the lease is lost, the task is cancelled, its deadline has passed, or no checkpoint was saved for the task's timeout. */
  readonly signal: AbortSignal
}

export interface DequeueOptions {
  /** At most so many tasks; default 1. */
  readonly count?: number
  /** Wait so long for the first task, in milliseconds; default 5000. */
  readonly blockMs?: number
  readonly priority?: TaskPriority
}

export interface TaskQueueParts {
  readonly stream: TaskStream
  readonly gate: PauseGate
  readonly publisher: Publisher
  readonly ledger: AttemptLedger
  readonly keeper: LeaseKeeper
  readonly recovery: Recovery
  readonly observer: QueueObserver
  readonly attempts: AttemptStore
  readonly desk: TaskDesk
  readonly clock: Clock
  readonly random: Random
}

interface Held {
  readonly attempt: Attempt
  readonly startedMs: number
  progressMs: number
  /** An earlier closing may have been committed without an answer. */
  unheard: boolean
  readonly release: () => void
  /** The closing before: it is done, or was refused, before another one is tried. */
  closing: Promise<unknown>
}

/** Characters of a checkpoint that goes into the live feed. */
const MAX_FEED_LENGTH = 65_536

function jsonText(value: unknown, root: string): string {
  return JSON.stringify(jsonValue(value, root, 'keep'))
}

const DEQUEUE_KEYS: readonly string[] = Object.keys({ count: 1, blockMs: 1, priority: 1 } satisfies Record<keyof DequeueOptions, 1>)

const REQUEST_KEYS: readonly string[] = Object.keys({
  taskType: 1, data: 1, priority: 1, name: 1, tags: 1, userId: 1, ipAddress: 1, timeoutSeconds: 1, maxRetries: 1, idempotencyKey: 1, notBefore: 1, deadlineAt: 1, attachKey: 1,
} satisfies Record<keyof TaskRequest, 1>)

/** A slip in a key (`maxRetry`) would be a task with the default. */
function refuseUnknown(requests: readonly TaskRequest[]): void {
  if (!Array.isArray(requests)) refuseInput('requests', requests, 'a list of requests')
  for (const request of requests) checkKeys(request, 'The request', REQUEST_KEYS)
}

export class TaskQueue {
  readonly #parts: TaskQueueParts
  readonly #held = new Map<string, Held>()
  #takeOver: readonly PendingEntry[] = []

  constructor(parts: TaskQueueParts) {
    this.#parts = parts
  }

  /** The id of the accepted task: the row is committed when this resolves. A repeated idempotency key gives the first id. */
  async enqueueTask(request: TaskRequest): Promise<string> {
    refuseUnknown([request])
    const [accepted] = await this.#parts.publisher.accept([request], false)
    if (accepted === undefined) throw new SweepmillError('INVARIANT', 'An accepted task has no id.')
    return accepted.taskId
  }

  /** All of them or none, in one transaction. */
  async enqueueTasks(requests: readonly TaskRequest[]): Promise<string[]> {
    refuseUnknown(requests)
    return (await this.#parts.publisher.accept(requests, true)).map((accepted) => accepted.taskId)
  }

  /** HIGH before MEDIUM before LOW, or by weight; nothing of a paused priority; an empty list when nothing came within `blockMs`. */
  async dequeueTask(options: DequeueOptions = {}): Promise<TaskReceipt[]> {
    checkKeys(options, 'The options', DEQUEUE_KEYS)
    checkWhole('count', options.count, 1)
    checkWhole('blockMs', options.blockMs, 0)
    checkPriority(options.priority)
    const { stream, gate, ledger, clock } = this.#parts
    const count = options.count ?? 1
    const deadline = clock.monotonicMs() + (options.blockMs ?? 5000)
    const receipts: TaskReceipt[] = []
    const never = new AbortController().signal
    for (;;) {
      const pick = await this.#pick(count - receipts.length, options.priority)
      for (const attempt of await ledger.open(pick.deliveries)) receipts.push(this.#receipt(attempt))
      const left = deadline - clock.monotonicMs()
      if (receipts.length > 0 || left <= 0) return receipts
      // Entries that were cleared away do not count: look again at once.
      if (pick.deliveries.length === 0) await gate.wait((end) => stream.doorbell(pick.lastIds, Math.min(left, pick.nextDueMs ?? left), end), never)
    }
  }

  async #pick(count: number, priority: TaskPriority | undefined): ReturnType<TaskStream['pick']> {
    const only = (p: TaskPriority): number => (priority === undefined || priority === p ? count : 0)
    const limits = await this.#parts.gate.limits({ high: only('high'), medium: only('medium'), low: only('low') })
    const takeOver = this.#takeOver
    this.#takeOver = []
    const pick = await this.#parts.stream.pick(limits, count, takeOver)
    if (pick.groupsCreated > 0 || pick.ghosts.length > 0) this.#parts.recovery.distrust()
    return pick
  }

  #receipt(attempt: Attempt): TaskReceipt {
    const abort = new AbortController()
    const startedMs = this.#parts.clock.monotonicMs()
    let expired = false
    const stop = (reason: SweepmillError): void => { if (!abort.signal.aborted) abort.abort(reason) }
    const release = this.#parts.keeper.hold({
      taskId: attempt.taskId, priority: attempt.priority, messageId: attempt.messageId, stop,
      check: (nowMs) => {
        if (expired) return
        if (attempt.deadlineMs !== null && nowMs - startedMs >= attempt.deadlineMs) stop(deadlinePassed(attempt.taskId))
        else if (nowMs - held.progressMs > attempt.timeoutSeconds * 1000) stop(new SweepmillError('TASK_TIMEOUT', `Task ${attempt.taskId} saved no checkpoint for ${attempt.timeoutSeconds} s.`))
        else return
        expired = true
        this.#expire(receipt)
      },
    })
    const held: Held = { attempt, startedMs, progressMs: startedMs, unheard: false, release, closing: Promise.resolve() }
    this.#held.set(attempt.taskId, held)
    const receipt: TaskReceipt = {
      messageId: attempt.messageId, priority: attempt.priority, taskId: attempt.taskId, taskType: attempt.taskType,
      attempt: attempt.attempt, payload: attempt.data, signal: abort.signal,
    }
    return receipt
  }

  /** A handler that hangs keeps its lease only until its timeout: the attempt ends here, whatever the handler still does. */
  #expire(receipt: TaskReceipt): void {
    const reason = toSweepmillError(receipt.signal.reason)
    // A server that is away leaves it to the lease, which nobody renews any more.
    this.failTask(receipt, reason).catch(() => { this.#letGo(receipt) })
  }

  /**
   * Completes the task with an optional JSON result (at most 64 KiB). Committed, acked and deleted when this resolves.
   * Throws SPEC_INVALID with the path of what is no JSON, and PAYLOAD_TOO_LARGE; the receipt then stands as before.
   */
  async acknowledgeTask(receipt: TaskReceipt, result?: unknown): Promise<void> {
    this.#heldOf(receipt, 'finish')
    await this.#close(receipt, { kind: 'completed', resultJson: result === undefined ? null : jsonText(result, 'result') })
  }

  /** Ends the attempt with an error: retried with backoff when its code is transient, else failed; a dead letter when retries are used up. */
  async failTask(receipt: TaskReceipt, thrown: unknown): Promise<Outcome['kind']> {
    const outcome = outcomeOfError(this.#heldOf(receipt, 'finish').attempt, toSweepmillError(thrown, 'COMPUTE_FAILED').toData(), DEFAULT_RETRY, this.#parts.random)
    await this.#close(receipt, outcome)
    return outcome.kind
  }

  async moveToDlq(receipt: TaskReceipt, thrown: unknown): Promise<void> {
    await this.#close(receipt, { kind: 'dead_letter', reason: 'moved_by_caller', error: toSweepmillError(thrown, 'COMPUTE_FAILED').toData() })
  }

  /** JSON of at most 1 MiB. Throws as `acknowledgeTask` does. */
  async saveCheckpoint(receipt: TaskReceipt, step: string, data: unknown): Promise<void> {
    const held = this.#heldOf(receipt, 'checkpoint')
    if (typeof step !== 'string' || step === '') refuseInput('step', step, 'a text')
    const json = jsonText(data ?? null, 'data')
    if (!await this.#parts.attempts.checkpoint(receipt.taskId, receipt.attempt, step, json)) {
      this.#parts.observer.fencedWrite('checkpoint')
      throw leaseLost(receipt.taskId, 'checkpoint')
    }
    held.progressMs = this.#parts.clock.monotonicMs()
    // Redis keeps thousands of them: a large one is to be read from the row.
    await this.#parts.stream.checkpointFeed(receipt.taskId, step, json.length > MAX_FEED_LENGTH ? 'null' : json).catch(() => undefined)
  }

  /** Oldest first. TASK_NOT_FOUND for what is no id. */
  async getCheckpoints(taskId: string): Promise<Checkpoint[]> {
    if (!isTaskId(taskId)) throw new SweepmillError('TASK_NOT_FOUND', `No task has the id ${JSON.stringify(taskId)}.`, { details: { task_id: taskId } })
    return this.#parts.desk.checkpoints(taskId)
  }

  /**
   * One round of recovery: publishes what Redis lost, and marks lapsed leases so that the next dequeue takes them
   * over. Returns how many tasks it found. A lease lapses only after two rounds a lease apart, unless its owner is surely dead.
   */
  async recoverStalledTasks(): Promise<number> {
    const { published, lapsed } = await this.#parts.recovery.round()
    this.#takeOver = lapsed
    return published + lapsed.length
  }

  async #close(receipt: TaskReceipt, outcome: Outcome): Promise<void> {
    const before = this.#heldOf(receipt, 'finish').closing
    const closing = before.catch(() => undefined).then(() => this.#closeNow(receipt, outcome))
    this.#heldOf(receipt, 'finish').closing = closing
    return closing
  }

  /** One at a time: of two that were called together the first one stands, and the other is told. */
  async #closeNow(receipt: TaskReceipt, outcome: Outcome): Promise<void> {
    const held = this.#heldOf(receipt, 'finish')
    // What throws here was refused, or may not have arrived: the attempt is still this receipt's to end.
    const closing = await this.#parts.ledger.close(held.attempt, outcome, held.startedMs, held.unheard).catch((thrown: unknown) => {
      held.unheard ||= hasCode(thrown, 'POSTGRES_UNAVAILABLE')
      throw thrown
    })
    this.#letGo(receipt)
    if (closing === 'fenced') throw leaseLost(receipt.taskId, 'finish')
  }

  #letGo(receipt: TaskReceipt): void {
    const held = this.#held.get(receipt.taskId)
    if (held === undefined || held.attempt.attempt !== receipt.attempt) return
    this.#held.delete(receipt.taskId)
    held.release()
  }

  #heldOf(receipt: TaskReceipt, write: FencedWrite): Held {
    const held = this.#held.get(receipt.taskId)
    if (held === undefined || held.attempt.attempt !== receipt.attempt) throw this.#closed(receipt, write)
    return held
  }

  #closed(receipt: TaskReceipt, write: FencedWrite): SweepmillError {
    this.#parts.observer.fencedWrite(write)
    return new SweepmillError('LEASE_LOST', `The receipt of attempt ${receipt.attempt} of task ${receipt.taskId} is closed: the attempt was ended, or its lease was lost. It writes nothing more.`,
      { details: { task_id: receipt.taskId, write } })
  }
}
