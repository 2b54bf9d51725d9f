/** Sweeps and their columnar results in Postgres. Unique per (sweep, quantum): nothing is ever counted twice. */
import type { QuantumRows, SweepRecord, SweepStore } from '../tasks/sweep-store.js'
import type { Postgres } from './postgres.js'

/** A sweep that was redriven with other code or data starts over: rows of another engine must not be mixed in. */
const BEGIN = `
with fenced as (
  select task_id from tasks where task_id = $1 and attempt = $2 and status = 'processing' for share
), stale as (
  delete from sweep_chunks c using sweeps s, fenced f
  where s.sweep_id = f.task_id and c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at
    and (s.engine_version <> $5 or s.data_hash <> $4 or s.spec_hash <> $3)
)
insert into sweeps as s (sweep_id, spec_hash, data_hash, engine_version, full_size, quantum_size, quanta, generation)
select task_id, $3, $4, $5, $6, $7, $8, $9 from fenced
on conflict (sweep_id) do update set generation = excluded.generation, finished_at = null,
  quantum_size = case when s.engine_version <> $5 or s.data_hash <> $4 or s.spec_hash <> $3 then excluded.quantum_size else s.quantum_size end,
  quanta = case when s.engine_version <> $5 or s.data_hash <> $4 or s.spec_hash <> $3 then excluded.quanta else s.quanta end,
  full_size = excluded.full_size, spec_hash = excluded.spec_hash, data_hash = excluded.data_hash, engine_version = excluded.engine_version
returning sweep_id, spec_hash, data_hash, engine_version, full_size, quantum_size, quanta`

const SAVE = `
with fenced as (
  select s.sweep_id, s.created_at from tasks t join sweeps s on s.sweep_id = t.task_id
  where t.task_id = $1 and t.attempt = $2 and t.status = 'processing' for share of t
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

  constructor(postgres: Postgres) {
    this.#postgres = postgres
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

  async saveQuanta(sweepId: string, attempt: number, quanta: readonly QuantumRows[]): Promise<boolean> {
    const rows = await this.#postgres.prepared('save_quanta', SAVE, [sweepId, attempt,
      quanta.map((q) => q.quantum), quanta.map((q) => q.fromIndex), quanta.map((q) => q.toIndex), quanta.map((q) => q.trials),
      quanta.map((q) => q.costMs), quanta.map((q) => Buffer.from(q.rows.buffer, q.rows.byteOffset, q.rows.byteLength))])
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
}

function toRecord(row: SweepRow): SweepRecord {
  return {
    sweepId: row.sweep_id, specHash: row.spec_hash, dataHash: row.data_hash, engineVersion: row.engine_version,
    fullSize: row.full_size, quantumSize: row.quantum_size, quanta: row.quanta,
  }
}
