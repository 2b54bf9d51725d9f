/**
 * Indexes on tables that may be large and in use: built without holding up writers, which no transaction can do, so it
 * happens before the migrations, whose own statement then finds them there. A fresh database has no table yet, and gets
 * them from the migration. A build that was killed leaves an index behind that nobody uses: it is dropped and made anew.
 *
 * Workers that start together: whoever comes second finds the name taken, and its migration goes on without waiting.
 */
import type { QueryConfig } from 'pg'
import type { Postgres } from './postgres.js'

const INDEXES = [{ name: 'ix_task_created', table: 'tasks', columns: 'created_at' }] as const
/** A hundred million rows take minutes. */
const BUILD_MS = 3_600_000

/** Out: whether the index can be made now, and whether a broken one stands in its place. */
const STATE = `
select to_regclass($1) is not null and (to_regclass($2) is null or broken.it) as due, broken.it as broken
from (select exists (
  select 1 from pg_index i where i.indexrelid = to_regclass($2) and not i.indisvalid
    and not exists (select 1 from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)) as it) broken`

export async function buildOnlineIndexes(postgres: Postgres): Promise<void> {
  for (const { name, table, columns } of INDEXES) {
    const [state] = await postgres.query<{ due: boolean; broken: boolean }>(STATE, [table, name])
    if (state?.due !== true) continue
    await postgres.withClient(async (client) => {
      if (state.broken) await client.query(slow(`drop index concurrently if exists ${name}`))
      await client.query(slow(`create index concurrently if not exists ${name} on ${table} (${columns})`))
    })
  }
}

function slow(text: string): QueryConfig {
  return { text, query_timeout: BUILD_MS } as QueryConfig
}
