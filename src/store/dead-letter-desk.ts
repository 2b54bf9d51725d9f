/** Dead letters as rows: reading, redriving and deleting them, in statements that touch nothing else. */
import type { ErrorData } from '../base/errors.js'
import type { DeadLetterDesk, DeadLetterFilter, DeadLetterRecord, QuarantinedEntry, QuarantineFilter } from '../tasks/dead-letters.js'
import type { TaskPriority } from '../tasks/task.js'
import { listedError } from './listed-values.js'
import { PARKED } from './parked.js'
import type { Postgres } from './postgres.js'
import { purgeTasks } from './task-purge.js'

const LISTED = 50

/**
 * Reads ix_task_status_created; the first failure of a generation is its first row of history that tells of one.
 * Ordered by what is shown (milliseconds), so that a page can go on after the last letter of the one before: letters
 * of one statement share their time to the microsecond.
 */
const LIST = `
select t.task_id, t.task_type, t.priority, t.user_id, t.dead_reason, ${listedError('t.error')} as error, t.error_message, t.attempt, t.generation,
       t.payload_hash, t.message_id, t.created_at, date_trunc('milliseconds', t.completed_at) as failed_at,
       (select min(e.at) from task_events e where e.task_id = t.task_id and e.generation = t.generation
          and e.event in ('retry', 'reclaimed', 'owner_gone', 'dead_letter')) as first_failure_at
from tasks t
where t.status = 'dead_letter'
  and ($1::uuid[] is null or t.task_id = any($1)) and ($2::text is null or t.task_type = $2)
  and ($3::text is null or t.dead_reason = $3) and ($4::text is null or t.user_id = $4)
  and ($5::timestamptz is null or t.completed_at >= $5) and ($6::timestamptz is null or t.completed_at < $6)
  and ($8::timestamptz is null or (date_trunc('milliseconds', t.completed_at), t.task_id) < ($8, $9::uuid))
order by failed_at desc, t.task_id desc limit $7`

const REDRIVE = `
with locked as (
  select task_id from tasks t where task_id = any($1::uuid[]) and status = 'dead_letter' and not ${PARKED} order by task_id for update
), redriven as (
  update tasks t set status = 'pending', generation = t.generation + 1, retry_count = 0, crashes = 0, not_before = null, deadline_at = null,
    message_id = null, published_at = null, completed_at = null, processing_time_ms = null, started_at = null, owner = null,
    error = null, error_message = null, dead_reason = null, cancel_requested_at = null, result = null, progress = t.progress - 'waits'
  from locked l where t.task_id = l.task_id returning t.task_id, t.task_type, t.priority, t.attempt, t.generation
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation)
  select task_id, 'redriven', 'dead_letter', 'pending', attempt, generation from redriven
)
select task_id, task_type, priority from redriven`

const QUARANTINED = `
select quarantine_id, message_id, priority, reason, coalesce(length(body), 0) as size_bytes, coalesce(substring(body from 1 for 1024), '') as head, created_at
from quarantine
where ($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)
order by quarantine_id desc limit $3`

interface Row {
  task_id: string; task_type: string; priority: TaskPriority; user_id: string | null; dead_reason: string | null
  error: ErrorData | null; error_message: string | null; attempt: number; generation: number; payload_hash: string
  message_id: string | null; created_at: Date; failed_at: Date; first_failure_at: Date | null
}

export class PostgresDeadLetterDesk implements DeadLetterDesk {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async list(filter: DeadLetterFilter): Promise<DeadLetterRecord[]> {
    const rows = await this.#postgres.query<Row>(LIST, [
      filter.taskIds ?? null, filter.type ?? null, filter.reason ?? null, filter.userId ?? null, filter.since ?? null, filter.before ?? null, filter.limit ?? LISTED,
      filter.after?.lastFailureAt ?? null, filter.after?.taskId ?? null])
    return rows.map((row) => ({
      taskId: row.task_id, taskType: row.task_type, priority: row.priority, userId: row.user_id, reason: row.dead_reason ?? 'unknown',
      error: row.error ?? { code: 'THREAD_LOST', message: row.error_message ?? 'no error was recorded' },
      attempts: row.attempt, generation: row.generation, inputHash: row.payload_hash, messageId: row.message_id,
      createdAt: row.created_at.toISOString(), firstFailureAt: (row.first_failure_at ?? row.failed_at).toISOString(),
      lastFailureAt: row.failed_at.toISOString(),
    }))
  }

  async redrive(taskIds: readonly string[]): Promise<{ taskId: string; taskType: string; priority: TaskPriority }[]> {
    const rows = await this.#postgres.query<{ task_id: string; task_type: string; priority: TaskPriority }>(REDRIVE, [taskIds])
    return rows.map((row) => ({ taskId: row.task_id, taskType: row.task_type, priority: row.priority }))
  }

  async quarantined(filter: QuarantineFilter): Promise<QuarantinedEntry[]> {
    const rows = await this.#postgres.query<{
      quarantine_id: number; message_id: string; priority: TaskPriority; reason: string; size_bytes: number; head: Buffer; created_at: Date
    }>(QUARANTINED, [filter.since ?? null, filter.before ?? null, filter.limit ?? LISTED])
    return rows.map((row) => ({
      quarantineId: row.quarantine_id, messageId: row.message_id, priority: row.priority, reason: row.reason, sizeBytes: row.size_bytes,
      head: row.head, createdAt: row.created_at.toISOString(),
    }))
  }

  /** One transaction. The history stays, and its last row says that the task was purged. */
  async purge(taskIds: readonly string[]): Promise<string[]> {
    return this.#postgres.transaction(async (client) => {
      const { rows } = await client.query<{ task_id: string }>(
        `select task_id from tasks where task_id = any($1::uuid[]) and status = 'dead_letter' order by task_id for update`, [taskIds])
      const ids = rows.map((row) => row.task_id)
      await purgeTasks(client, ids, null)
      return ids
    })
  }
}
