/**
 * Rows of accepted tasks.
 *
 * A task exists once its insert committed. Concurrent single inserts share statements (group commit);
 * an atomic insert is a transaction of its own.
 */
import { Batcher } from '../base/batcher.js'
import { SweepmillError } from '../base/errors.js'
import type { TaskIntake, Inserted } from '../tasks/task-store.js'
import type { NewTask, TaskPriority } from '../tasks/task.js'
import { isDataError } from './postgres-failure.js'
import type { Postgres, Sql } from './postgres.js'

/** In: a JSON array of tasks. Out: the ids inserted. Locks: none beyond the new rows. A repeated key inserts nothing. */
const INSERT = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as x(
    task_id uuid, task_type text, priority text, data jsonb, user_id text, ip_address text, timeout integer,
    max_retries integer, name text, tags jsonb, idempotency_key text, not_before timestamptz, deadline_at timestamptz, payload_hash text, attach_key text)
), added as (
  insert into tasks (task_id, task_type, priority, data, user_id, ip_address, timeout, max_retries, name, tags,
                     idempotency_key, not_before, deadline_at, payload_hash, attach_key)
  select task_id, task_type, priority, data, user_id, ip_address, timeout, max_retries, name, coalesce((select array_agg(value) from jsonb_array_elements_text(tags)), '{}'),
         idempotency_key, not_before, deadline_at, payload_hash, attach_key
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

/** Counts stop at the limit, so that a long outage does not make every submission scan the backlog. */
const UNPUBLISHED_COUNTS = `
select p.priority, (select count(*) from (
  select 1 from tasks t where t.priority = p.priority and t.published_at is null and t.status = 'pending' limit $1) as counted)::int as n
from unnest(array['high', 'medium', 'low']) as p(priority)`

export class PostgresTaskIntake implements TaskIntake {
  readonly #postgres: Postgres
  readonly #singles: Batcher<NewTask, Inserted>

  constructor(postgres: Postgres) {
    this.#postgres = postgres
    this.#singles = new Batcher((tasks) => insertTasks(this.#postgres.sql, tasks), { maxItems: 500, lanes: 2, splits: isDataError })
  }

  async insert(tasks: readonly NewTask[], atomic: boolean): Promise<Inserted[]> {
    if (!atomic) return this.#singles.addAll(tasks)
    return this.#postgres.transaction(async (client) => {
      const inserted = await insertTasks(client, tasks)
      const conflict = inserted.findIndex((one) => one.kind === 'conflict')
      if (conflict >= 0) {
        throw new SweepmillError('IDEMPOTENCY_CONFLICT', `Task ${conflict} of the batch uses an idempotency key that belongs to another payload; no task was accepted.`, { details: { index: conflict, task_id: inserted[conflict]?.taskId } })
      }
      return inserted
    })
  }

  async unpublishedCounts(limit: number): Promise<Record<TaskPriority, number>> {
    const rows = await this.#postgres.prepared<{ priority: TaskPriority; n: number }>('unpublished_counts', UNPUBLISHED_COUNTS, [limit])
    const counts = { high: 0, medium: 0, low: 0 }
    for (const row of rows) counts[row.priority] = row.n
    return counts
  }
}

/** Inserts the tasks that are not there yet by their idempotency keys; inside a transaction or not. */
export async function insertTasks(sql: Sql, tasks: readonly NewTask[]): Promise<Inserted[]> {
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
    ip_address: task.ipAddress, timeout: task.timeoutSeconds, max_retries: task.maxRetries, name: task.name, tags: task.tags,
    idempotency_key: task.idempotencyKey, not_before: task.notBefore, deadline_at: task.deadlineAt, payload_hash: task.payloadHash, attach_key: task.attachKey,
  }
}
