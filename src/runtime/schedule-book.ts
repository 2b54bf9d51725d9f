/** What an operator does with schedules. Bars and code are pinned when a schedule is added, so any host can run its tasks. */
import { SweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { Schedules, ScheduleView, ScheduleTimes, SubmitRequest } from '../tasks/backend.js'
import type { NextTime, Schedule, ScheduleStore } from '../tasks/schedule.js'
import { defaultPriority, TASK_DEFAULTS } from '../tasks/task.js'
import { isTaskText, TASK_TEXT_FORM } from '../tasks/task-texts.js'
import { nextFireAt } from './cron.js'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

export interface ScheduleBookParts {
  readonly store: ScheduleStore
  readonly clock: Clock
  /** Checks a request, stores what its task needs, and returns the payload with everything pinned. */
  readonly pin: (request: SubmitRequest) => Promise<Readonly<Record<string, unknown>>>
}

export class ScheduleBook implements Schedules {
  readonly #parts: ScheduleBookParts

  constructor(parts: ScheduleBookParts) {
    this.#parts = parts
  }

  async add(name: string, times: ScheduleTimes, request: SubmitRequest): Promise<ScheduleView> {
    const { store, clock, pin } = this.#parts
    if (!NAME.test(name)) throw new SweepmillError('SPEC_INVALID', `"${name}" cannot name a schedule: write 1 to 100 letters, digits, dots, dashes or underscores.`)
    if ((request.tags ?? []).length > 0) throw new SweepmillError('SPEC_INVALID', 'A schedule keeps no tags; its tasks have its name.', { details: { path: 'tags' } })
    const { userId = null } = request
    if (userId !== null && !isTaskText(userId)) throw new SweepmillError('SPEC_INVALID', `userId must be ${TASK_TEXT_FORM}.`, { details: { path: 'userId' } })
    // Before the file is read: an expression that is none is refused at once.
    firstTime(times, clock.wallMs())
    const added = await store.add({
      name, cron: times.cron, timeZone: times.timeZone, taskType: request.taskType, data: await pin(request),
      priority: request.priority ?? defaultPriority(request.taskType, true), userId,
      timeoutSeconds: request.timeoutSeconds ?? TASK_DEFAULTS.timeoutSeconds, maxRetries: request.maxRetries ?? TASK_DEFAULTS.maxRetries,
    }, firstTime)
    if (!added) throw new SweepmillError('STATE_CONFLICT', `A schedule named ${name} exists already. Remove it first, or choose another name.`, { details: { name } })
    const found = (await this.list()).find((one) => one.name === name)
    if (found === undefined) throw new SweepmillError('SCHEDULE_NOT_FOUND', `The schedule ${name} was removed at once.`)
    return found
  }

  async list(): Promise<readonly ScheduleView[]> {
    return (await this.#parts.store.list()).map(toView)
  }

  async remove(name: string): Promise<void> {
    if (!await this.#parts.store.remove(name)) throw unknown(name)
  }

  async setEnabled(name: string, enabled: boolean): Promise<void> {
    if (!await this.#parts.store.setEnabled(name, enabled, firstTime)) throw unknown(name)
  }
}

const firstTime: NextTime = ({ cron, timeZone }, nowMs) => {
  const next = nextFireAt(cron, timeZone, nowMs)
  if (next === null) throw new SweepmillError('SPEC_INVALID', `"${cron}" never comes: no year has such a day.`)
  return next
}

function unknown(name: string): SweepmillError {
  return new SweepmillError('SCHEDULE_NOT_FOUND', `No schedule is named ${name}; "sweepmill schedules list" shows them.`, { details: { name } })
}

function toView(schedule: Schedule): ScheduleView {
  return {
    name: schedule.name, cron: schedule.cron, time_zone: schedule.timeZone, task_type: schedule.taskType, priority: schedule.priority,
    enabled: schedule.enabled, next_fire_at: schedule.enabled ? schedule.nextFireAt : null, last_fire_at: schedule.lastFireAt,
    last_task_id: schedule.lastTaskId, data: schedule.data,
  }
}
