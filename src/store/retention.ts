/**
 * Removing what nobody needs any more, from Postgres.
 *
 * A batch is one transaction: it holds the cleanup's own row FOR SHARE with its attempt, takes at most BATCH rows that
 * nobody else has locked, removes them, and counts them in a checkpoint. Two cleanups at once share the rows between
 * them. A row that was touched between the look and the lock is judged anew by Postgres, and left alone.
 */
import type { PoolClient, QueryConfig } from 'pg'
import type { Writer } from '../tasks/bar-series.js'
import type { RemovedBatch, Retention, RetentionCutoffs, RetentionRule, RuleCount } from '../tasks/retention.js'
import type { Postgres } from './postgres.js'
import { isLockRefused } from './postgres-failure.js'
import { changeStays, retentionRule } from './retention-rules.js'
import type { Rule } from './retention-rules.js'
import { purgeTasks } from './task-purge.js'

/** Rows of one transaction: some milliseconds, so that nobody waits for a lock of ours. */
const BATCH = 500
/** Quanta of sweeps that go with their tasks in one transaction; a single sweep may have more. */
const QUANTA = 5000
/** Looking through a large table takes longer than any other statement may; within the default timeout of a task. */
const SCAN_MS = 240_000
/** What the checkpoints that count are called. */
const STEP = 'sweep_out'

export class PostgresRetention implements Retention {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async now(): Promise<string> {
    const [row] = await this.#postgres.query<{ now: Date }>('select now() as now')
    return (row?.now ?? new Date(0)).toISOString()
  }

