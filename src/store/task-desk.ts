/** Reading tasks, and the two things an operator does to them: cancel and redrive. */
import type { Checkpoint, Progress, TaskPriority, TaskStatus } from '../tasks/task.js'
import type { ErrorData } from '../base/errors.js'
import type { TaskDesk, TaskEventRecord, TaskFilter, TaskRecord } from '../tasks/task-store.js'
import { LISTED_CHECKPOINTS, listedTasks } from './listed-values.js'
import { PARKED } from './parked.js'
import { START_OVER } from './start-over.js'
import type { Postgres } from './postgres.js'

const COLUMNS = `task_id, task_type, priority, status, data, name, tags, user_id, ip_address, timeout, max_retries, retry_count, attempt,
  generation, crashes, owner, message_id, published_at is not null as published, result, error, error_message, dead_reason,
  progress, created_at, not_before, deadline_at, started_at, completed_at, processing_time_ms`
/** Those of a list beside its large ones. */
const OTHERS = `task_id, task_type, priority, status, name, tags, user_id, ip_address, timeout, max_retries, retry_count, attempt, generation, crashes,
  owner, message_id, published, error_message, dead_reason, progress, created_at, not_before, deadline_at, started_at, completed_at, processing_time_ms`

const LISTED = 50

interface Row {
  truncated?: string[]
  task_id: string; task_type: string; priority: TaskPriority; status: TaskStatus; data: Record<string, unknown>
  name: string | null; tags: string[]
  user_id: string | null; ip_address: string | null; timeout: number; max_retries: number; retry_count: number
  attempt: number; generation: number; crashes: number; owner: string | null; message_id: string | null; published: boolean
  result: unknown; error: ErrorData | null; error_message: string | null; dead_reason: string | null; progress: Progress | null
  created_at: Date; not_before: Date | null; deadline_at: Date | null; started_at: Date | null; completed_at: Date | null; processing_time_ms: number | null
}

/**
 * A pending task is cancelled at once, unless an earlier attempt left a saga open: then a worker undoes it first, and ends
 * the task, at once, however long it was to wait. Of a running one the owner is told. The notification rings the owner's bell.
 */
const CANCEL = `
with locked as (
  select t.task_id, case when t.status = 'pending' and exists (
      select 1 from saga_runs r where r.task_id = t.task_id and r.status in ('running', 'compensating')) then 'open' else t.status end as status
  from tasks t where t.task_id = $1 for update
), ended as (
  update tasks t set status = 'cancelled', completed_at = now(), cancel_requested_at = now(), error_message = 'The task was cancelled.'
  from locked l where t.task_id = l.task_id and l.status = 'pending' returning t.task_id, t.attempt, t.generation
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation)
  select task_id, 'cancelled', 'pending', 'cancelled', attempt, generation from ended
), asked as (
  update tasks t set cancel_requested_at = now(), not_before = case when l.status = 'open' then null else t.not_before end
  from locked l where t.task_id = l.task_id and l.status in ('processing', 'open') returning t.task_id
)
select pg_notify('sweepmill_cancel', task_id::text) from asked`

const REDRIVE = `
with locked as (
  select task_id, status from tasks t where task_id = $1 and status in ('failed', 'dead_letter', 'cancelled')
    and not ${PARKED} for update
), redriven as (
  update tasks t set status = 'pending', generation = t.generation + 1, retry_count = 0, crashes = 0, not_before = null, deadline_at = null,
    message_id = null, published_at = null, completed_at = null, processing_time_ms = null, started_at = null, owner = null,
    error = null, error_message = null, dead_reason = null, cancel_requested_at = null, result = null, progress = t.progress - 'waits'
  from locked l where t.task_id = l.task_id returning t.task_id, t.attempt, t.generation, l.status as was
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation)
  select task_id, 'redriven', was, 'pending', attempt, generation from redriven
)
select task_id from redriven`

/**
 * Read backwards from ix_task_created, or from the index of a filter, a page at a time. The place after which a page goes on
 * is that of a task, whose time the row knows to the microsecond: tasks of one statement share theirs. Of one that was
 * purged meanwhile the millisecond counts, so that some may come twice, but none is left out.
 */
const LIST = listedTasks(`
select ${COLUMNS} from tasks
where ($1::text is null or status = $1) and ($2::text is null or task_type = $2)
  and ($3::text is null or user_id = $3) and ($4::timestamptz is null or created_at < $4)
  and ($6::text is null or (name is not null and position(lower($6) in lower(name)) > 0))
  and ($7::text[] is null or (tags <> '{}' and tags @> $7))
  and ($9::uuid is null or (created_at, task_id) < (
    coalesce((select l.created_at from tasks l where l.task_id = $9), $8::timestamptz + interval '1 millisecond'), $9))
order by created_at desc, task_id desc limit $5`, OTHERS)

