/**
 * The life of attempts in Postgres: open, checkpoint, finish. Every write is fenced by the attempt number.
 *
 * Batches are batches all the way: one statement opens or closes any number of attempts. Rows are locked
 * in `task_id` order, so two batches can never wait for each other.
 */
import { Batcher } from '../base/batcher.js'
import { SweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import { cutText } from '../base/storable-text.js'
import type { AttemptStore, FinishRequest, Opened, OpenRequest } from '../tasks/task-store.js'
import type { Attempt, Progress, TaskPriority, TaskStatus } from '../tasks/task.js'
import { isDataError } from './postgres-failure.js'
import type { Postgres } from './postgres.js'

/** Crashes without progress that make a task poison. */
export const POISON_CRASHES = 3

/** The result column holds scalars; anything larger belongs to task_artifacts. */
export const MAX_RESULT_BYTES = 64 * 1024

/** A step's data, not its output: blobs belong to task_artifacts. */
const MAX_CHECKPOINT_BYTES = 2 ** 20

/**
 * In: JSON array of {task_id, message_id, taken_from, needs_data}, the owner, the poison bound, milliseconds of silence.
 * Out: a row for each input row that exists. Locks: the task rows, in id order.
 * An attempt opens from `pending` when due. From `processing` it opens when this very entry was taken from the row's
 * owner, or that owner is gone: an entry can pass through other hands while its owner lives, when Redis forgot whose
 * it was. It opens as well when the row is this very caller's, who then never heard that an earlier open was committed.
 * Only an attempt of another process counts as a crash.
 * A takeover writes two audit rows (processing → pending → processing), so that the history stays legal.
 */
const OPEN = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as x(task_id uuid, message_id text, taken_from text, needs_data boolean)
), locked as (
  select t.task_id, t.status, t.attempt, t.generation, t.crashes, i.message_id, i.needs_data,
         greatest(0, extract(epoch from (t.not_before - now())) * 1000)::float8 as delay_ms,
         (t.status = 'processing' and t.message_id = i.message_id and (t.owner = $2 or (i.taken_from is not null and (
           t.owner = i.taken_from or not exists (select 1 from workers w where w.incarnation = t.owner and w.stopped_at is null
             and w.beat_at > now() - make_interval(secs => $4 / 1000.0)))))) as takeover,
         (t.owner is distinct from $2) as crashed, (t.message_id is not distinct from i.message_id) as own
  from tasks t join input i on i.task_id = t.task_id
  order by t.task_id for update of t
), judged as (
  select *, case
    when takeover and crashed and crashes + 1 >= $3 then 'poison'
    when takeover then 'opened'
    when status <> 'pending' then 'stale'
    when coalesce(delay_ms, 0) > 0 then 'not_due'
    when crashes >= $3 then 'poison'
    else 'opened' end as verdict
  from locked
), once as (
  -- The same task twice in one batch (an entry and its duplicate): one of them counts, and the others are dropped. A stale one
  -- never hides the one that decides; of two stale ones the row's own counts, since its going must be noticed.
  select distinct on (task_id) * from judged order by task_id, (verdict = 'opened') desc, (verdict = 'stale'), own desc, message_id
), changed as (
  update tasks t set
    status = case o.verdict when 'opened' then 'processing' else 'dead_letter' end,
    attempt = t.attempt + case o.verdict when 'opened' then 1 else 0 end,
    crashes = t.crashes + case when o.takeover and o.crashed then 1 else 0 end,
    owner = $2, message_id = o.message_id, progress = t.progress - 'waits', published_at = coalesce(t.published_at, now()),
    started_at = coalesce(t.started_at, now()),
    completed_at = case o.verdict when 'poison' then now() end,
    dead_reason = case o.verdict when 'poison' then 'poison' end,
    error = case o.verdict when 'poison' then jsonb_build_object('code', 'THREAD_LOST', 'message', 'The task ended its process ' || $3 || ' times without progress.') else t.error end,
    error_message = case o.verdict when 'poison'
      then 'The task ended its process ' || $3 || ' times without progress.' else t.error_message end
  from once o where o.task_id = t.task_id and o.verdict in ('opened', 'poison')
  returning t.*, o.verdict, o.takeover, o.needs_data
), lives as (
  -- Whoever opens is alive, also one that was taken for dead and has not beaten since: nobody may take this back from it.
  update workers w set beat_at = now(), beats = w.beats + 1
  where w.incarnation = $2 and w.stopped_at is null and exists (select 1 from changed)
), unhinged as (
  -- Its own entry comes anew: the group was made again, and nobody holds the lease in Redis any more.
  update tasks t set published_at = null
  from once o where o.task_id = t.task_id and o.verdict = 'stale' and t.status = 'processing' and t.message_id = o.message_id
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation, worker)
  select task_id, event, from_status, to_status, attempt, generation, $2 from (
    select task_id, 'reclaimed' as event, 'processing' as from_status, 'pending' as to_status,
           attempt - case verdict when 'opened' then 1 else 0 end as attempt, generation, 1 as seq
    from changed where takeover
    union all
    select task_id, case verdict when 'opened' then 'started' else 'dead_letter' end, 'pending',
           case verdict when 'opened' then 'processing' else 'dead_letter' end, attempt, generation, 2
    from changed) as both_rows order by task_id, seq
)
select o.task_id, o.message_id, o.verdict, o.delay_ms, c.task_type, c.priority, c.attempt, c.generation, c.retry_count,
       c.max_retries, c.timeout, (extract(epoch from (c.deadline_at - now())) * 1000)::float8 as deadline_ms, c.user_id, c.ip_address, case when c.needs_data then c.data end as data,
       coalesce(c.task_type, (select task_type from tasks t where t.task_id = o.task_id)) as known_type
