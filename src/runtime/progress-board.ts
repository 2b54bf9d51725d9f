/**
 * The latest progress of the tasks that run here: shown to waiting callers of this process at once, written to
 * Postgres (fenced) in one batch every half second for everybody else.
 */
import type { Clock } from '../base/clock.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { AttemptStore } from '../tasks/task-store.js'
import type { Attempt, Progress } from '../tasks/task.js'

const WRITE_EVERY_MS = 500

export class ProgressBoard {
  readonly #attempts: AttemptStore
  readonly #observer: QueueObserver
  readonly #latest = new Map<string, Progress>()
  readonly #unwritten = new Map<string, { taskId: string; attempt: number; progress: Progress }>()
  readonly #stopTimer: () => void
  #writing: Promise<void> = Promise.resolve()

  constructor(attempts: AttemptStore, observer: QueueObserver, clock: Clock) {
    this.#attempts = attempts
    this.#observer = observer
    this.#stopTimer = clock.every(WRITE_EVERY_MS, () => { this.#writing = this.#write() })
  }

  report(attempt: Attempt, progress: Progress): void {
    this.#latest.set(attempt.taskId, progress)
    this.#unwritten.set(attempt.taskId, { taskId: attempt.taskId, attempt: attempt.attempt, progress })
  }

  latest(taskId: string): Progress | null {
    return this.#latest.get(taskId) ?? null
  }

  /** The attempt is over; what it reported last is still written. */
  ended(taskId: string): void {
    this.#latest.delete(taskId)
  }

  async #write(): Promise<void> {
    if (this.#unwritten.size === 0) return
    const items = [...this.#unwritten.values()]
    this.#unwritten.clear()
    // A lost write is replaced by the next one.
    const refused = await this.#attempts.progress(items).catch(() => 0)
    for (let i = 0; i < refused; i += 1) this.#observer.fencedWrite('progress')
  }

  async stop(): Promise<void> {
    this.#stopTimer()
    await this.#writing
  }
}
