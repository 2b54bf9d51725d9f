/**
 * Which live tasks have a message in Redis, by the columns `published_at` and `message_id`.
 *
 * `published_at is null` means: no message that anybody knows of. A pending row then waits for the reconciler;
 * a processing one belongs to its owner as long as that lives.
 */
import { Batcher } from '../base/batcher.js'
import type { PublicationBook, PublishedItem, UnpublishedTask } from '../tasks/task-store.js'
import type { TaskPriority } from '../tasks/task.js'
import type { PublishedTask } from '../tasks/task-stream.js'
import type { Postgres } from './postgres.js'

/** Only the first entry counts: an open may have recorded a newer one meanwhile. */
const MARK_PUBLISHED = `
update tasks t set published_at = now(), message_id = coalesce(i.message_id, t.message_id)
from jsonb_to_recordset($1::jsonb) as i(task_id uuid, message_id text)
where t.task_id = i.task_id and t.status = 'pending' and (t.published_at is null or t.message_id is null)`

/**
 * The quiet query: reads two partial indexes. A delayed task counts as unpublished when it is overdue by Postgres's
 * clock, because Redis's may have been set back; once it has an entry of its own it never comes here again.
 */
const UNPUBLISHED = `
select task_id, task_type, priority, attempt, case when status = 'processing' then owner end as owner,
       greatest(0, extract(epoch from (not_before - now())) * 1000)::float8 as delay_ms
from tasks
where ((published_at is null and status in ('pending', 'processing') and created_at < now() - make_interval(secs => $1 / 1000.0))
    or (status = 'pending' and published_at is not null and message_id is null and not_before < now() - make_interval(secs => $1 / 1000.0)))
  and ($2::uuid is null or task_id > $2)
order by task_id limit $3`

const PUBLISHED = `
select task_id, task_type, priority, message_id
from tasks
where published_at is not null and status in ('pending', 'processing') and ($1::uuid is null or task_id > $1)
order by task_id limit $2`

/** Holds only while the row still names the entry that was looked for. */
const MARK_MISSING = `
with marked as (
  update tasks t set published_at = null, message_id = case when t.status = 'pending' then null else t.message_id end
  from jsonb_to_recordset($1::jsonb) as i(task_id uuid, message_id text)
  where t.task_id = i.task_id and t.message_id is not distinct from i.message_id
    and t.published_at is not null and t.status in ('pending', 'processing')
  returning t.task_id
)
select count(*)::int as n from marked`

/**
 * Rows of owners that are gone go back to pending, with an audit row. The last beat is looked at once more, because
 * the caller's view of the fleet may be older than an owner that just started. Locks the task rows, in id order.
 */
const TAKE_BACK = `
with gone as (
  select t.task_id, t.owner from tasks t
  join jsonb_to_recordset($1::jsonb) as i(task_id uuid, attempt integer) on i.task_id = t.task_id and i.attempt = t.attempt
  where t.status = 'processing' and t.published_at is null and not exists (
    select 1 from workers w where w.incarnation = t.owner and w.stopped_at is null
      and w.beat_at > now() - make_interval(secs => $2 / 1000.0))
  order by t.task_id for update of t
), returned as (
  update tasks t set status = 'pending', owner = null, message_id = null, crashes = t.crashes + 1
  from gone g where t.task_id = g.task_id returning t.task_id, t.attempt, t.generation, g.owner
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation, detail)
  select task_id, 'owner_gone', 'processing', 'pending', attempt, generation, jsonb_build_object('owner', owner) from returned
)
select task_id from returned`

export class PostgresPublicationBook implements PublicationBook {
  readonly #postgres: Postgres
  readonly #leaseMs: number
  readonly #published: Batcher<PublishedItem, void>

  constructor(postgres: Postgres, leaseMs: number) {
    this.#postgres = postgres
    this.#leaseMs = leaseMs
    this.#published = new Batcher((items) => this.#markAll(items), { maxItems: 1000, lanes: 1, splits: () => false })
  }

  async markPublished(items: readonly PublishedItem[]): Promise<void> {
    await this.#published.addAll(items)
  }

  async #markAll(items: readonly PublishedItem[]): Promise<void[]> {
    await this.#postgres.prepared('mark_published', MARK_PUBLISHED, [itemsJson(items)])
    return items.map(() => undefined)
  }

  async unpublished(olderThanMs: number, after: string | null, limit: number): Promise<UnpublishedTask[]> {
    const rows = await this.#postgres.prepared<{
      task_id: string; task_type: string; priority: TaskPriority; attempt: number; owner: string | null; delay_ms: number | null
    }>('unpublished', UNPUBLISHED, [olderThanMs, after, limit])
    return rows.map((row) => ({
      taskId: row.task_id, taskType: row.task_type, priority: row.priority, attempt: row.attempt, owner: row.owner, delayMs: row.delay_ms ?? 0,
    }))
  }

  async published(after: string | null, limit: number): Promise<PublishedTask[]> {
    const rows = await this.#postgres.prepared<{ task_id: string; task_type: string; priority: TaskPriority; message_id: string | null }>(
      'published', PUBLISHED, [after, limit])
    return rows.map((row) => ({ taskId: row.task_id, taskType: row.task_type, priority: row.priority, messageId: row.message_id }))
  }

  async markMissing(items: readonly PublishedItem[]): Promise<number> {
    if (items.length === 0) return 0
    const [row] = await this.#postgres.prepared<{ n: number }>('mark_missing', MARK_MISSING, [itemsJson(items)])
    return row?.n ?? 0
  }

  async takeBack(attempts: readonly { readonly taskId: string; readonly attempt: number }[]): Promise<string[]> {
    const rows = await this.#postgres.prepared<{ task_id: string }>('take_back', TAKE_BACK,
      [JSON.stringify(attempts.map((one) => ({ task_id: one.taskId, attempt: one.attempt }))), this.#leaseMs])
    return rows.map((row) => row.task_id)
  }
}

function itemsJson(items: readonly PublishedItem[]): string {
  return JSON.stringify(items.map((item) => ({ task_id: item.taskId, message_id: item.messageId })))
}
