/**
 * Keeps this process from picking what is paused. Postgres holds the pauses; they are looked at before a pick when
 * the last look is a heartbeat old, at once when the bell rang, and in the call itself for a pause made here.
 *
 * While Postgres is away the last look counts: a pause must not end because a server restarts, and without Postgres
 * no attempt opens anyway.
 */
import type { Clock } from '../base/clock.js'
import type { PauseBook } from '../tasks/pause-book.js'
import type { TaskPriority } from '../tasks/task.js'
import type { Limits } from '../tasks/task-stream.js'
import { checkPriorities } from './caller-input.js'

export class PauseGate implements PauseBook {
  readonly #book: PauseBook
  readonly #clock: Clock
  readonly #heartbeatMs: number
  readonly #waiting = new Set<() => void>()
  #known: readonly TaskPriority[] = []
  #lookedMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> = Promise.resolve()

  constructor(book: PauseBook, clock: Clock, heartbeatMs: number) {
    this.#book = book
    this.#clock = clock
    this.#heartbeatMs = heartbeatMs
  }

  async paused(): Promise<readonly TaskPriority[]> {
    return this.#heed(await this.#book.paused())
  }

  async pause(priorities: readonly TaskPriority[]): Promise<readonly TaskPriority[]> {
    checkPriorities(priorities)
    return this.#heed(await this.#book.pause(priorities))
  }

  async resume(priorities: readonly TaskPriority[]): Promise<readonly TaskPriority[]> {
    checkPriorities(priorities)
    return this.#heed(await this.#book.resume(priorities))
  }

  /** The limits of a pick, 0 for what is paused. */
  async limits(limits: Limits): Promise<Limits> {
    await this.#look()
    const open = (priority: TaskPriority): number => (this.#known.includes(priority) ? 0 : limits[priority])
    return { high: open('high'), medium: open('medium'), low: open('low') }
  }

  async isOpen(priority: TaskPriority): Promise<boolean> {
    await this.#look()
    return !this.#known.includes(priority)
  }

  /** Somebody paused or resumed: the next pick looks, and whoever waits for work picks at once. */
  ring(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY
    for (const wake of this.#waiting) wake()
  }

  /** Runs a wait for work whose signal aborts with `signal`, or when somebody paused or resumed. */
  async wait(until: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const end = new AbortController()
    const wake = (): void => { end.abort() }
    if (signal.aborted) wake()
    signal.addEventListener('abort', wake, { once: true })
    this.#waiting.add(wake)
    try {
      await until(end.signal)
    } finally {
      this.#waiting.delete(wake)
      signal.removeEventListener('abort', wake)
    }
  }

  async #look(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#lookedMs >= this.#heartbeatMs) {
      this.#lookedMs = this.#clock.monotonicMs()
      // After the look under way, not instead of it: that one may have read before the bell rang.
      this.#looking = this.#looking.then(() => this.#book.paused()).then((paused) => { this.#known = paused }, () => undefined)
    }
    await this.#looking
  }

  #heed(paused: readonly TaskPriority[]): readonly TaskPriority[] {
    const changed = paused.join() !== this.#known.join()
    this.#known = paused
    this.#lookedMs = this.#clock.monotonicMs()
    if (changed) for (const wake of this.#waiting) wake()
    return paused
  }
}
