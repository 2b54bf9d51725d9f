/** Sweeps and their columnar results in Postgres. Unique per (sweep, quantum): nothing is ever counted twice. */
import type { QuantumRows, ResumedSweep, SweepRecord, SweepStore } from '../tasks/sweep-store.js'
import type { TaskPriority } from '../tasks/task.js'
import type { Postgres } from './postgres.js'

/** SQL: the finished quanta of the sweep `s`. */
const CHUNKS = 'from sweep_chunks c where c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at'

/**
 * In: sweep, attempt, engine, milliseconds of silence. Out: a row when the fence stood; its `engine_version` is null without a sweep.
 * A sweep of another engine with finished quanta is marked as handed back.
 */
const RESUME = `
with fenced as (
  select task_id, cancel_requested_at is not null as cancelled from tasks where task_id = $1 and attempt = $2 and status = 'processing' for share
), found as (
  select s.*, (select count(*)::int ${CHUNKS}) as finished_quanta from sweeps s join fenced f on f.task_id = s.sweep_id
), marked as (
  update sweeps s set handed_back_at = case when s.engine_version = $3 then null else coalesce(s.handed_back_at, now()) end
  from found f where s.sweep_id = f.sweep_id and (s.engine_version = $3 and s.handed_back_at is not null or s.engine_version <> $3 and f.finished_quanta > 0)
)
select s.sweep_id, s.spec_hash, s.data_hash, s.engine_version, s.full_size, s.quantum_size, s.quanta, s.finished_quanta, f.cancelled,
       coalesce(extract(epoch from (now() - s.handed_back_at)) * 1000, 0)::float8 as waited_ms,
       exists (select 1 from workers w where w.engine = s.engine_version and w.role = 'worker' and w.stopped_at is null
         and w.beat_at > now() - make_interval(secs => $4 / 1000.0)) as engine_alive
from fenced f left join found s on s.sweep_id = f.task_id`

/**
 * A sweep whose code or data changed starts over; one of another engine does where it has no finished quantum. Else nothing is
 * written, and no row comes out: rows of two engines are never in one sweep.
 */
const BEGIN = `
with fenced as (
  select task_id from tasks where task_id = $1 and attempt = $2 and status = 'processing' for share
), stale as (
  delete from sweep_chunks c using sweeps s, fenced f
  where s.sweep_id = f.task_id and c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at
    and s.engine_version = $5 and (s.data_hash <> $4 or s.spec_hash <> $3)
)
insert into sweeps as s (sweep_id, spec_hash, data_hash, engine_version, full_size, quantum_size, quanta, generation)
select task_id, $3, $4, $5, $6, $7, $8, $9 from fenced
on conflict (sweep_id) do update set generation = excluded.generation, finished_at = null, handed_back_at = null,
  quantum_size = case when s.engine_version <> $5 or s.data_hash <> $4 or s.spec_hash <> $3 then excluded.quantum_size else s.quantum_size end,
  quanta = case when s.engine_version <> $5 or s.data_hash <> $4 or s.spec_hash <> $3 then excluded.quanta else s.quanta end,
  full_size = excluded.full_size, spec_hash = excluded.spec_hash, data_hash = excluded.data_hash, engine_version = excluded.engine_version
where s.engine_version = $5 or not exists (select 1 ${CHUNKS})
returning sweep_id, spec_hash, data_hash, engine_version, full_size, quantum_size, quanta`

/** Publishing them is the caller's: their rows say that they are without a message. */
const CLAIM = `
update tasks t set not_before = null, published_at = null, message_id = null
from sweeps s where s.sweep_id = t.task_id and t.status = 'pending' and s.handed_back_at is not null and s.engine_version = $1
returning t.task_id, t.task_type, t.priority`

const SAVE = `
with fenced as (
  select s.sweep_id, s.created_at from tasks t join sweeps s on s.sweep_id = t.task_id
  where t.task_id = $1 and t.attempt = $2 and t.status = 'processing' and s.engine_version = $9 for share of t
), saved as (
  insert into sweep_chunks (sweep_created_at, sweep_id, quantum, from_index, to_index, trials, attempt, cost_ms, rows)
  select f.created_at, f.sweep_id, q.quantum, q.from_index, q.to_index, q.trials, $2, q.cost_ms, q.rows
  from fenced f, unnest($3::int[], $4::bigint[], $5::bigint[], $6::int[], $7::float8[], $8::bytea[])
       as q(quantum, from_index, to_index, trials, cost_ms, rows)
  on conflict do nothing
), progressed as (
  update tasks t set crashes = 0 from fenced f where t.task_id = f.sweep_id and t.crashes > 0
)
select true as held from fenced`

interface SweepRow {
  sweep_id: string; spec_hash: string; data_hash: string; engine_version: string
  full_size: number; quantum_size: number; quanta: number
}

export class PostgresSweepStore implements SweepStore {
  readonly #postgres: Postgres

  readonly #silenceMs: number

