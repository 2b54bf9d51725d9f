/**
 * Opens and closes attempts: the one place where a delivery from Redis and a row in Postgres meet.
 *
 * Opening turns deliveries into attempts and clears away everything else (duplicates, garbage, poison, what is
 * not due). Closing commits the outcome first and only then takes the entry off the stream; if the process dies
 * in between, the next open finds a final row and clears the entry.
 */
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { isTaskId } from '../base/ids.js'
import { decodeBody } from '../tasks/message.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { AttemptStore, Opened, OpenRequest, TaskDesk, TaskIntake } from '../tasks/task-store.js'
import type { Attempt, DeadLetterReason, Outcome } from '../tasks/task.js'
import type { Delivery, Settlement, TaskConsumer } from '../tasks/task-stream.js'

/** How long a commit is tried again while Postgres is away. The lease goes on being renewed meanwhile. */
const COMMIT_PATIENCE_MS = 60_000
const COMMIT_PAUSE_MS = 250
/** An entry in a format this version cannot read goes back for a newer worker, this much later. */
const NEWER_DELAY_MS = 5000

export interface LedgerParts {
  readonly consumer: TaskConsumer
  readonly attempts: AttemptStore
  readonly desk: TaskDesk
  readonly intake: TaskIntake
  readonly observer: QueueObserver
  readonly clock: Clock
  readonly owner: string
}

export type Closing = 'committed' | 'fenced'

export class AttemptLedger {
  readonly #parts: LedgerParts

  constructor(parts: LedgerParts) {
    this.#parts = parts
  }

  async open(deliveries: readonly Delivery[]): Promise<Attempt[]> {
    const { attempts, observer, owner } = this.#parts
    const readable: { delivery: Delivery; data: Record<string, unknown> | null }[] = []
    const settle: Settlement[] = []
    for (const delivery of deliveries) {
      if (delivery.reclaimed) observer.recovered(delivery.priority)
      const body = this.#decode(delivery)
      if (body === 'garbage') await this.#bury(delivery)
      else if (body === 'newer') settle.push(entryOf(delivery, { kind: 'delay', taskId: delivery.taskId, taskType: delivery.taskType, delayMs: NEWER_DELAY_MS }))
      else readable.push({ delivery, data: body })
    }
    const requests = readable.map(({ delivery, data }): OpenRequest => ({
      taskId: delivery.taskId, messageId: delivery.messageId, priority: delivery.priority, reclaimed: delivery.reclaimed, needsData: data === null,
    }))
    const opened = await attempts.open(requests, owner)
    const started: Attempt[] = []
    for (const [i, { delivery, data }] of readable.entries()) {
      const verdict = opened[i] as Opened
      switch (verdict.kind) {
        case 'opened': {
          const attempt = data === null ? verdict.attempt : { ...verdict.attempt, data }
          observer.dequeued(attempt.priority, attempt.taskType)
          started.push(attempt)
          break
        }
        case 'stale': settle.push(entryOf(delivery, { kind: 'done' })); break
        case 'not_due': settle.push(entryOf(delivery, { kind: 'delay', taskId: delivery.taskId, taskType: verdict.taskType, delayMs: verdict.delayMs })); break
        case 'missing': await this.#quarantine(delivery, 'no task has this id'); break
        case 'poison':
          observer.deadLettered(verdict.taskType)
          settle.push(entryOf(delivery, letter(delivery, 'poison', { code: 'THREAD_LOST', message: 'The task ended its process again and again without progress.' }, verdict.attempts, verdict.generation)))
      }
    }
    if (settle.length > 0) await this.#parts.consumer.settle(settle)
    return started
  }

  /**
   * Commits the outcome, then settles the entry. A commit whose answer was lost is resolved by reading the row.
   * Throws only when Postgres stayed away for a minute; the lease then lapses and the task runs elsewhere.
   */
  async close(attempt: Attempt, outcome: Outcome, startedMs: number): Promise<Closing> {
    const { observer, clock } = this.#parts
    if (!await this.#commit(attempt, outcome)) {
      observer.fencedWrite('finish')
      return 'fenced'
    }
    const durationMs = clock.monotonicMs() - startedMs
    switch (outcome.kind) {
      case 'completed': observer.completed(attempt.priority, attempt.taskType, durationMs); break
      case 'failed': observer.failed(attempt.priority, attempt.taskType, outcome.error.code, durationMs); break
      case 'cancelled': observer.failed(attempt.priority, attempt.taskType, 'TASK_CANCELLED', durationMs); break
      case 'dead_letter':
        observer.failed(attempt.priority, attempt.taskType, outcome.reason, durationMs)
        observer.deadLettered(attempt.taskType)
        break
      case 'retry': observer.failed(attempt.priority, attempt.taskType, outcome.error.code, durationMs); break
      case 'released': break
    }
    await this.#settle(attempt, outcome)
    return 'committed'
  }