from once o left join changed c on c.task_id = o.task_id`

interface OpenRow {
  task_id: string; message_id: string; verdict: 'opened' | 'poison' | 'stale' | 'not_due'; delay_ms: number | null
  task_type: string; priority: TaskPriority; attempt: number; generation: number; retry_count: number; max_retries: number
  timeout: number; deadline_ms: number | null; user_id: string | null; ip_address: string | null; data: Record<string, unknown> | null; known_type: string
}

/**
 * In: JSON array of outcomes, the worker's name for the audit. Out: ids whose fence stood.
 * Locks: the task rows, in id order. One transaction: state, result, end of the saga run, sweep, audit.
 */
const FINISH = `
with given as (
  select * from jsonb_to_recordset($1::jsonb) as x(
    task_id uuid, attempt integer, status text, event text, result jsonb, error jsonb, error_message text,
    dead_reason text, waits text, delay_ms float8, counts boolean, saga_undone boolean, detail jsonb,
    sweep_trials bigint, sweep_hash text, sweep_top jsonb)
), locked as (
  select t.task_id, t.attempt from tasks t join given g on g.task_id = t.task_id and g.attempt = t.attempt
  where t.status = 'processing' order by t.task_id for update of t
), input as (
  -- What an earlier attempt sent in the same batch is none of it.
  select g.* from given g join locked using (task_id, attempt)
), done as (
  update tasks t set
    status = i.status, result = coalesce(i.result, t.result), error = i.error,
    error_message = coalesce(i.error_message, case when i.status = 'completed' then null else t.error_message end),
    dead_reason = i.dead_reason,
    retry_count = t.retry_count + case when i.status = 'pending' and i.counts then 1 else 0 end,
    attempt = t.attempt, owner = null,
    not_before = case when i.status = 'pending' then now() + make_interval(secs => coalesce(i.delay_ms, 0) / 1000.0) else t.not_before end,
    published_at = case when i.status = 'pending' then null else t.published_at end,
    message_id = case when i.status = 'pending' then null else t.message_id end,
    progress = case when i.status = 'completed' then null when i.waits is null then t.progress
      else coalesce(t.progress, '{"step": "plan", "done": 0, "total": 0}') || jsonb_build_object('waits', i.waits) end,
    completed_at = case when i.status = 'pending' then null else now() end,
    processing_time_ms = case when i.status = 'pending' then null
      else (extract(epoch from (clock_timestamp() - t.started_at)) * 1000)::bigint end
  from input i where t.task_id = i.task_id
  returning t.task_id, t.attempt, t.generation, t.user_id, t.ip_address
), sagas as (
  update saga_runs r set status = case i.status when 'completed' then 'completed' else 'compensated' end, finished_at = now(), row_version = row_version + 1
  from done d join input i using (task_id)
  where r.task_id = d.task_id and (i.status = 'completed' and r.status = 'running' or i.saga_undone and r.status in ('running', 'compensating'))
  returning r.task_id, r.run, r.status
), pivot as (
  -- The step that commits is the one whose intent was logged last.
  update saga_steps s set status = 'finished', finished_at = now()
  from sagas g where g.status = 'completed' and s.task_id = g.task_id and s.run = g.run and s.status = 'started' and not s.undo
  returning s.task_id, s.step
), swept as (
  update sweeps s set trials = i.sweep_trials, result_hash = i.sweep_hash, finished_at = now()
  from done d join input i using (task_id) where s.sweep_id = d.task_id and i.sweep_hash is not null
  returning s.sweep_id
), topped as (
  insert into sweep_top (sweep_id, rank, trial, params, metrics, held_out)
  select s.sweep_id, row_number() over (partition by s.sweep_id order by ordinality), (x.one->>'trial')::bigint,
         x.one->'params', x.one->'metrics', x.one->'held_out'
  from swept s join input i on i.task_id = s.sweep_id,
       lateral jsonb_array_elements(i.sweep_top) with ordinality as x(one, ordinality)
  on conflict (sweep_id, rank) do update set trial = excluded.trial, params = excluded.params,
    metrics = excluded.metrics, held_out = excluded.held_out
), audited as (
  insert into task_events (task_id, event, from_status, to_status, attempt, generation, worker, detail)
  select d.task_id, x.event, x.from_status, x.to_status, d.attempt, d.generation, $2, x.detail
  from (
    select task_id, 'step_complete' as event, null as from_status, null as to_status, 1 as seq,
           jsonb_build_object('step', step, 'checkpoint', jsonb_build_object('step', step, 'progress', 100),
             'user_id', user_id, 'ip_address', ip_address) as detail
    from pivot join done using (task_id)
    union all
    select task_id, 'saga_complete', null, null, 2, jsonb_build_object('user_id', user_id, 'ip_address', ip_address)
    from sagas join done using (task_id) where sagas.status = 'completed'
    union all
    select task_id, event, 'processing', status, 3, detail from input
  ) as x join done d using (task_id) order by d.task_id, x.seq
)
select task_id, attempt from done`

/** Progress through a checkpoint also clears the crash count: the task is not poison. Locks the task row FOR SHARE… by update. */
const CHECKPOINT = `
with fenced as (
  update tasks set crashes = 0 where task_id = $1 and attempt = $2 and status = 'processing' returning task_id
)
insert into checkpoints (task_id, attempt, step, data) select task_id, $2, $3, $4::jsonb from fenced returning task_id`

/** Progress that comes after its own attempt ended is late, not refused. */
const PROGRESS = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as x(task_id uuid, attempt integer, progress jsonb)
), written as (
  update tasks t set progress = i.progress
  from input i where t.task_id = i.task_id and t.attempt = i.attempt and t.status = 'processing'
)
select count(*)::int as refused from input i join tasks t using (task_id) where t.attempt > i.attempt`

