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
import { leaseLost } from '../tasks/lease-lost.js'
import type { FencedWrite } from '../tasks/lease-lost.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { AttemptStore, TaskDesk } from '../tasks/task-store.js'
import type { Attempt, Checkpoint, Outcome, TaskPriority } from '../tasks/task.js'
import type { PendingEntry, TaskStream } from '../tasks/task-stream.js'
import type { AttemptLedger } from './attempt-ledger.js'
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

  /** HIGH before MEDIUM before LOW, or by weight; nothing of a paused priority; an empty list when nothing came within `blockMs`. */
  async dequeueTask(options: DequeueOptions = {}): Promise<TaskReceipt[]> {
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
    const stop = (reason: SweepmillError): void => { if (!abort.signal.aborted) abort.abort(reason) }
    const release = this.#parts.keeper.hold({
      taskId: attempt.taskId, priority: attempt.priority, messageId: attempt.messageId, stop,
      check: (nowMs) => {
        if (abort.signal.aborted) return
        if (attempt.deadlineMs !== null && nowMs - startedMs >= attempt.deadlineMs) stop(deadlinePassed(attempt.taskId))
        else if (nowMs - held.progressMs > attempt.timeoutSeconds * 1000) stop(new SweepmillError('TASK_TIMEOUT', `Task ${attempt.taskId} saved no checkpoint for ${attempt.timeoutSeconds} s.`))
        else return
        this.#expire(receipt)
      },
    })
    const held: Held = { attempt, startedMs, progressMs: startedMs, release }
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
    this.failTask(receipt, reason).catch(() => undefined)
  }

  /** Completes the task with an optional JSON result (at most 64 KiB). Committed, acked and deleted when this resolves. */
  async acknowledgeTask(receipt: TaskReceipt, result?: unknown): Promise<void> {
    await this.#close(receipt, { kind: 'completed', resultJson: result === undefined ? null : JSON.stringify(result) })
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

  async saveCheckpoint(receipt: TaskReceipt, step: string, data: unknown): Promise<void> {
    const json = JSON.stringify(data ?? null)
    const held = this.#heldOf(receipt, 'checkpoint')
    if (!await this.#parts.attempts.checkpoint(receipt.taskId, receipt.attempt, step, json)) throw this.#refused(receipt, 'checkpoint')
    held.progressMs = this.#parts.clock.monotonicMs()
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
    const held = this.#heldOf(receipt, 'finish')
    try {
      if (await this.#parts.ledger.close(held.attempt, outcome, held.startedMs) === 'fenced') throw leaseLost(receipt.taskId, 'finish')
    } finally {
      this.#held.delete(receipt.taskId)
      held.release()
    }
  }

  #heldOf(receipt: TaskReceipt, write: FencedWrite): Held {
    const held = this.#held.get(receipt.taskId)
    if (held === undefined || held.attempt.attempt !== receipt.attempt) throw this.#refused(receipt, write)
    return held
  }

  #refused(receipt: TaskReceipt, write: FencedWrite): SweepmillError {
    this.#parts.observer.fencedWrite(write)
    return leaseLost(receipt.taskId, write)
  }
}
