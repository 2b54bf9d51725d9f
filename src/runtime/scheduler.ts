/**
 * Makes the tasks of schedules that are due. Every worker runs one; a time fires once, because the row of a schedule
 * is locked, its task inserted and its next time set in one transaction. A worker that dies before it publishes the
 * task leaves that to the reconciler. Times that were missed while no worker ran fire once, together.
 */
import type { Clock } from '../base/clock.js'
import type { Firing, Schedule, ScheduleStore } from '../tasks/schedule.js'
import { nextFireAt } from './cron.js'
import type { Publisher } from './publisher.js'

/** A change whose notification was lost is seen after this long at the latest. */
const LOOK_EVERY_MS = 5000
/** Between two looks at least: a due schedule may be in the hands of a worker that is slow to commit. */
const LOOK_AGAIN_MS = 20

export interface SchedulerParts {
  readonly store: ScheduleStore
  readonly publisher: Publisher
  readonly clock: Clock
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

export class Scheduler {
  readonly #parts: SchedulerParts
  #loop: Promise<void> = Promise.resolve()
  #nap = new AbortController()
  #stopped = false

  constructor(parts: SchedulerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.ring()
    await this.#loop
  }

  /** A schedule was added, resumed or paused: look now. */
  ring(): void {
    this.#nap.abort()
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#stopped) {
      // Made before the look: whoever rings during it ends the sleep that follows.
      this.#nap = new AbortController()
      let waitMs = LOOK_EVERY_MS
      try {
        waitMs = Math.min(LOOK_EVERY_MS, await this.#fire() ?? LOOK_EVERY_MS)
      } catch (error) {
        log('schedules could not be looked at; trying again', { error: error instanceof Error ? error.message : String(error) })
      }
      await clock.sleep(Math.max(LOOK_AGAIN_MS, Math.ceil(waitMs)), this.#nap.signal)
    }
  }

  /** Milliseconds until the next schedule is due. */
  async #fire(): Promise<number | null> {
    const { store, publisher, log } = this.#parts
    const { tasks, nextDueMs } = await store.fireDue((due, nowMs) => {
      try {
        return this.#plan(due, nowMs)
      } catch (error) {
        // One that this host cannot plan (it does not know the zone, say) must not hold the others up.
        log('a schedule could not be fired here', { schedule: due.name, error: error instanceof Error ? error.message : String(error) })
        return null
      }
    })
    if (tasks.length > 0) {
      log('schedules fired', { tasks: tasks.length })
      await publisher.publish(tasks)
    }
    return nextDueMs
  }
  #plan(due: Schedule, nowMs: number): Firing {
    return {
      task: this.#parts.publisher.draft({
        taskType: due.taskType, data: due.data, priority: due.priority, name: due.name, userId: due.userId, timeoutSeconds: due.timeoutSeconds,
        maxRetries: due.maxRetries, idempotencyKey: `schedule:${due.scheduleId}:${due.nextFireAt}`,
      }),
      nextFireAt: nextFireAt(due.cron, due.timeZone, nowMs),
    }
  }
}
