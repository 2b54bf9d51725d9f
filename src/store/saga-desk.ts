/** Sagas as an operator sees them, in Postgres. */
import type { OperatorDecision, SagaDesk, SagaFilter, SagaRecord, SagaStepRecord } from '../saga/saga-desk.js'
import type { SagaRunStatus, SagaStepStatus } from '../saga/saga-log.js'
import type { ErrorData } from '../base/errors.js'
import type { Postgres } from './postgres.js'

const LISTED = 50

const LIST = `
select r.task_id, r.run, r.saga_type, r.version, r.status, r.attempt, r.started_at, r.finished_at,
  coalesce((select jsonb_agg(jsonb_build_object('step', s.step, 'undo', s.undo, 'status', s.status, 'attempt', s.attempt, 'error', s.error,
      'started_at', s.started_at, 'finished_at', s.finished_at) order by s.undo, case when s.undo then -s.seq else s.seq end)
    from saga_steps s where s.task_id = r.task_id and s.run = r.run), '[]') as steps
from saga_runs r
where ($1::uuid is null or r.task_id = $1) and ($2::text is null or r.status = $2) and ($3::text is null or r.saga_type = $3)
order by r.started_at desc, r.run desc limit $4`

/** Locks the task row first, as every writer does; a task that runs is its attempt's business. */
const LOCKED = `
with locked as (
  select t.task_id, t.attempt, t.generation from tasks t
  where t.task_id = $1 and t.status in ('failed', 'dead_letter', 'cancelled') for update
)`

const REOPEN = `${LOCKED}, ran as (
  update saga_runs r set status = 'compensating', finished_at = null, row_version = row_version + 1
  from locked l where r.task_id = l.task_id and r.run = $2 and r.status in ('compensation_failed', 'compensating') returning r.task_id
), audited as (
  insert into task_events (task_id, event, attempt, generation, detail)
  select task_id, 'compensation_resumed', attempt, generation, $3::jsonb from ran join locked using (task_id)
)
select task_id from ran`

const SKIP = `${LOCKED}, ran as (
  update saga_runs r set status = case when $5 then 'compensated' else 'compensating' end, row_version = row_version + 1,
    finished_at = case when $5 then now() end
  from locked l where r.task_id = l.task_id and r.run = $2 and r.status = 'compensation_failed' returning r.task_id, r.run
), skipped as (
  update saga_steps s set status = 'skipped', finished_at = now()
  from ran r where s.task_id = r.task_id and s.run = r.run and s.undo and s.step = $4
), audited as (
  insert into task_events (task_id, event, attempt, generation, detail)
  select task_id, 'compensation_skipped', attempt, generation, $3::jsonb from ran join locked using (task_id)
)
select task_id from ran`

interface Row {
  task_id: string; run: number; saga_type: string; version: number; status: SagaRunStatus; attempt: number
  started_at: Date; finished_at: Date | null
  steps: { step: string; undo: boolean; status: SagaStepStatus; attempt: number; error: ErrorData | null; started_at: string; finished_at: string | null }[]
}

export class PostgresSagaDesk implements SagaDesk {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async list({ taskId, status, type, limit }: SagaFilter): Promise<SagaRecord[]> {
    return (await this.#postgres.query<Row>(LIST, [taskId ?? null, status ?? null, type ?? null, limit ?? LISTED])).map(toRecord)
  }

  async reopen(taskId: string, run: number, decision: OperatorDecision): Promise<boolean> {
    return (await this.#postgres.query(REOPEN, [taskId, run, detailOf(decision)])).length > 0
  }

  async skip(taskId: string, run: number, step: string, isLast: boolean, decision: OperatorDecision): Promise<boolean> {
    return (await this.#postgres.query(SKIP, [taskId, run, detailOf(decision, step), step, isLast])).length > 0
  }
}

function detailOf({ reason, userId }: OperatorDecision, step?: string): string {
  return JSON.stringify({ ...(step === undefined ? {} : { step }), reason, user_id: userId })
}

function toRecord(row: Row): SagaRecord {
  return {
    taskId: row.task_id, run: row.run, sagaType: row.saga_type, version: row.version, status: row.status, attempt: row.attempt,
    startedAt: row.started_at.toISOString(), finishedAt: row.finished_at?.toISOString() ?? null,
    steps: row.steps.map((step): SagaStepRecord => ({
      step: step.step, undo: step.undo, status: step.status, attempt: step.attempt, error: step.error,
      startedAt: new Date(step.started_at).toISOString(), finishedAt: step.finished_at === null ? null : new Date(step.finished_at).toISOString(),
    })),
  }
}