/** For a test that asks Postgres how it would run it. */
export function listStatement({ status, type, userId, before, limit, name, tags, after }: TaskFilter): { readonly text: string; readonly values: unknown[] } {
  return {
    text: LIST,
    values: [status ?? null, type ?? null, userId ?? null, before ?? null, limit ?? LISTED, name ?? null,
      tags === undefined || tags.length === 0 ? null : tags, after?.createdAt ?? null, after?.taskId ?? null],
  }
}

export class PostgresTaskDesk implements TaskDesk {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async get(taskId: string): Promise<TaskRecord | null> {
    const [row] = await this.#postgres.prepared<Row>('get_task', `select ${COLUMNS} from tasks where task_id = $1`, [taskId])
    return row === undefined ? null : toRecord(row)
  }

  async list(filter: TaskFilter): Promise<TaskRecord[]> {
    const { text, values } = listStatement(filter)
    return (await this.#postgres.query<Row>(text, values)).map(toRecord)
  }

  async findUnfinished(attachKey: string): Promise<string | null> {
    const [row] = await this.#postgres.query<{ task_id: string }>(`
      select task_id from tasks where attach_key = $1 and status in ('pending', 'processing')
        and (attempt > 0 or not_before is null or not_before <= now())
      order by created_at limit 1`, [attachKey])
    return row?.task_id ?? null
  }

  async checkpoints(taskId: string): Promise<Checkpoint[]> {
    const rows = await this.#postgres.query<{ step: string; data: unknown; created_at: Date }>(
      'select step, data, created_at from checkpoints where task_id = $1 order by checkpoint_id', [taskId])
    return rows.map((row) => ({ step: row.step, data: row.data, timestamp: row.created_at.toISOString() }))
  }

  async listedCheckpoints(taskId: string): Promise<Checkpoint[]> {
    const rows = await this.#postgres.query<{ step: string; data: unknown; truncated: boolean; created_at: Date }>(LISTED_CHECKPOINTS, [taskId])
    return rows.map(({ step, data, truncated, created_at: at }) => ({ step, data, timestamp: at.toISOString(), ...(truncated ? { truncated } : {}) }))
  }

  async lastCheckpoint(taskId: string, step: string): Promise<unknown> {
    const [row] = await this.#postgres.query<{ data: unknown }>(
      'select data from checkpoints where task_id = $1 and step = $2 order by checkpoint_id desc limit 1', [taskId, step])
    return row?.data ?? null
  }

  async events(taskId: string): Promise<TaskEventRecord[]> {
    const rows = await this.#postgres.query<{
      at: Date; event: string; from_status: TaskStatus | null; to_status: TaskStatus | null
      attempt: number; generation: number; worker: string | null; detail: unknown
    }>('select at, event, from_status, to_status, attempt, generation, worker, detail from task_events where task_id = $1 order by event_id', [taskId])
    return rows.map((row) => ({
      at: row.at.toISOString(), event: row.event, fromStatus: row.from_status, toStatus: row.to_status,
      attempt: row.attempt, generation: row.generation, worker: row.worker, detail: row.detail,
    }))
  }

  async requestCancel(taskId: string): Promise<TaskRecord | null> {
    await this.#postgres.query(CANCEL, [taskId])
    return this.get(taskId)
  }

  async startOver(taskId: string): Promise<boolean> {
    return (await this.#postgres.query(START_OVER, [taskId])).length > 0
  }

  async redrive(taskId: string): Promise<TaskRecord | null> {
    const rows = await this.#postgres.query(REDRIVE, [taskId])
    return rows.length === 0 ? null : this.get(taskId)
  }
}

function toRecord(row: Row): TaskRecord {
  return {
    taskId: row.task_id, taskType: row.task_type, priority: row.priority, status: row.status, data: row.data, name: row.name, tags: row.tags,
    userId: row.user_id, ipAddress: row.ip_address, timeoutSeconds: row.timeout, maxRetries: row.max_retries,
    retryCount: row.retry_count, attempt: row.attempt, generation: row.generation, crashes: row.crashes, owner: row.owner,
    messageId: row.message_id, published: row.published, result: row.result,
    error: row.error ?? (row.error_message === null ? null : { code: errorCodeOf(row), message: row.error_message }),
    deadReason: row.dead_reason, progress: row.progress, createdAt: row.created_at.toISOString(), notBefore: row.not_before?.toISOString() ?? null, deadlineAt: row.deadline_at?.toISOString() ?? null,
    startedAt: row.started_at?.toISOString() ?? null, completedAt: row.completed_at?.toISOString() ?? null,
    processingTimeMs: row.processing_time_ms, ...(row.truncated === undefined || row.truncated.length === 0 ? {} : { truncated: row.truncated }),
  }
}

function errorCodeOf(row: Row): ErrorData['code'] {
  return row.status === 'cancelled' ? 'TASK_CANCELLED' : 'THREAD_LOST'
}