export class PostgresAttemptStore implements AttemptStore {
  readonly #postgres: Postgres
  readonly #worker: string
  readonly #silenceMs: number
  readonly #finishes: Batcher<FinishRequest, boolean>

  /** `worker` is the incarnation that the audit trail names; an owner without a beat for two leases is gone. */
  constructor(postgres: Postgres, worker: string, leaseMs: number) {
    this.#silenceMs = 2 * leaseMs
    this.#postgres = postgres
    this.#worker = worker
    this.#finishes = new Batcher((requests) => this.#finishAll(requests), { maxItems: 200, lanes: 1, splits: isDataError })
  }

  async open(requests: readonly OpenRequest[], owner: string): Promise<Opened[]> {
    if (requests.length === 0) return []
    const rows = await this.#postgres.prepared<OpenRow>('open_attempts', OPEN, [
      JSON.stringify(requests.map((r) => ({ task_id: r.taskId, message_id: r.messageId, taken_from: r.takenFrom, needs_data: r.needsData }))),
      owner, POISON_CRASHES, this.#silenceMs])
    const byEntry = new Map(rows.map((row) => [`${row.task_id} ${row.message_id}`, row]))
    const known = new Set(rows.map((row) => row.task_id))
    return requests.map((request): Opened => {
      const row = byEntry.get(`${request.taskId} ${request.messageId}`)
      if (row === undefined) return { kind: known.has(request.taskId) ? 'stale' : 'missing' }
      switch (row.verdict) {
        case 'opened': return { kind: 'opened', attempt: toAttempt(row) }
        case 'poison': return { kind: 'poison', attempts: row.attempt, generation: row.generation, taskType: row.known_type }
        case 'not_due': return { kind: 'not_due', delayMs: row.delay_ms ?? 0, taskType: row.known_type }
        case 'stale': return { kind: 'stale' }
      }
    })
  }

  async finish(requests: readonly FinishRequest[]): Promise<boolean[]> {
    for (const { taskId, outcome } of requests) {
      if (outcome.kind !== 'completed' || outcome.resultJson === null) continue
      const bytes = Buffer.byteLength(outcome.resultJson)
      if (bytes > MAX_RESULT_BYTES) {
        throw new SweepmillError('PAYLOAD_TOO_LARGE', `The result of task ${taskId} has ${bytes} bytes; at most ${MAX_RESULT_BYTES} are stored. Return less (of a sweep: a smaller \`top\`), or keep the rest elsewhere.`,
          { details: { bytes, limit: MAX_RESULT_BYTES } })
      }
    }
    return this.#finishes.addAll(requests)
  }

