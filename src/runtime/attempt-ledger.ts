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
import type { DeadLetterDesk } from '../tasks/dead-letters.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { AttemptStore, Opened, OpenRequest, PublicationBook, TaskDesk } from '../tasks/task-store.js'
import type { Attempt, DeadLetterReason, Outcome } from '../tasks/task.js'
import type { DeadLetter, Delivery, Settlement, TaskConsumer } from '../tasks/task-stream.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import type { LeaseKeeper } from './lease-keeper.js'

/** How long an open or a commit is tried again while Postgres is away. The lease goes on being renewed meanwhile. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 250
/** An entry in a format this version cannot read goes back for a newer worker, this much later. */
const NEWER_DELAY_MS = 5000

export interface LedgerParts {
  readonly consumer: TaskConsumer
  readonly attempts: AttemptStore
  readonly desk: TaskDesk
  readonly book: PublicationBook
  readonly deadLetters: DeadLetterDesk
  readonly keeper: LeaseKeeper
  readonly observer: QueueObserver
  readonly clock: Clock
  readonly owner: string
  readonly waypoint: PassWaypoint
}

export type Closing = 'committed' | 'fenced'

export class AttemptLedger {
  readonly #parts: LedgerParts

  constructor(parts: LedgerParts) {
    this.#parts = parts
  }

  /**
   * The attempts that the deliveries stand for; whoever gets them holds their leases from now on. While Postgres is
   * away the deliveries stay in hand and the open is tried again. Throws when that lasts a minute or `signal` aborts;
   * the entries then lapse like any other.
   */
  async open(delivered: readonly Delivery[], signal?: AbortSignal): Promise<Attempt[]> {
    const { keeper, waypoint } = this.#parts
    // A group that was made again delivers what runs here once more: the attempt that runs will settle the entry.
    const deliveries = delivered.filter((delivery) => !keeper.holds(delivery))
    const held = deliveries.map((delivery) => keeper.hold({ ...delivery, stop: () => undefined, check: () => undefined }))
    try {
      for (const { taskId } of deliveries) waypoint('picked', taskId)
      const started = await this.#open(deliveries, signal)
      for (const { taskId } of started) waypoint('opened', taskId)
      return started
    } finally {
      for (const release of held) release()
    }
  }

