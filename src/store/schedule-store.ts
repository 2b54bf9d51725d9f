/**
 * Schedules in Postgres. Whether one is due is judged by Postgres's clock alone. A change rings the bell of every
 * worker in the transaction that makes it.
 */
import type { Firing, NewSchedule, NextTime, Schedule, ScheduleStore } from '../tasks/schedule.js'
import type { NewTask, TaskPriority } from '../tasks/task.js'
import { SCHEDULE_CHANNEL } from './notice-bell.js'
import type { Postgres } from './postgres.js'
import { insertTasks } from './task-intake.js'

const COLUMNS = `schedule_id, name, cron, time_zone, task_type, priority, data, user_id, timeout, max_retries, enabled,
  next_fire_at, last_fire_at, last_task_id`
const AT_ONCE = 50
const NOW_MS = '(extract(epoch from now()) * 1000)::float8'

const ADD = `
with added as (
  insert into schedules (name, cron, time_zone, task_type, priority, data, user_id, timeout, max_retries, next_fire_at)
  values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10) on conflict (name) do nothing returning name
)
select pg_notify('${SCHEDULE_CHANNEL}', name) from added`

/** Another worker that holds a row is firing it: skip it. */
const DUE = `
select ${COLUMNS}, ${NOW_MS} as now_ms from schedules
where enabled and next_fire_at <= now() order by next_fire_at limit ${AT_ONCE} for update skip locked`

const FIRED = `
update schedules s set last_fire_at = s.next_fire_at, next_fire_at = coalesce(i.next_fire_at, s.next_fire_at),
  enabled = i.next_fire_at is not null, last_task_id = i.task_id
from jsonb_to_recordset($1::jsonb) as i(schedule_id integer, next_fire_at timestamptz, task_id uuid)
where s.schedule_id = i.schedule_id`

interface Row {
  schedule_id: number; name: string; cron: string; time_zone: string; task_type: string; priority: TaskPriority; data: Record<string, unknown>
  user_id: string | null; timeout: number; max_retries: number; enabled: boolean; next_fire_at: Date; last_fire_at: Date | null; last_task_id: string | null
}

export class PostgresScheduleStore implements ScheduleStore {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async add(schedule: NewSchedule, next: NextTime): Promise<boolean> {
    return this.#postgres.transaction(async (client) => {
      const { rows: [now] } = await client.query<{ ms: number }>(`select ${NOW_MS} as ms`)
      const { rows } = await client.query(ADD, [schedule.name, schedule.cron, schedule.timeZone, schedule.taskType, schedule.priority,
        JSON.stringify(schedule.data), schedule.userId, schedule.timeoutSeconds, schedule.maxRetries, next(schedule, now?.ms ?? 0)])
      return rows.length > 0
    })
  }

  async list(): Promise<Schedule[]> {
    return (await this.#postgres.query<Row>(`select ${COLUMNS} from schedules order by name`)).map(toSchedule)
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#postgres.query('delete from schedules where name = $1 returning schedule_id', [name])).length > 0
  }

  async setEnabled(name: string, enabled: boolean, next: NextTime): Promise<boolean> {
    return this.#postgres.transaction(async (client) => {
      const { rows: [row] } = await client.query<Row & { now_ms: number }>(
        `select ${COLUMNS}, ${NOW_MS} as now_ms from schedules where name = $1 for update`, [name])
      if (row === undefined) return false
      if (row.enabled === enabled) return true
      await client.query('update schedules set enabled = $2, next_fire_at = $3 where schedule_id = $1',
        [row.schedule_id, enabled, enabled ? next(toSchedule(row), row.now_ms) : row.next_fire_at])
      await client.query('select pg_notify($1, $2)', [SCHEDULE_CHANNEL, name])
      return true
    })
  }

  async fireDue(plan: (due: Schedule, nowMs: number) => Firing | null): Promise<{ tasks: NewTask[]; nextDueMs: number | null }> {
    const left: number[] = []
    const tasks = await this.#postgres.transaction(async (client) => {
      const { rows } = await client.query<Row & { now_ms: number }>(DUE)
      const firings: (Firing & { readonly scheduleId: number })[] = []
      for (const row of rows) {
        const firing = plan(toSchedule(row), row.now_ms)
        if (firing === null) left.push(row.schedule_id)
        else firings.push({ ...firing, scheduleId: row.schedule_id })
      }
      if (firings.length === 0) return []
      const inserted = await insertTasks(client, firings.map((firing) => firing.task))
      await client.query(FIRED, [JSON.stringify(firings.map((firing, i) => (
        { schedule_id: firing.scheduleId, next_fire_at: firing.nextFireAt, task_id: inserted[i]?.taskId })))])
      // A time that has its task already (its row was set back, say) has its message too.
      return firings.flatMap((firing, i) => (inserted[i]?.kind === 'created' ? [firing.task] : []))
    })
    // Not "greatest(0, …)" in SQL: that makes 0 of null, and no schedule at all would look like one that is always due.
    const [due] = await this.#postgres.query<{ ms: number | null }>(`
      select (extract(epoch from min(next_fire_at) - now()) * 1000)::float8 as ms
      from schedules where enabled and not schedule_id = any($1::integer[])`, [left])
    const ms = due?.ms ?? null
    return { tasks, nextDueMs: ms === null ? null : Math.max(0, ms) }
  }
}

function toSchedule(row: Row): Schedule {
  return {
    scheduleId: row.schedule_id, name: row.name, cron: row.cron, timeZone: row.time_zone, taskType: row.task_type, priority: row.priority,
    data: row.data, userId: row.user_id, timeoutSeconds: row.timeout, maxRetries: row.max_retries, enabled: row.enabled,
    nextFireAt: row.next_fire_at.toISOString(), lastFireAt: row.last_fire_at?.toISOString() ?? null, lastTaskId: row.last_task_id,
  }
}
