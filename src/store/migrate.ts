/**
 * Brings a database to the newest schema, and verifies what is there.
 *
 * The files of src/store/migrations run in order, once, under an advisory lock that waits. A database
 * that has applied a migration this program does not have is refused: expand first, contract later.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runner } from 'node-pg-migrate'
import { SweepmillError } from '../base/errors.js'
import { packageRoot } from '../base/package-root.js'
import { buildOnlineIndexes } from './online-indexes.js'
import type { Postgres } from './postgres.js'

const MIGRATIONS = join(packageRoot, 'src', 'store', 'migrations')
const MIGRATIONS_TABLE = 'schema_migrations'
const PARTITION_MONTHS_AHEAD = 3
const MIN_SERVER_VERSION = 130_000

export interface TableReport {
  readonly table: string
  readonly columns: readonly string[]
}

export interface MigrateReport {
  readonly applied: readonly string[]
  readonly tables: readonly TableReport[]
  readonly changes: readonly TableChange[]
}

/** A table that was not there before, or columns that it did not have. */
export interface TableChange {
  readonly table: string
  readonly created: boolean
  readonly columns: readonly string[]
}

export async function migrate(postgres: Postgres): Promise<MigrateReport> {
  const [server] = await postgres.query<{ v: number; schema: string | null }>("select current_setting('server_version_num')::int as v, current_schema() as schema")
  if ((server?.v ?? 0) < MIN_SERVER_VERSION) {
    throw new SweepmillError('CONFIG_INVALID', `DATABASE_URL points at PostgreSQL ${server?.v ?? '?'}; version 13 or newer is needed.`)
  }
  const schema = server?.schema ?? null
  if (schema === null) {
    throw new SweepmillError('CONFIG_INVALID', 'DATABASE_URL names a search_path in which no schema exists; create the schema first.')
  }
  await refuseNewerSchema(postgres)
  const before = new Map((await describeTables(postgres)).map((one) => [one.table, one.columns]))
  await buildOnlineIndexes(postgres)
  const ran = await postgres.withClient((client) => runner({
    dbClient: client, dir: MIGRATIONS, direction: 'up', migrationsTable: MIGRATIONS_TABLE,
    schema, migrationsSchema: schema, advisoryLockMode: 'wait', singleTransaction: true,
    log: () => undefined,
  }))
  const applied = ran.map((migration) => migration.name)
  await postgres.query('select ensure_partitions($1)', [PARTITION_MONTHS_AHEAD])
  const tables = await describeTables(postgres)
  return { applied, tables, changes: tables.flatMap((one) => changeOf(one, before.get(one.table))) }
}

function changeOf({ table, columns }: TableReport, before: readonly string[] | undefined): TableChange[] {
  const added = columns.filter((column) => before?.includes(column) !== true)
  return added.length === 0 ? [] : [{ table, created: before === undefined, columns: added }]
}

function knownMigrations(): string[] {
  return readdirSync(MIGRATIONS).filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -4)).sort()
}

async function refuseNewerSchema(postgres: Postgres): Promise<void> {
  const [there] = await postgres.query<{ found: boolean }>('select to_regclass($1) is not null as found', [MIGRATIONS_TABLE])
  if (there?.found !== true) return
  const rows = await postgres.query<{ name: string }>(`select name from ${MIGRATIONS_TABLE}`)
  const known = new Set(knownMigrations())
  const unknown = rows.map((row) => row.name).filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new SweepmillError('SCHEMA_TOO_NEW', `The database holds migrations that this program does not know (${unknown.join(', ')}). Run a newer version of sweepmill, or set DATABASE_URL (of embedded servers STATE_DIR) to a place of this version's own.`, { details: { unknown } })
  }
}

/** Tables and columns as the database reports them, partitions left out. */
async function describeTables(postgres: Postgres): Promise<TableReport[]> {
  const rows = await postgres.query<{ table: string; columns: string[] }>(`
    select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    group by c.relname order by c.relname`)
  return rows
}
