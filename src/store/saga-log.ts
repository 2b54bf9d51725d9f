/** The saga log in Postgres. Writes of concurrent sagas share statements; each row is fenced by its task's attempt. */
import { Batcher } from '../base/batcher.js'
import type { ErrorData } from '../base/errors.js'
import type { BegunRun, LoggedStep, SagaLog, SagaRunStatus, SagaWrite } from '../saga/saga-log.js'
import { leaseLost } from '../tasks/lease-lost.js'
import { isDataError } from './postgres-failure.js'
import type { Postgres } from './postgres.js'

/**
 * In: JSON array of {task_id, attempt, saga_type, version}. Out: a row for each whose fence stood. Locks: task rows FOR SHARE, in
 * id order. Resumes the last run unless it ended, then begins the next.
 */
const BEGIN = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as x(task_id uuid, attempt integer, saga_type text, version integer)
), fenced as (
  select i.* from tasks t join input i on i.task_id = t.task_id and i.attempt = t.attempt
  where t.status = 'processing' order by t.task_id for share of t
), last as (
  select distinct on (r.task_id) r.task_id, r.run, r.status in ('running', 'compensating') as open
  from saga_runs r join fenced f using (task_id) order by r.task_id, r.run desc
), resumed as (
  update saga_runs r set attempt = f.attempt, row_version = row_version + 1
  from last l join fenced f using (task_id) where r.task_id = l.task_id and r.run = l.run and l.open
  returning r.task_id, r.attempt, r.run, r.version, r.status, r.row_version, true as resumed
), begun as (
  insert into saga_runs (task_id, run, saga_type, version, status, attempt)
  select f.task_id, coalesce(l.run, 0) + 1, f.saga_type, f.version, 'running', f.attempt
  from fenced f left join last l using (task_id) where l.open is not true
  returning task_id, attempt, run, version, status, row_version, false as resumed
)
select * from resumed union all select * from begun`

interface BeginRequest { readonly taskId: string; readonly attempt: number; readonly sagaType: string; readonly version: number }
interface RunRow { task_id: string; attempt: number; run: number; version: number; status: SagaRunStatus; row_version: number; resumed: boolean }

/**
 * In: JSON array of writes. Out: ids whose fence stood: attempt and row version. Locks: task rows FOR SHARE, in id order.
 * Idempotent: a step row is replaced by the newer state of the same step.
 */
const WRITE = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as x(
    task_id uuid, attempt integer, run integer, row_version integer, run_status text, steps jsonb, checkpoint jsonb, audit jsonb)
), locked as (
  select t.task_id, t.generation, t.crashes, i.attempt, i.run, i.row_version, i.run_status, i.steps, i.checkpoint, i.audit
  from tasks t join input i on i.task_id = t.task_id and i.attempt = t.attempt
  where t.status = 'processing' order by t.task_id for share of t
), fenced as (
  update saga_runs r set status = coalesce(l.run_status, r.status), row_version = r.row_version + 1,
    finished_at = case when coalesce(l.run_status, r.status) in ('running', 'compensating') then null else now() end
  from locked l where r.task_id = l.task_id and r.run = l.run and r.row_version = l.row_version
  returning l.*
), stepped as (
  insert into saga_steps as s (task_id, run, step, undo, seq, status, attempt, input_hash, output, error, finished_at)
  select f.task_id, f.run, x.step, x.undo, x.seq, x.status, f.attempt, x."inputHash", x.output, x.error,
         case when x.status = 'started' then null else now() end
  from fenced f, jsonb_to_recordset(f.steps) as x(step text, undo boolean, seq integer, status text, "inputHash" text, output jsonb, error jsonb)
  on conflict (task_id, run, step, undo) do update set status = excluded.status, attempt = excluded.attempt,
    input_hash = coalesce(excluded.input_hash, s.input_hash),
    output = coalesce(excluded.output, s.output), error = excluded.error, finished_at = excluded.finished_at
), checked as (
  insert into checkpoints (task_id, attempt, step, data)
  select task_id, attempt, checkpoint->>'step', checkpoint->'data' from fenced where checkpoint is not null
), calmed as (
  update tasks t set crashes = 0 from fenced f where t.task_id = f.task_id and f.crashes > 0 and f.checkpoint is not null
), audited as (
  insert into task_events (task_id, event, attempt, generation, worker, detail)
  select f.task_id, x.event, f.attempt, f.generation, $2, x.detail
  from fenced f, jsonb_to_recordset(f.audit) as x(event text, detail jsonb)
)
select task_id from fenced`

