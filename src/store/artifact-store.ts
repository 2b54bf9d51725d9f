/**
 * Large outputs of tasks (equity, trades, reports). Each write holds the task row FOR SHARE in the same
 * statement, so it cannot land after another attempt opened.
 */
import type { ArtifactStore } from '../tasks/bar-archive.js'
import type { Postgres } from './postgres.js'

const FENCED = `with fenced as (
  select task_id from tasks where task_id = $1 and attempt = $2 and status = 'processing' for share
)`

export class PostgresArtifactStore implements ArtifactStore {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async put(taskId: string, attempt: number, artifacts: Readonly<Record<string, Uint8Array>>): Promise<boolean> {
    const all = Object.entries(artifacts)
    const values = all.map((_, i) => `($${i * 2 + 3}::text, $${i * 2 + 4}::bytea)`).join(', ')
    const rows = await this.#postgres.prepared<{ held: boolean }>(`put_artifacts_${all.length}`, `${FENCED}, written as (
      insert into task_artifacts (task_id, kind, attempt, bytes) select f.task_id, x.kind, $2, x.bytes from fenced f, (values ${values}) as x(kind, bytes)
      on conflict (task_id, kind) do update set attempt = excluded.attempt, bytes = excluded.bytes, created_at = now()
    ) select true as held from fenced`, [taskId, attempt, ...all.flatMap(([kind, bytes]) => [kind, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)])])
    return rows.length > 0
  }

  async get(taskId: string, kind: string): Promise<Uint8Array | null> {
    const [row] = await this.#postgres.query<{ bytes: Buffer }>('select bytes from task_artifacts where task_id = $1 and kind = $2', [taskId, kind])
    return row?.bytes ?? null
  }

  async remove(taskId: string, attempt: number, kinds: readonly string[]): Promise<boolean> {
    const rows = await this.#postgres.query<{ held: boolean }>(`${FENCED}, removed as (
      delete from task_artifacts a using fenced f where a.task_id = f.task_id and a.kind = any($3)
    ) select true as held from fenced`, [taskId, attempt, kinds])
    return rows.length > 0
  }
}
