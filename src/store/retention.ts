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
      const { rows: [own] } = await client.query<{ crashes: number }>(
        'select crashes from tasks where task_id = $1 and attempt = $2 and status = \'processing\' for share', [writer.taskId, writer.attempt])
      if (own === undefined) return 'fenced'
      const batch = rule.table === 'tasks' ? await removeTasks(client, rule, { rule: name, cleanup: writer.taskId })
        : rule.table === 'bar_blocks' ? await removeBlocks(client, rule) : await removeRows(client, rule)
      if (batch.rows === 0) return none
      await client.query('insert into checkpoints (task_id, attempt, step, data) values ($1, $2, $3, $4)',
        [writer.taskId, writer.attempt, STEP, JSON.stringify({ rule: name, rows: batch.rows, bytes: batch.bytes })])
      if (own.crashes > 0) await client.query('update tasks set crashes = 0 where task_id = $1', [writer.taskId])
      return { rule: name, letters: [], ...batch }
    })
  }

  async removed(taskId: string): Promise<RuleCount[]> {
    return this.#postgres.query<{ rule: RetentionRule; rows: number; bytes: number }>(`
      select data->>'rule' as rule, sum((data->>'rows')::int8)::int8 as rows, sum((data->>'bytes')::int8)::int8 as bytes
      from checkpoints where task_id = $1 and step = $2 and data ? 'rule' group by 1`, [taskId, STEP])
  }
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