  async count(name: RetentionRule, cutoffs: RetentionCutoffs): Promise<RuleCount> {
    const rule = retentionRule(name, cutoffs, true)
    if (rule === null) return { rule: name, rows: 0, bytes: 0 }
    return this.#postgres.withClient(async (client) => {
      const { rows: [counted] } = await client.query<{ rows: number; bytes: number }>(scan(
        `select count(*) as rows, coalesce(sum(bytes), 0)::int8 as bytes from (select ${rule.bytes} as bytes from ${rule.from} where ${rule.where}) as named`))
      return { rule: name, rows: counted?.rows ?? 0, bytes: counted?.bytes ?? 0 }
    })
  }

  async remove(name: RetentionRule, cutoffs: RetentionCutoffs, writer: Writer): Promise<RemovedBatch | 'fenced'> {
    const none: RemovedBatch = { rule: name, rows: 0, bytes: 0, letters: [] }
    const rule = retentionRule(name, cutoffs, false)
    if (rule === null) return none
    return this.#postgres.transaction(async (client) => {
      const own = await ownRow(client, writer)
      if (own === null) return 'fenced'
      const batch = rule.table === 'tasks' ? await removeTasks(client, rule, { rule: name, cleanup: writer.taskId })
        : rule.table === 'bar_blocks' ? await removeBlocks(client, rule) : await removeRows(client, rule)
      if (batch.rows === 0) return none
      await client.query('insert into checkpoints (task_id, attempt, step, data) values ($1, $2, $3, $4::jsonb)',
        [writer.taskId, writer.attempt, STEP, JSON.stringify({ rule: name, rows: batch.rows, bytes: batch.bytes })])
      if (own.crashes > 0) await client.query('update tasks set crashes = 0 where task_id = $1', [writer.taskId])
      return { rule: name, letters: [], ...batch }
    })
  }

  async dropEmptyPartitions(cutoffs: RetentionCutoffs, writer: Writer): Promise<string[] | 'fenced'> {
    const before = { task_events: cutoffs.events, checkpoints: cutoffs.checkpoints, sweep_chunks: cutoffs.chunks }
    const found = await this.#postgres.query<{ parent: string; name: string }>(PAST_PARTITIONS, [JSON.stringify(before)])
    const dropped: string[] = []
    for (const { parent, name } of found) {
      const result = await this.#postgres.transaction((client) => dropIfEmpty(client, parent, name, writer)).catch((error: unknown) => {
        if (isLockRefused(error)) return 'kept' as const
        throw error
      })
      if (result === 'fenced') return 'fenced'
      if (result === 'dropped') dropped.push(name)
    }
    return dropped
  }

  async removed(taskId: string): Promise<RuleCount[]> {
    return this.#postgres.query<{ rule: RetentionRule; rows: number; bytes: number }>(`
      select data->>'rule' as rule, sum((data->>'rows')::int8)::int8 as rows, sum((data->>'bytes')::int8)::int8 as bytes
      from checkpoints where task_id = $1 and step = $2 and data ? 'rule' group by 1`, [taskId, STEP])
  }
}

/** The cleanup's row, held so that no later attempt opens before this transaction ends; null when one has. */
async function ownRow(client: PoolClient, { taskId, attempt }: Writer): Promise<{ readonly crashes: number } | null> {
  const { rows: [own] } = await client.query<{ crashes: number }>(
    'select crashes from tasks where task_id = $1 and attempt = $2 and status = \'processing\' for share', [taskId, attempt])
  return own ?? null
}

/** Named by ensure_partitions. In: the cutoffs by table, null for none. Out: those whose month ended before. */
const PAST_PARTITIONS = `
select p.relname as parent, c.relname as name
from jsonb_each_text($1::jsonb) as rule(parent, cutoff)
join pg_class p on p.relname = rule.parent and p.relnamespace = current_schema()::regnamespace
join pg_inherits i on i.inhparent = p.oid
join pg_class c on c.oid = i.inhrelid and c.relname ~ ('^' || p.relname || '_\\d{6}$')
where (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')::timestamptz <= rule.cutoff::timestamptz
order by c.relname`

/** Everybody who writes to the table waits for a lock on the whole of it: not for long, and not for us to get it. */
const DROP_LOCK_MS = 200

async function dropIfEmpty(client: PoolClient, parent: string, name: string, writer: Writer): Promise<'dropped' | 'kept' | 'fenced'> {
  if (await ownRow(client, writer) === null) return 'fenced'
  if (await isFilled(client, name)) return 'kept'
  await client.query(`set local lock_timeout = ${DROP_LOCK_MS}`)
  await client.query(`lock table only ${parent} in access exclusive mode`)
  await client.query(`lock table ${name} in access exclusive mode`)
  if (await isFilled(client, name)) return 'kept'
  await client.query(`drop table ${name}`)
  return 'dropped'
}

async function isFilled(client: PoolClient, table: string): Promise<boolean> {
  return (await client.query(`select 1 from ${table} limit 1`)).rows.length > 0
}

interface Batch {
  readonly rows: number
  readonly bytes: number
  readonly letters?: RemovedBatch['letters']
}

/** In one statement, because a key may hold microseconds that a Date would lose. */
async function removeRows(client: PoolClient, rule: Rule): Promise<Batch> {
  const joined = rule.key.map((column) => `y.${column} = named.${column}`).join(' and ')
  const { rows: [removed] } = await client.query<Batch>(scan(`
    with named as materialized (${select(rule, rule.key.map((column) => `x.${column}`))}),
    removed as (delete from ${rule.table} y using named where ${joined} returning named.bytes)
    select count(*) as rows, coalesce(sum(bytes), 0)::int8 as bytes from removed`))
  return removed ?? { rows: 0, bytes: 0 }
}

async function removeTasks(client: PoolClient, rule: Rule, why: { readonly rule: RetentionRule; readonly cleanup: string }): Promise<Batch> {
  const { rows: named } = await client.query<{ task_id: string; status: string; generation: number; quanta: number; bytes: number }>(
    scan(select(rule, ['x.task_id', 'x.status', 'x.generation', 'coalesce((select quanta from sweeps w where w.sweep_id = x.task_id), 0) as quanta'])))
  let quanta = 0
  const rows = named.filter((row, i) => (quanta += row.quanta) <= QUANTA || i === 0)
  if (rows.length === 0) return { rows: 0, bytes: 0 }
  const ids = rows.map((row) => row.task_id)
  // Shards that are named as well, by this batch or a later one.
  await client.query('update tasks set parent_id = null where parent_id = any($1::uuid[])', [ids])
  await purgeTasks(client, ids, { why: 'retention', ...why })
  return {
    ...sizeOf(rows),
    letters: rows.filter((row) => row.status === 'dead_letter').map((row) => ({ taskId: row.task_id, generation: row.generation })),
  }
}

/** With what the history of series says of them: nothing of that will be taken back. */
async function removeBlocks(client: PoolClient, rule: Rule): Promise<Batch> {
  const { rows } = await client.query<{ block_hash: string; bytes: number }>(scan(select(rule, ['x.block_hash'])))
  if (rows.length === 0) return { rows: 0, bytes: 0 }
  const hashes = rows.map((row) => row.block_hash)
  await client.query(`delete from series_changes c where (c.before_hash = any($1::text[]) or c.after_hash = any($1::text[])) and not (${changeStays('c', () => 'false')})`, [hashes])
  await client.query('delete from bar_blocks where block_hash = any($1::text[])', [hashes])
  return sizeOf(rows)
}

function select(rule: Rule, columns: readonly string[]): string {
  return `select ${columns.join(', ')}, (${rule.bytes})::int8 as bytes from ${rule.from} where ${rule.where} order by ${rule.order} limit ${BATCH} for update of x skip locked`
}

function sizeOf(rows: readonly { readonly bytes: number }[]): Batch {
  return { rows: rows.length, bytes: rows.reduce((sum, row) => sum + row.bytes, 0) }
}

function scan(text: string): QueryConfig {
  return { text, query_timeout: SCAN_MS } as QueryConfig
}