  /** A worker without a beat for two leases is gone. */
  constructor(postgres: Postgres, leaseMs: number) {
    this.#postgres = postgres
    this.#silenceMs = 2 * leaseMs
  }

  async resume(sweepId: string, attempt: number, engineVersion: string): Promise<ResumedSweep | null> {
    const [row] = await this.#postgres.prepared<SweepRow & { finished_quanta: number; cancelled: boolean; waited_ms: number; engine_alive: boolean } | { sweep_id: null }>(
      'resume_sweep', RESUME, [sweepId, attempt, engineVersion, this.#silenceMs])
    if (row === undefined) return null
    if (row.sweep_id === null) return { kind: 'unplanned' }
    const sweep = toRecord(row)
    if (sweep.engineVersion === engineVersion) return { kind: 'own', sweep }
    if (row.finished_quanta === 0) return { kind: 'unplanned' }
    return { kind: 'foreign', sweep: { ...sweep, finishedQuanta: row.finished_quanta, isCancelled: row.cancelled, engineAlive: row.engine_alive, waitedMs: row.waited_ms } }
  }

  async begin(sweep: SweepRecord, attempt: number, generation: number): Promise<SweepRecord | null> {
    const [row] = await this.#postgres.query<SweepRow>(BEGIN, [sweep.sweepId, attempt, sweep.specHash, sweep.dataHash,
      sweep.engineVersion, sweep.fullSize, sweep.quantumSize, sweep.quanta, generation])
    return row === undefined ? null : toRecord(row)
  }

  async finished(sweepId: string): Promise<{ quanta: number[]; trials: number }> {
    const rows = await this.#postgres.query<{ quantum: number; trials: number }>(`
      select c.quantum, c.trials from sweeps s join sweep_chunks c on c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at
      where s.sweep_id = $1 order by c.quantum`, [sweepId])
    return { quanta: rows.map((row) => row.quantum), trials: rows.reduce((sum, row) => sum + row.trials, 0) }
  }

  async saveQuanta({ sweepId, engineVersion }: SweepRecord, attempt: number, quanta: readonly QuantumRows[]): Promise<boolean> {
    const rows = await this.#postgres.prepared('save_quanta', SAVE, [sweepId, attempt,
      quanta.map((q) => q.quantum), quanta.map((q) => q.fromIndex), quanta.map((q) => q.toIndex), quanta.map((q) => q.trials),
      quanta.map((q) => q.costMs), quanta.map((q) => Buffer.from(q.rows.buffer, q.rows.byteOffset, q.rows.byteLength)), engineVersion])
    return rows.length > 0
  }

  async* pages(sweepId: string, maxBytes: number): AsyncGenerator<readonly Uint8Array[]> {
    const [sweep] = await this.#postgres.query<{ created_at: Date; widest: number | null }>(`
      select s.created_at, (select max(length(rows)) from sweep_chunks c
        where c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at) as widest
      from sweeps s where s.sweep_id = $1`, [sweepId])
    if (sweep === undefined || sweep.widest === null) return
    const perPage = Math.max(1, Math.floor(maxBytes / sweep.widest))
    let after = -1
    for (;;) {
      const rows = await this.#postgres.prepared<{ quantum: number; rows: Buffer }>('sweep_page', `
        select c.quantum, c.rows from sweep_chunks c join sweeps s on s.sweep_id = c.sweep_id and s.created_at = c.sweep_created_at
        where c.sweep_id = $1 and c.quantum > $2 order by c.quantum limit $3`, [sweepId, after, perPage])
      if (rows.length === 0) return
      yield rows.map((row) => row.rows)
      after = rows.at(-1)?.quantum ?? after
    }
  }

  async get(sweepId: string): Promise<SweepRecord | null> {
    const [row] = await this.#postgres.query<SweepRow>(
      'select sweep_id, spec_hash, data_hash, engine_version, full_size, quantum_size, quanta from sweeps where sweep_id = $1', [sweepId])
    return row === undefined ? null : toRecord(row)
  }

  async handedBack(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#postgres.query<{ engine_version: string; n: number }>(`
      select s.engine_version, count(*)::int as n from sweeps s join tasks t on t.task_id = s.sweep_id
      where s.handed_back_at is not null and t.status = 'pending' group by s.engine_version`)
    return Object.fromEntries(rows.map((row) => [row.engine_version, row.n]))
  }

  async claim(engineVersion: string): Promise<{ taskId: string; taskType: string; priority: TaskPriority }[]> {
    const rows = await this.#postgres.query<{ task_id: string; task_type: string; priority: TaskPriority }>(CLAIM, [engineVersion])
    return rows.map((row) => ({ taskId: row.task_id, taskType: row.task_type, priority: row.priority }))
  }
}

function toRecord(row: SweepRow): SweepRecord {
  return {
    sweepId: row.sweep_id, specHash: row.spec_hash, dataHash: row.data_hash, engineVersion: row.engine_version,
    fullSize: row.full_size, quantumSize: row.quantum_size, quanta: row.quanta,
  }
}
