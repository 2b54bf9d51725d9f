/**
 * Rows of accepted tasks: inserting them, and remembering which have a message in Redis.
 *
 * A task exists once its insert committed. Concurrent single inserts share statements (group commit);
 * an atomic insert is a transaction of its own.
 */
import { Batcher } from '../base/batcher.js'
import { SweepmillError } from '../base/errors.js'
import type { TaskIntake, Inserted } from '../tasks/task-store.js'
import type { NewTask, TaskPriority } from '../tasks/task.js'
import type { Publication } from '../tasks/task-stream.js'
import { isDataError } from './postgres.js'
import type { Postgres, Sql } from './postgres.js'

/** In: a JSON array of tasks. Out: the ids inserted. Locks: none beyond the new rows. A repeated key inserts nothing. */
const INSERT = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as x(
    task_id uuid, task_type text, priority text, data jsonb, user_id text, ip_address text, timeout integer,
    max_retries integer, idempotency_key text, not_before timestamptz, payload_hash text, attach_key text)
), added as (
  insert into tasks (task_id, task_type, priority, data, user_id, ip_address, timeout, max_retries,
                     idempotency_key, not_before, payload_hash, attach_key)
  select task_id, task_type, priority, data, user_id, ip_address, timeout, max_retries,
         idempotency_key, not_before, payload_hash, attach_key
  from input order by idempotency_key nulls last, task_id
  on conflict (coalesce(user_id, ''), idempotency_key) where idempotency_key is not null do nothing
  returning task_id
), audited as (
  insert into task_events (task_id, event, to_status) select task_id, 'created', 'pending' from added
)
select task_id from added`

const FIND_BY_KEY = `
select task_id, coalesce(user_id, '') as user_id, idempotency_key, payload_hash
from tasks where (coalesce(user_id, ''), idempotency_key) in (select * from unnest($1::text[], $2::text[]))`

/** Only the first publication counts: an open may have recorded a newer entry meanwhile. */
const MARK_PUBLISHED = `
update tasks t set published_at = now(), message_id = coalesce(i.message_id, t.message_id)
from jsonb_to_recordset($1::jsonb) as i(task_id uuid, message_id text)
where t.task_id = i.task_id and t.status = 'pending' and t.published_at is null`

const UNPUBLISHED = `
select task_id, task_type, priority,
       greatest(0, extract(epoch from (not_before - now())) * 1000)::float8 as delay_ms
from tasks
where status = 'pending' and published_at is null and created_at < now() - make_interval(secs => $1 / 1000.0)
order by created_at limit $2`

/** A row of a silent owner goes back to pending with an audit event; a live owner's row is left alone. */
const FORGET = `
with silent as (
  select t.task_id from tasks t
  left join workers w on w.incarnation = t.owner
  where t.status = 'processing' and (w.incarnation is null or w.stopped_at is not null
        or w.beat_at < now() - make_interval(secs => $1 / 1000.0))
  order by t.task_id for update of t
), returned as (
  update tasks t set status = 'pending', owner = null, message_id = null, published_at = null, crashes = crashes + 1
  from silent s where t.task_id = s.task_id returning t.task_id, t.attempt, t.generation
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation)
  select task_id, 'owner_silent', 'processing', 'pending', attempt, generation from returned
), forgotten as (
  update tasks set published_at = null, message_id = null
  where status = 'pending' and published_at is not null returning task_id
)
select (select count(*) from returned)::int + (select count(*) from forgotten)::int as n`

interface PublishedItem {
  readonly taskId: string
  readonly messageId: string | null
}

export class PostgresTaskIntake implements TaskIntake {
  readonly #postgres: Postgres
  readonly #singles: Batcher<NewTask, Inserted>
  readonly #published: Batcher<PublishedItem, void>

  constructor(postgres: Postgres) {
    this.#postgres = postgres
    this.#singles = new Batcher((tasks) => insertAll(this.#postgres.pool, tasks), { maxItems: 500, lanes: 2, splits: isDataError })
    this.#published = new Batcher((items) => this.#markAll(items), { maxItems: 1000, lanes: 1, splits: () => false })
  }

  async insert(tasks: readonly NewTask[], atomic: boolean): Promise<Inserted[]> {
    if (!atomic) return this.#singles.addAll(tasks)
    return this.#postgres.transaction(async (client) => {
      const inserted = await insertAll(client, tasks)
      const conflict = inserted.findIndex((one) => one.kind === 'conflict')
      if (conflict >= 0) {
        throw new SweepmillError('IDEMPOTENCY_CONFLICT', `Task ${conflict} of the batch uses an idempotency key that belongs to another payload; no task was accepted.`, { details: { index: conflict, task_id: inserted[conflict]?.taskId } })
      }
      return inserted
    })
  }

  async markPublished(items: readonly PublishedItem[]): Promise<void> {
    await this.#published.addAll(items)
  }

  async #markAll(items: readonly PublishedItem[]): Promise<void[]> {
    await this.#postgres.prepared('mark_published', MARK_PUBLISHED,
      [JSON.stringify(items.map((item) => ({ task_id: item.taskId, message_id: item.messageId })))])
    return items.map(() => undefined)
  }

  async unpublished(olderThanMs: number, limit: number): Promise<Publication[]> {
    const rows = await this.#postgres.prepared<{ task_id: string; task_type: string; priority: TaskPriority; delay_ms: number | null }>(
      'unpublished', UNPUBLISHED, [olderThanMs, limit])
    return rows.map((row) => ({ taskId: row.task_id, taskType: row.task_type, priority: row.priority, body: null, delayMs: row.delay_ms ?? 0 }))
  }

  async forgetPublications(silentMs: number): Promise<number> {
    const [row] = await this.#postgres.query<{ n: number }>(FORGET, [silentMs])
    return row?.n ?? 0
  }
}

async function insertAll(sql: Sql, tasks: readonly NewTask[]): Promise<Inserted[]> {
  const { rows } = await sql.query<{ task_id: string }>({
    name: 'insert_tasks', text: INSERT, values: [JSON.stringify(tasks.map(toRow))],
  })
  const added = new Set(rows.map((row) => row.task_id))
  const repeats = tasks.filter((task) => !added.has(task.taskId))
  if (repeats.length === 0) return tasks.map((task) => ({ kind: 'created', taskId: task.taskId }))
  const found = await sql.query<{ task_id: string; user_id: string; idempotency_key: string; payload_hash: string }>(
    FIND_BY_KEY, [repeats.map((task) => task.userId ?? ''), repeats.map((task) => task.idempotencyKey)])
  const byKey = new Map(found.rows.map((row) => [`${row.user_id}\u0000${row.idempotency_key}`, row]))
  return tasks.map((task): Inserted => {
    if (added.has(task.taskId)) return { kind: 'created', taskId: task.taskId }
    const first = byKey.get(`${task.userId ?? ''}\u0000${task.idempotencyKey ?? ''}`)
    if (first === undefined) throw new SweepmillError('INVARIANT', `Task ${task.taskId} was neither inserted nor found by its idempotency key.`)
    return { kind: first.payload_hash === task.payloadHash ? 'existing' : 'conflict', taskId: first.task_id }
  })
}

function toRow(task: NewTask): Record<string, unknown> {
  return {
    task_id: task.taskId, task_type: task.taskType, priority: task.priority, data: task.data, user_id: task.userId,
    ip_address: task.ipAddress, timeout: task.timeoutSeconds, max_retries: task.maxRetries,
    idempotency_key: task.idempotencyKey, not_before: task.notBefore, payload_hash: task.payloadHash, attach_key: task.attachKey,
  }
}