  async #finishAll(requests: readonly FinishRequest[]): Promise<boolean[]> {
    // Two ends of one attempt in one batch: the first one stands. The statement would take either, and say yes to both.
    const first = new Map(requests.map((request) => [endOf(request.taskId, request.attempt), request] as const).toReversed())
    const rows = await this.#postgres.prepared<{ task_id: string; attempt: number }>('finish_attempts', FINISH,
      [`[${[...first.values()].map(finishJson).join(',')}]`, this.#worker])
    const done = new Set(rows.map((row) => first.get(endOf(row.task_id, row.attempt))))
    return requests.map((request) => done.has(request))
  }

  async checkpoint(taskId: string, attempt: number, step: string, dataJson: string): Promise<boolean> {
    const bytes = Buffer.byteLength(dataJson)
    if (bytes > MAX_CHECKPOINT_BYTES) {
      throw new SweepmillError('PAYLOAD_TOO_LARGE', `The checkpoint ${JSON.stringify(cutText(step, 60))} of task ${taskId} has ${bytes} bytes; at most ${MAX_CHECKPOINT_BYTES} are stored.`,
        { details: { bytes, limit: MAX_CHECKPOINT_BYTES } })
    }
    const rows = await this.#postgres.prepared('checkpoint', CHECKPOINT, [taskId, attempt, step, dataJson])
    return rows.length > 0
  }

  async progress(items: readonly { readonly taskId: string; readonly attempt: number; readonly progress: Progress }[]): Promise<number> {
    if (items.length === 0) return 0
    const [row] = await this.#postgres.prepared<{ refused: number }>('progress', PROGRESS,
      [JSON.stringify(items.map((item) => ({ task_id: item.taskId, attempt: item.attempt, progress: item.progress })))])
    return row?.refused ?? 0
  }

  async quarantine(messageId: string, priority: TaskPriority, body: Uint8Array | null, reason: string): Promise<void> {
    await this.#postgres.query('insert into quarantine (message_id, priority, body, reason) values ($1, $2, $3, $4)',
      [messageId, priority, body === null ? null : Buffer.from(body), reason])
  }
}

function toAttempt(row: OpenRow): Attempt {
  return {
    taskId: row.task_id, taskType: row.task_type, priority: row.priority, messageId: row.message_id, attempt: row.attempt,
    generation: row.generation, retryCount: row.retry_count, maxRetries: row.max_retries, timeoutSeconds: row.timeout, deadlineMs: row.deadline_ms,
    userId: row.user_id, ipAddress: row.ip_address, data: row.data ?? {},
  }
}

function endOf(taskId: string, attempt: number): string {
  return `${taskId} ${attempt}`
}

/** Builds the JSON by hand around `resultJson`, which is text from a thread and is not decoded here. */
function finishJson(request: FinishRequest): string {
  const { outcome } = request
  const row: Record<string, unknown> = { task_id: request.taskId, attempt: request.attempt, saga_undone: outcome.sagaUndone ?? false, ...finishRow(outcome) }
  const fixed = JSON.stringify(row)
  if (outcome.kind !== 'completed') return fixed
  const parts = [fixed.slice(0, -1)]
  if (outcome.resultJson !== null) parts.push(`,"result":${outcome.resultJson}`)
  if (outcome.sweep !== undefined) {
    parts.push(`,"sweep_trials":${outcome.sweep.trials},"sweep_hash":${JSON.stringify(outcome.sweep.resultHash)},"sweep_top":${outcome.sweep.topJson}`)
  }
  return `${parts.join('')}}`
}

function finishRow(outcome: FinishRequest['outcome']): { status: TaskStatus; event: string; [key: string]: unknown } {
  switch (outcome.kind) {
    case 'completed': return { status: 'completed', event: 'completed' }
    case 'cancelled': return { status: 'cancelled', event: 'cancelled', error_message: 'The task was cancelled.' }
    case 'failed': return { status: 'failed', event: 'failed', ...errorColumns(outcome.error) }
    case 'retry': return { status: 'pending', event: 'retry', counts: true, delay_ms: outcome.delayMs, ...errorColumns(outcome.error) }
    case 'dead_letter': return { status: 'dead_letter', event: 'dead_letter', dead_reason: outcome.reason, ...errorColumns(outcome.error) }
    case 'released': return { status: 'pending', event: 'released', counts: false, delay_ms: outcome.delayMs, detail: { why: outcome.why }, ...(outcome.waits === true ? { waits: outcome.why } : {}) }
  }
}

function errorColumns(error: ErrorData): Record<string, unknown> {
  return { error, error_message: error.message, detail: { code: error.code, message: error.message } }
}