  async #open(deliveries: readonly Delivery[], signal: AbortSignal | undefined): Promise<Attempt[]> {
    const { observer } = this.#parts
    const readable: { delivery: Delivery; data: Record<string, unknown> | null }[] = []
    const settle: Settlement[] = []
    for (const delivery of deliveries) {
      if (delivery.takenFrom !== null) observer.recovered(delivery.priority)
      const body = this.#decode(delivery)
      if (body === 'garbage') await this.#bury(delivery)
      else if (body === 'newer') settle.push(entryOf(delivery, { kind: 'delay', taskId: delivery.taskId, taskType: delivery.taskType, delayMs: NEWER_DELAY_MS }))
      else readable.push({ delivery, data: body })
    }
    const requests = readable.map(({ delivery, data }): OpenRequest => ({
      taskId: delivery.taskId, messageId: delivery.messageId, priority: delivery.priority, takenFrom: delivery.takenFrom, needsData: data === null,
    }))
    const opened = await this.#openRows(requests, signal)
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
          settle.push(entryOf(delivery, { kind: 'dead_letter', letter: await this.#letter(delivery.taskId, {
            ...letterOf(delivery, 'poison', { code: 'THREAD_LOST', message: 'The task ended its process again and again without progress.' }), attempts: verdict.attempts, generation: verdict.generation,
          }) }))
      }
    }
    // What cannot be cleared away now, because Redis is gone, lapses and is cleared by a later open.
    await this.#ifServed(async () => { if (settle.length > 0) await this.#parts.consumer.settle(settle) })
    return started
  }

  async #openRows(requests: readonly OpenRequest[], signal: AbortSignal | undefined): Promise<Opened[]> {
    const { attempts, owner, clock } = this.#parts
    const deadline = clock.monotonicMs() + PATIENCE_MS
    for (;;) {
      try {
        return await attempts.open(requests, owner)
      } catch (thrown) {
        const error = toSweepmillError(thrown)
        if (error.code !== 'POSTGRES_UNAVAILABLE' || signal?.aborted === true || clock.monotonicMs() > deadline) throw error
        await clock.sleep(PAUSE_MS, signal)
      }
    }
  }

  /** Does what a later open would do anyway, unless a server is away. */
  async #ifServed(clear: () => Promise<void>): Promise<void> {
    try {
      await clear()
    } catch (thrown) {
      const { code } = toSweepmillError(thrown)
      if (code !== 'REDIS_UNAVAILABLE' && code !== 'POSTGRES_UNAVAILABLE') throw thrown
    }
  }

  /**
   * Commits the outcome, then settles the entry. A commit whose answer was lost is resolved by reading the row.
   * Throws when Postgres stayed away for a minute (the lease then lapses and the task runs elsewhere), and for a result
   * that cannot be stored: then nothing was written, and the attempt may still end in another way. An end with an error
   * is written in any case, without the error's words if need be. `unheard`: an earlier close of this attempt got no answer.
   */
  async close(attempt: Attempt, outcome: Outcome, startedMs: number, unheard = false): Promise<Closing> {
    const { observer, clock, waypoint } = this.#parts
    waypoint('before_commit', attempt.taskId)
    if (!await this.#commitAnyhow(attempt, outcome, unheard)) {
      observer.fencedWrite('finish')
      return 'fenced'
    }
    waypoint('committed', attempt.taskId)
    const durationMs = clock.monotonicMs() - startedMs
    switch (outcome.kind) {
      case 'completed': observer.completed(attempt.priority, attempt.taskType, durationMs); break
      case 'failed': observer.failed(attempt.priority, attempt.taskType, outcome.error.code, durationMs); break
      case 'cancelled': observer.cancelled(attempt.priority, attempt.taskType, durationMs); break
      case 'dead_letter':
        observer.failed(attempt.priority, attempt.taskType, outcome.reason, durationMs)
        observer.deadLettered(attempt.taskType)
        break
      case 'retry': observer.failed(attempt.priority, attempt.taskType, outcome.error.code, durationMs); break
      case 'released': break
    }
    await this.#ifServed(() => this.#settle(attempt, outcome))
    waypoint('settled', attempt.taskId)
    return 'committed'
  }

  /** An attempt that could write neither its result nor its error would come again at every lease. */
  async #commitAnyhow(attempt: Attempt, outcome: Outcome, unheard: boolean): Promise<boolean> {
    try {
      return await this.#commit(attempt, outcome, unheard)
    } catch (thrown) {
      const bare = withoutWords(outcome)
      if (toSweepmillError(thrown).code === 'POSTGRES_UNAVAILABLE' || bare === null) throw thrown
      return this.#commit(attempt, bare, unheard)
    }
  }

  async #commit(attempt: Attempt, outcome: Outcome, unheard: boolean): Promise<boolean> {
    const { attempts, desk, clock } = this.#parts
    const deadline = clock.monotonicMs() + PATIENCE_MS
    for (let unknown = unheard; ; ) {
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
        await clock.sleep(PAUSE_MS)
      }
    }
  }

  /** If Redis is away the outcome stands all the same, and what stays on the stream is cleared by a later open. */
  async #settle(attempt: Attempt, outcome: Outcome): Promise<void> {
    const { consumer, book } = this.#parts
    const entry = { priority: attempt.priority, messageId: attempt.messageId }
    switch (outcome.kind) {
      case 'completed': case 'failed': case 'cancelled':
        await consumer.settle([{ ...entry, move: { kind: 'done' } }])
        break
      case 'dead_letter':
        await consumer.settle([{ ...entry, move: { kind: 'dead_letter', letter: await this.#letter(attempt.taskId, {
          ...letterOf(attempt, outcome.reason, outcome.error), attempts: attempt.attempt, generation: attempt.generation,
        }) } }])
        break
      case 'retry': case 'released':
      {
        const [moved] = await consumer.settle([{ ...entry, move: { kind: 'delay', taskId: attempt.taskId, taskType: attempt.taskType, delayMs: outcome.delayMs } }])
        // An entry that somebody else owns by now was not moved: the row is without a message, and the reconciler sends one.
        if (moved === true) await book.markPublished([{ taskId: attempt.taskId, messageId: null }])
      }
    }
  }

  /** As the committed row tells it; what is known here when there is no row, or it cannot be read. */
  async #letter(taskId: string, known: DeadLetter): Promise<DeadLetter> {
    if (!isTaskId(taskId)) return known
    const [record] = await this.#parts.deadLetters.list({ taskIds: [taskId] }).catch(() => [])
    return record ?? known
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
      const [opened] = await attempts.open([{ taskId: delivery.taskId, messageId: delivery.messageId, priority: delivery.priority, takenFrom: delivery.takenFrom, needsData: false }], owner)
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
    await this.#parts.consumer.settle([entryOf(delivery, { kind: 'dead_letter', letter: await this.#letter(delivery.taskId, letterOf(delivery, 'undecodable', error)) })])
  }
}

/** The same end, and of its error the code alone; null where there is no error to leave out. */
function withoutWords(outcome: Outcome): Outcome | null {
  if (outcome.kind === 'released') return { ...outcome, why: 'its reason could not be stored' }
  return 'error' in outcome ? { ...outcome, error: { code: outcome.error.code, message: 'The error could not be stored.' } } : null
}

function statusAfter(outcome: Outcome): string {
  return outcome.kind === 'retry' || outcome.kind === 'released' ? 'pending' : outcome.kind
}

function entryOf(delivery: Delivery, move: Settlement['move']): Settlement {
  return { priority: delivery.priority, messageId: delivery.messageId, move }
}

function letterOf(entry: Pick<Delivery, 'priority' | 'taskId' | 'taskType'>, reason: DeadLetterReason, error: ErrorData): DeadLetter {
  return { taskId: entry.taskId, taskType: entry.taskType, priority: entry.priority, reason, error, attempts: 0, generation: 0 }
}
