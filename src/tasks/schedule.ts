/** Schedules: tasks that are made again and again, by a cron expression in a time zone. The truth is in Postgres. */
import type { NewTask, TaskPriority } from './task.js'

export interface NewSchedule {
  readonly name: string
  readonly cron: string
  /** IANA name, such as Europe/Berlin. */
  readonly timeZone: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly data: Readonly<Record<string, unknown>>
  readonly userId: string | null
  readonly timeoutSeconds: number
  readonly maxRetries: number
}

export interface Schedule extends NewSchedule {
  readonly scheduleId: number
  /** ISO 8601 UTC. */
  readonly nextFireAt: string
  readonly enabled: boolean
  readonly lastFireAt: string | null
  readonly lastTaskId: string | null
}

/** What becomes of a schedule whose time has come: its task, and when it is due next. */
export interface Firing {
  readonly task: NewTask
  /** Null: never again; the schedule is paused. */
  readonly nextFireAt: string | null
}

/** The first time after `nowMs`, which is Postgres's: the clock of the host that asks decides nothing. */
export type NextTime = (times: Pick<NewSchedule, 'cron' | 'timeZone'>, nowMs: number) => string

export interface ScheduleStore {
  /** False when the name is taken. */
  add(schedule: NewSchedule, next: NextTime): Promise<boolean>
  list(): Promise<Schedule[]>
  /** False when there is none of this name. */
  remove(name: string): Promise<boolean>
  /**
   * Enabling what was paused sets the next time, so that what was missed meanwhile is not made up for. False when
   * there is none of this name.
   */
  setEnabled(name: string, enabled: boolean, next: NextTime): Promise<boolean>
  /**
   * Makes the tasks of all schedules that are due, in one transaction: a time fires once, whoever looks first. One that
   * `plan` returns null for is left to others. Returns the new tasks, not yet published, and the milliseconds until
   * the next schedule is due (null for none), but for those left.
   */
  fireDue(plan: (due: Schedule, nowMs: number) => Firing | null): Promise<{ readonly tasks: readonly NewTask[]; readonly nextDueMs: number | null }>
}
