/**
 * Where a worker's next deliveries come from: the streams, or, for an in-process session, its own task alone.
 */
import type { Clock } from '../base/clock.js'
import { isFinal } from '../tasks/task.js'
import type { TaskDesk } from '../tasks/task-store.js'
import type { Delivery, Limits, PendingEntry, TaskStream } from '../tasks/task-stream.js'
import type { PauseGate } from './pause-gate.js'

export interface TaskSource {
  /** Deliveries within the limits, at least one unless nothing came for a while or `signal` aborted. */
  next(limits: Limits, total: number, signal: AbortSignal): Promise<readonly Delivery[]>
  /** Entries to take over at the next call. */
  offer(lapsed: readonly PendingEntry[]): void
}

export class StreamSource implements TaskSource {
  readonly #stream: TaskStream
  readonly #gate: PauseGate
  readonly #pollMs: number
  readonly #onDisturbed: () => void
  #lapsed: readonly PendingEntry[] = []

  /** `pollMs` bounds how long a lost wake-up can go unnoticed. `onDisturbed` hears that Redis lost something. */
  constructor(stream: TaskStream, gate: PauseGate, pollMs: number, onDisturbed: () => void) {
    this.#stream = stream
    this.#gate = gate
    this.#pollMs = pollMs
    this.#onDisturbed = onDisturbed
  }

  async next(limits: Limits, total: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const lapsed = this.#lapsed
    this.#lapsed = []
    const pick = await this.#stream.pick(await this.#gate.limits(limits), total, lapsed)
    if (pick.groupsCreated > 0 || pick.ghosts.length > 0) this.#onDisturbed()
    if (pick.deliveries.length > 0) return pick.deliveries
    const forMs = Math.max(1, Math.min(this.#pollMs, pick.nextDueMs ?? this.#pollMs))
    await this.#gate.wait((end) => this.#stream.doorbell(pick.lastIds, forMs, end), signal)
    return []
  }

  offer(lapsed: readonly PendingEntry[]): void {
    this.#lapsed = lapsed
  }
}

/** How often a session looks whether its task can be taken (again). */
const SESSION_POLL_MS = 100

export interface SessionSourceParts {
  readonly stream: TaskStream
  readonly gate: PauseGate
  readonly desk: TaskDesk
  readonly clock: Clock
  readonly taskId: () => string | null
  readonly deadConsumers: () => Promise<ReadonlySet<string>>
}

export class SessionSource implements TaskSource {
  readonly #parts: SessionSourceParts
  #lapsed: readonly PendingEntry[] = []

  constructor(parts: SessionSourceParts) {
    this.#parts = parts
  }

  async next(_limits: Limits, _total: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const delivery = await this.#take()
    if (delivery !== null) return [delivery]
    await this.#parts.clock.sleep(SESSION_POLL_MS, signal)
    return []
  }

  offer(lapsed: readonly PendingEntry[]): void {
    this.#lapsed = lapsed
  }

  async #take(): Promise<Delivery | null> {
    const { stream, gate, desk, deadConsumers } = this.#parts
    const taskId = this.#parts.taskId()
    const task = taskId === null ? null : await desk.get(taskId)
    if (task === null || isFinal(task.status) || !await gate.isOpen(task.priority)) return null
    if (task.messageId === null) {
      // A retry waits in the delayed set, and a row whose publication was lost waits for the reconciler: either way
      // this session publishes it again by itself; the open refuses whichever copy comes second or too early. It is
      // the open that writes the entry into the row: noted here, an entry that came too early, and went to the delayed
      // set, would be polled for indefinitely, because no session promotes what is due.
      if (task.status !== 'pending') return null
      const [id] = await stream.publish([{ taskId: task.taskId, taskType: task.taskType, priority: task.priority, body: null, delayMs: 0 }])
      return id === null || id === undefined ? null : stream.take({ priority: task.priority, messageId: id }, [])
    }
    const messageId = task.messageId
    const dead = await deadConsumers()
    const lapsedOwners = this.#lapsed.filter((entry) => entry.messageId === messageId).map((entry) => entry.consumer)
    return stream.take({ priority: task.priority, messageId }, [...dead, ...lapsedOwners])
  }
}
