/**
 * The queue as a library: enqueue, dequeue, acknowledge, checkpoint, dead-letter, recover.
 *
 * Every dequeued task is an opened attempt with a lease that this object renews until the receipt is settled.
 * A receipt is needed for everything, because an acknowledgement without an attempt cannot be fenced: when
 * another attempt owns the task, the call throws LEASE_LOST and changes nothing.
 */
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import { DEFAULT_RETRY, outcomeOfError } from '../tasks/retry-policy.js'
import type { AttemptStore, TaskDesk } from '../tasks/task-store.js'
import type { Attempt, Checkpoint, Outcome, TaskPriority } from '../tasks/task.js'
import type { PendingEntry, TaskStream } from '../tasks/task-stream.js'
import type { AttemptLedger } from './attempt-ledger.js'
import type { LeaseKeeper } from './lease-keeper.js'
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
  /** Aborted when the lease is lost or the task is cancelled. */
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
  readonly publisher: Publisher
  readonly ledger: AttemptLedger
  readonly keeper: LeaseKeeper
  readonly recovery: Recovery
  readonly attempts: AttemptStore
  readonly desk: TaskDesk
  readonly clock: Clock
  readonly random: Random
}

interface Held {
  readonly attempt: Attempt
  readonly startedMs: number
  readonly release: () => void
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
    const [accepted] = await this.#parts.publisher.accept([request], false)
    if (accepted === undefined) throw new SweepmillError('INVARIANT', 'An accepted task has no id.')
    return accepted.taskId
  }

  /** All of them or none, in one transaction. */
  async enqueueTasks(requests: readonly TaskRequest[]): Promise<string[]> {
    return (await this.#parts.publisher.accept(requests, true)).map((accepted) => accepted.taskId)
  }

  /** HIGH before MEDIUM before LOW; an empty list when nothing came within `blockMs`. */
  async dequeueTask(options: DequeueOptions = {}): Promise<TaskReceipt[]> {
    const { stream, ledger, clock } = this.#parts
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
      if (pick.deliveries.length === 0) await stream.doorbell(pick.lastIds, Math.min(left, pick.nextDueMs ?? left), never)
    }
  }

  #pick(count: number, priority: TaskPriority | undefined): ReturnType<TaskStream['pick']> {
    const only = (p: TaskPriority): number => (priority === undefined || priority === p ? count : 0)
    const takeOver = this.#takeOver
    this.#takeOver = []
    return this.#parts.stream.pick({ high: only('high'), medium: only('medium'), low: only('low') }, count, takeOver)
  }

  #receipt(attempt: Attempt): TaskReceipt {
    const abort = new AbortController()
    const release = this.#parts.keeper.hold({
      taskId: attempt.taskId, priority: attempt.priority, messageId: attempt.messageId,
      stop: (reason) => { if (!abort.signal.aborted) abort.abort(reason) },
      check: () => undefined,
    })
    this.#held.set(attempt.taskId, { attempt, startedMs: this.#parts.clock.monotonicMs(), release })
    return {
      messageId: attempt.messageId, priority: attempt.priority, taskId: attempt.taskId, taskType: attempt.taskType,
      attempt: attempt.attempt, payload: attempt.data, signal: abort.signal,
    }
  }

  /** Completes the task with an optional JSON result (at most 64 KiB). Committed, acked and deleted when this resolves. */
  async acknowledgeTask(receipt: TaskReceipt, result?: unknown): Promise<void> {
    await this.#close(receipt, { kind: 'completed', resultJson: result === undefined ? null : JSON.stringify(result) })
  }

  /** Ends the attempt with an error: retried with backoff when its code is transient, else failed; a dead letter when retries are used up. */
  async failTask(receipt: TaskReceipt, thrown: unknown): Promise<Outcome['kind']> {
    const outcome = outcomeOfError(this.#heldOf(receipt).attempt, toSweepmillError(thrown, 'COMPUTE_FAILED').toData(), DEFAULT_RETRY, this.#parts.random)
    await this.#close(receipt, outcome)
    return outcome.kind
  }

  async moveToDlq(receipt: TaskReceipt, thrown: unknown): Promise<void> {
    await this.#close(receipt, { kind: 'dead_letter', reason: 'moved_by_caller', error: toSweepmillError(thrown, 'COMPUTE_FAILED').toData() })
  }

  async saveCheckpoint(receipt: TaskReceipt, step: string, data: unknown): Promise<void> {
    const json = JSON.stringify(data ?? null)
    if (!await this.#parts.attempts.checkpoint(receipt.taskId, receipt.attempt, step, json)) throw lost(receipt)
    await this.#parts.stream.checkpointFeed(receipt.taskId, step, json).catch(() => undefined)
  }

  /** Oldest first. */
  getCheckpoints(taskId: string): Promise<Checkpoint[]> {
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
    const held = this.#heldOf(receipt)
    try {
      if (await this.#parts.ledger.close(held.attempt, outcome, held.startedMs) === 'fenced') throw lost(receipt)
    } finally {
      this.#held.delete(receipt.taskId)
      held.release()
    }
  }

  #heldOf(receipt: TaskReceipt): Held {
    const held = this.#held.get(receipt.taskId)
    if (held === undefined || held.attempt.attempt !== receipt.attempt) throw lost(receipt)
    return held
  }
}

function lost(receipt: TaskReceipt): SweepmillError {
  return new SweepmillError('LEASE_LOST', `Attempt ${receipt.attempt} no longer owns task ${receipt.taskId}; nothing was written.`)
}
