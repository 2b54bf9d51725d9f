/**
 * The table `workers`: which incarnations of which processes are alive, by Postgres's clock.
 * A beat is one write and carries back the ids of the caller's tasks that somebody wants cancelled.
 */
import type { Fleet, FleetMember, Incarnation } from '../tasks/task-store.js'
import type { Postgres } from './postgres.js'

const BEAT = `
with beaten as (
  insert into workers (incarnation, worker_name, host, pid, process_key, threads, role, engine)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (incarnation) do update set beat_at = now(), beats = workers.beats + 1, stopped_at = null
)
select task_id from tasks where owner = $1 and status = 'processing' and cancel_requested_at is not null`

export class PostgresFleet implements Fleet {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async beat(incarnation: Incarnation): Promise<readonly string[]> {
    const rows = await this.#postgres.prepared<{ task_id: string }>('beat', BEAT, [
      incarnation.id, incarnation.workerName, incarnation.host, incarnation.pid, incarnation.processKey, incarnation.threads, incarnation.role, incarnation.engine])
    return rows.map((row) => row.task_id)
  }

  async leave(id: string): Promise<void> {
    await this.#postgres.query('update workers set stopped_at = now() where incarnation = $1', [id])
  }

  /** Those seen within a day, newest first. */
  async incarnations(): Promise<FleetMember[]> {
    const rows = await this.#postgres.query<{
      incarnation: string; worker_name: string; host: string; pid: number; process_key: string | null
      threads: number; role: 'worker' | 'session'; engine: string | null; stopped: boolean; silent_ms: number; beats: number
    }>(`
      select incarnation, worker_name, host, pid, process_key, threads, role, engine, stopped_at is not null as stopped,
             (extract(epoch from (now() - beat_at)) * 1000)::float8 as silent_ms, beats
      from workers where beat_at > now() - interval '1 day' order by started_at desc`)
    return rows.map((row) => ({
      id: row.incarnation, workerName: row.worker_name, host: row.host, pid: row.pid, processKey: row.process_key,
      threads: row.threads, role: row.role, engine: row.engine, stopped: row.stopped, silentMs: row.silent_ms, beats: row.beats,
    }))
  }
}