export class PostgresSagaLog implements SagaLog {
  readonly #postgres: Postgres
  readonly #worker: string
  readonly #begins: Batcher<BeginRequest, RunRow | null>
  readonly #writes: Batcher<SagaWrite, boolean>

  constructor(postgres: Postgres, worker: string) {
    this.#postgres = postgres
    this.#worker = worker
    this.#begins = new Batcher((requests) => this.#beginAll(requests), { maxItems: 200, lanes: 1, splits: isDataError })
    this.#writes = new Batcher((writes) => this.#writeAll(writes), { maxItems: 200, lanes: 1, splits: isDataError })
  }

  async begin(taskId: string, attempt: number, sagaType: string, version: number): Promise<BegunRun> {
    const run = await this.#begins.add({ taskId, attempt, sagaType, version })
    if (run === null) throw leaseLost(taskId, 'saga')
    // A run that begins has no step yet.
    return { ref: { taskId, attempt, run: run.run }, version: run.version, rowVersion: run.row_version, status: run.status, steps: run.resumed ? await this.#steps(taskId, run.run) : [] }
  }

  async #steps(taskId: string, run: number): Promise<LoggedStep[]> {
    const rows = await this.#postgres.prepared<{ step: string; undo: boolean; status: LoggedStep['status']; input_hash: string | null; output: string | null; error: ErrorData | null }>(
      'saga_steps', 'select step, undo, status, input_hash, output::text as output, error from saga_steps where task_id = $1 and run = $2 order by seq', [taskId, run])
    return rows.map(({ input_hash: inputHash, ...step }) => ({ ...step, inputHash }))
  }

  async #beginAll(requests: readonly BeginRequest[]): Promise<(RunRow | null)[]> {
    const rows = await this.#postgres.prepared<RunRow>('saga_begin', BEGIN,
      [JSON.stringify(requests.map((one) => ({ task_id: one.taskId, attempt: one.attempt, saga_type: one.sagaType, version: one.version })))])
    const byAttempt = new Map(rows.map((row) => [`${row.task_id} ${row.attempt}`, row]))
    return requests.map(({ taskId, attempt }) => byAttempt.get(`${taskId} ${attempt}`) ?? null)
  }

  async write(write: SagaWrite): Promise<void> {
    if (!await this.#writes.add(write)) throw leaseLost(write.ref.taskId, 'saga')
  }

  async #writeAll(writes: readonly SagaWrite[]): Promise<boolean[]> {
    // One run advances once a statement: a second write can only come from a second orchestrator of the same attempt.
    const first = new Map(writes.toReversed().map((write) => [write.ref.taskId, write]))
    const rows = await this.#postgres.prepared<{ task_id: string }>('saga_write', WRITE, [`[${[...first.values()].map(writeJson).join(',')}]`, this.#worker])
    const held = new Set(rows.map((row) => row.task_id))
    return writes.map((write) => first.get(write.ref.taskId) === write && held.has(write.ref.taskId))
  }
}

/** Step outputs are JSON text and go in as they are. */
function writeJson(write: SagaWrite): string {
  const steps = write.steps.map((step) => {
    const { output, ...rest } = step
    const text = JSON.stringify(rest)
    return output === undefined ? text : `${text.slice(0, -1)},"output":${output}}`
  })
  const fixed = JSON.stringify({
    task_id: write.ref.taskId, attempt: write.ref.attempt, run: write.ref.run, row_version: write.rowVersion, run_status: write.runStatus ?? null,
    checkpoint: write.checkpoint ?? null, audit: write.audit,
  })
  return `${fixed.slice(0, -1)},"steps":[${steps.join(',')}]}`
}