  async #commit(attempt: Attempt, outcome: Outcome): Promise<boolean> {
    const { attempts, desk, clock } = this.#parts
    const deadline = clock.monotonicMs() + COMMIT_PATIENCE_MS
    for (let unknown = false; ; ) {
      try {
        const [held] = await attempts.finish([{ taskId: attempt.taskId, attempt: attempt.attempt, outcome }])
        if (held === true) return true
        if (!unknown) return false
        // An earlier try may have committed: the row says whether this attempt is the one that ended it.
        const row = await desk.get(attempt.taskId)
        return row !== null && row.attempt === attempt.attempt && row.status === statusAfter(outcome)
      } catch (thrown) {
        const error = toSweepmillError(thrown)
        if (error.code !== 'POSTGRES_UNAVAILABLE' || clock.monotonicMs() > deadline) throw error
        unknown = true
        await clock.sleep(COMMIT_PAUSE_MS)
      }
    }
  }

  /** Redis may be away: the outcome stands, and what stays on the stream is cleared by the next open. */
  async #settle(attempt: Attempt, outcome: Outcome): Promise<void> {
    const { consumer, intake } = this.#parts
    const entry = { priority: attempt.priority, messageId: attempt.messageId }
    try {
      switch (outcome.kind) {
        case 'completed': case 'failed': case 'cancelled':
          await consumer.settle([{ ...entry, move: { kind: 'done' } }])
          break
        case 'dead_letter':
          await consumer.settle([{ ...entry, move: letter({ ...entry, taskId: attempt.taskId, taskType: attempt.taskType }, outcome.reason, outcome.error, attempt.attempt, attempt.generation) }])
          break
        case 'retry': case 'released':
          await consumer.settle([{ ...entry, move: { kind: 'delay', taskId: attempt.taskId, taskType: attempt.taskType, delayMs: Math.max(1, outcome.delayMs) } }])
          await intake.markPublished([{ taskId: attempt.taskId, messageId: null }])
      }
    } catch (thrown) {
      const { code } = toSweepmillError(thrown)
      if (code !== 'REDIS_UNAVAILABLE' && code !== 'POSTGRES_UNAVAILABLE') throw thrown
    }
  }

  #decode(delivery: Delivery): Record<string, unknown> | null | 'garbage' | 'newer' {
    if (!isTaskId(delivery.taskId)) return 'garbage'
    if (delivery.body === null) return null
    try {
      const decoded = decodeBody(delivery.body)
      return decoded.kind === 'newer' ? 'newer' : decoded.data
    } catch {
      return 'garbage'
    }
  }

  /** Bytes that do not decode: kept in quarantine, the task (if there is one) becomes a dead letter. */
  async #bury(delivery: Delivery): Promise<void> {
    const error = new SweepmillError('MESSAGE_UNDECODABLE', `Entry ${delivery.messageId} of tasks:${delivery.priority} does not decode.`).toData()
    if (isTaskId(delivery.taskId)) {
      const { attempts, owner, observer } = this.#parts
      const [opened] = await attempts.open([{ taskId: delivery.taskId, messageId: delivery.messageId, priority: delivery.priority, reclaimed: delivery.reclaimed, needsData: false }], owner)
      if (opened?.kind === 'opened') {
        await attempts.finish([{ taskId: delivery.taskId, attempt: opened.attempt.attempt, outcome: { kind: 'dead_letter', reason: 'undecodable', error } }])
        observer.deadLettered(opened.attempt.taskType)
      }
    }
    await this.#quarantine(delivery, 'the bytes do not decode', error)
  }

  async #quarantine(delivery: Delivery, reason: string, error: ErrorData = { code: 'TASK_NOT_FOUND', message: reason }): Promise<void> {
    await this.#parts.attempts.quarantine(delivery.messageId, delivery.priority, delivery.body, reason)
    this.#parts.observer.reconciled('quarantined', 1)
    await this.#parts.consumer.settle([entryOf(delivery, letter(delivery, 'undecodable', error, 0, 0))])
  }
}

function statusAfter(outcome: Outcome): string {
  return outcome.kind === 'retry' || outcome.kind === 'released' ? 'pending' : outcome.kind
}

function entryOf(delivery: Delivery, move: Settlement['move']): Settlement {
  return { priority: delivery.priority, messageId: delivery.messageId, move }
}

function letter(entry: Pick<Delivery, 'priority' | 'taskId' | 'taskType'>, reason: DeadLetterReason, error: ErrorData,
  attempts: number, generation: number): Settlement['move'] {
  return {
    kind: 'dead_letter',
    letter: { taskId: entry.taskId, taskType: entry.taskType, priority: entry.priority, reason, error, attempts, generation },
  }
}
