/** The rules of a cleanup on a real Postgres: what each removes, what each leaves, and that counting agrees with removing. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Postgres } from '../../src/store/postgres.js'
import { PostgresBarArchive } from '../../src/store/bar-archive.js'
import { PostgresRetention } from '../../src/store/retention.js'
import { RETENTION_RULES } from '../../src/tasks/retention.js'
import type { RetentionCutoffs, RetentionRule } from '../../src/tasks/retention.js'
import { cutoffsOf, parseCleanupSpec } from '../../src/workflows/cleanup-spec.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
let postgres: Postgres
let retention: PostgresRetention
let writer: { taskId: string; attempt: number }
beforeEach(async () => {
  bed = await openTestBed()
  await bed.open({ role: 'client' })
  postgres = new Postgres({ databaseUrl: bed.databaseUrl })
  retention = new PostgresRetention(postgres)
  writer = { taskId: await task('processing', 0, { attempt: 1 }), attempt: 1 }
})
afterEach(async () => {
  await postgres.close()
  await bed.close()
})

interface TaskMore { readonly data?: object; readonly parent?: string; readonly attempt?: number }

/** Created a day before it ended, `days` ago. */
async function task(status: string, days: number, more: TaskMore = {}): Promise<string> {
  const taskId = randomUUID()
  await bed.sql(`insert into tasks (task_id, task_type, priority, status, data, payload_hash, attempt, parent_id, created_at, completed_at, owner)
    values ($1::uuid, 'noop', 'low', $2::text, $3, 'h', $4, $5, now() - make_interval(secs => ($6::float8 + 1) * 86400),
      case when $2::text in ('pending', 'processing') then null else now() - make_interval(secs => $6::float8 * 86400) end, case when $2::text = 'processing' then 'w-' || $1::uuid end)`,
  [taskId, status, JSON.stringify(more.data ?? {}), more.attempt ?? 0, more.parent ?? null, days])
  return taskId
}

async function cutoffs(spec: object = {}): Promise<RetentionCutoffs> {
  return cutoffsOf(parseCleanupSpec(spec), await retention.now())
}

/** What a rule counts, then what it really removes; both must agree. */
async function apply(spec: object, only: readonly RetentionRule[] = RETENTION_RULES): Promise<Record<string, number>> {
  const until = await cutoffs(spec)
  const before = await census()
  const planned = []
  for (const rule of RETENTION_RULES) planned.push(await retention.count(rule, until))
  expect(await census()).toEqual(before)
  const rows: Record<string, number> = {}
  for (const rule of only) {
    for (;;) {
      const batch = await retention.remove(rule, until, writer)
      if (batch === 'fenced') throw new Error('fenced')
      if (batch.rows === 0) break
      rows[rule] = (rows[rule] ?? 0) + batch.rows
    }
  }
  if (only === RETENTION_RULES) {
    const removed = new Map((await retention.removed(writer.taskId)).map((one) => [one.rule, one]))
    expect(RETENTION_RULES.map((rule) => removed.get(rule) ?? { rule, rows: 0, bytes: 0 })).toEqual(planned)
  }
  return rows
}

const TABLES = ['tasks', 'task_events', 'checkpoints', 'saga_runs', 'saga_steps', 'task_artifacts', 'sweeps', 'sweep_chunks', 'sweep_top', 'series_changes',
  'series_blocks', 'datasets', 'bar_blocks', 'strategy_sources', 'workers'] as const

async function census(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of TABLES) counts[table] = (await bed.sql<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n ?? 0
  return counts
}

async function tasksLeft(): Promise<string[]> {
  return (await bed.sql<{ task_id: string }>('select task_id from tasks')).map((row) => row.task_id).filter((id) => id !== writer.taskId).sort()
}

/** One row in everything that belongs to a task; the chunks and checkpoints are as old as the task's end. */
async function belongings(taskId: string, days: number): Promise<void> {
  const past = `now() - make_interval(secs => ${days} * 86400)`
  await bed.sql("insert into saga_runs (task_id, run, saga_type, version, status, attempt) values ($1, 1, 'x', 1, 'completed', 1)", [taskId])
  await bed.sql("insert into saga_steps (task_id, run, step, seq, status, attempt) values ($1, 1, 'a', 0, 'finished', 1)", [taskId])
  await bed.sql(`insert into checkpoints (task_id, attempt, step, data, created_at) values ($1, 1, 'a', '{"n":1}', ${past})`, [taskId])
  await bed.sql(`insert into task_events (task_id, event, at) values ($1, 'created', ${past})`, [taskId])
  await bed.sql("insert into task_artifacts (task_id, kind, attempt, bytes) values ($1, 'trades', 1, '\\x0102')", [taskId])
  await bed.sql(`insert into sweeps (sweep_id, spec_hash, data_hash, engine_version, generation, full_size, quantum_size, quanta, result_hash, trials, finished_at, created_at)
    values ($1, 's', 'd', 'e', 1, 20, 10, 2, 'r', 20, ${past}, ${past})`, [taskId])
  await bed.sql(`insert into sweep_chunks (sweep_created_at, sweep_id, quantum, from_index, to_index, trials, attempt, cost_ms, rows)
    select created_at, sweep_id, q, q * 10, q * 10 + 10, 10, 1, 1, '\\x00ff' from sweeps, generate_series(0, 1) as q where sweep_id = $1`, [taskId])
  await bed.sql("insert into sweep_top (sweep_id, rank, trial, params, metrics) values ($1, 1, 3, '{}', '{}')", [taskId])
}

test('finished tasks and dead letters go by their own rules, with all that belongs to them but their history', async () => {
  const [old, young] = [await task('completed', 31), await task('completed', 29)]
  for (const [id, days] of [[old, 31], [young, 29]] as const) await belongings(id, days)
  const kept = [young, await task('failed', 3), await task('pending', 400), await task('processing', 400), await task('dead_letter', 89)]
  const gone = [old, await task('failed', 31), await task('cancelled', 31), await task('dead_letter', 91)]
  const before = await census()
  expect(await apply({ chunks_days: null, checkpoints_days: null, events_days: null })).toEqual({ tasks: 3, dead_letters: 1 })
  expect(await tasksLeft()).toEqual(kept.sort())
  const after = await census()
  for (const table of ['saga_runs', 'saga_steps', 'task_artifacts', 'sweeps', 'sweep_top'] as const) expect([table, after[table]]).toEqual([table, (before[table] ?? 0) - 1])
  expect(after['sweep_chunks']).toBe(2)
  expect((await bed.sql<{ task_id: string }>("select task_id from checkpoints where not data ? 'rule'")).map((row) => row.task_id)).toEqual([young])
  const purged = await bed.sql<{ task_id: string; detail: object }>("select task_id, detail from task_events where event = 'purged'")
  expect(purged.map((row) => row.task_id).sort()).toEqual(gone.sort())
  expect(purged[0]?.detail).toMatchObject({ why: 'retention', cleanup: writer.taskId })
  expect(after['task_events']).toBe((before['task_events'] ?? 0) + 4)
})

test('0 keeps nothing that is finished, null everything', async () => {
  const live = [await task('pending', 9), await task('processing', 9)]
  for (const status of ['completed', 'failed', 'cancelled', 'dead_letter']) await task(status, 1000)
  expect(await apply({ tasks_days: null, dead_letters_days: null, events_days: null, bars_days: null, chunks_days: null, checkpoints_days: null })).toEqual({})
  await task('completed', 0.0001)
  expect(await apply({ tasks_days: 0, dead_letters_days: 0 })).toEqual({ tasks: 4, dead_letters: 1 })
  expect(await tasksLeft()).toEqual(live.sort())
})

test('a shard stays with its live parent, a parent with a shard that stays', async () => {
  const liveParent = await task('processing', 100)
  const kept = [liveParent, await task('completed', 99, { parent: liveParent })]
  const mixed = await task('completed', 99)
  kept.push(mixed, await task('completed', 1, { parent: mixed }))
  const ended = await task('completed', 99)
  for (const status of ['completed', 'failed', 'dead_letter']) await task(status, 98, { parent: ended })
  expect(await apply({})).toEqual({ tasks: 3, dead_letters: 1 })
  expect(await tasksLeft()).toEqual(kept.sort())
})

test('chunks, checkpoints and events of what ended go by age; those of live work stay whatever their age', async () => {
  const ended = await task('completed', 10)
  const running = await task('processing', 400)
  await belongings(ended, 10)
  await belongings(running, 400)
  await bed.sql("insert into checkpoints (task_id, attempt, step, data) values ($1, 1, 'b', '{}')", [ended])
  await bed.sql("insert into task_events (task_id, event, at) values ($1, 'created', now() - interval '400 days')", [randomUUID()])
  expect(await apply({ tasks_days: null, chunks_days: 9, checkpoints_days: 9, events_days: 9 })).toEqual({ chunks: 2, checkpoints: 1, events: 2 })
  expect(await bed.sql('select sweep_id, quantum from sweep_chunks order by quantum')).toEqual([{ sweep_id: running, quantum: 0 }, { sweep_id: running, quantum: 1 }])
  expect(await bed.sql("select task_id, step from checkpoints where not data ? 'rule' order by step")).toEqual([{ task_id: running, step: 'a' }, { task_id: ended, step: 'b' }])
  expect((await bed.sql<{ task_id: string }>('select task_id from task_events')).map((row) => row.task_id)).toEqual([running])
  expect(await bed.sql('select result_hash, trials from sweeps where sweep_id = $1', [ended])).toEqual([{ result_hash: 'r', trials: '20' }])
  expect((await bed.sql('select 1 from sweep_top'))).toHaveLength(2)
})

const HASH = (name: string): string => name.padEnd(64, '0')

async function dataset(name: string, days: number, blocks: readonly string[] = []): Promise<string> {
  await bed.sql(`insert into datasets (data_hash, source, bars, first_time, last_time, size_bytes, blocks, used_at)
    values ($1, 'x.csv', 1, now(), now(), 1, $2, now() - make_interval(secs => $3::float8 * 86400))`, [HASH(name), blocks.map(HASH), days])
  return HASH(name)
}

async function block(name: string, days: number): Promise<void> {
  await bed.sql("insert into bar_blocks (block_hash, month, bars, bytes, used_at) values ($1, '2024-01', 1, '\\x01', now() - make_interval(secs => $2::float8 * 86400))", [HASH(name), days])
}

async function source(name: string, days: number): Promise<void> {
  await bed.sql("insert into strategy_sources (source_hash, name, code, used_at) values ($1, 'mine', '\\x01', now() - make_interval(secs => $2::float8 * 86400))", [HASH(name), days])
}

async function schedule(name: string, data: object, enabled: boolean): Promise<void> {
  await bed.sql(`insert into schedules (name, cron, time_zone, task_type, priority, data, timeout, max_retries, next_fire_at, enabled)
    values ($1, '0 0 1 1 *', 'UTC', 'noop', 'low', $2, 300, 3, now() + interval '1 year', $3)`, [name, JSON.stringify(data), enabled])
}

const names = async (table: string, column: string): Promise<string[]> =>
  (await bed.sql<{ name: string }>(`select ${column} as name from ${table} order by 1`)).map((row) => row.name.replace(/0+$/, ''))

test('bars and code stay while a task, a schedule, a series or a stored strategy needs them', async () => {
  for (const [name, days] of [['idle', 91], ['fresh', 27], ['waiting', 400], ['running', 400], ['recent', 400], ['past', 400], ['retriable', 400], ['freed', 400], ['nightly', 400], ['paused', 400]] as const) {
    await dataset(name, days, [`b${name}`, 'bshared'])
    await block(`b${name}`, days)
    await source(name, days)
    const data = { data_hash: HASH(name), strategy_hash: HASH(name) }
    if (name === 'waiting') await task('pending', 400, { data })
    if (name === 'running') await task('processing', 400, { data })
    if (name === 'recent') await task('completed', 20, { data })
    if (name === 'freed') await task('completed', 50, { data })
    if (name === 'past') await task('completed', 29, { data })
    if (name === 'retriable') await task('dead_letter', 50, { data })
    if (name === 'nightly' || name === 'paused') await schedule(name, data, name === 'nightly')
  }
  await source('stored', 400)
  await source('new', 0.02)
  await bed.sql("insert into strategies (name, source_hash) values ('mine', $1)", [HASH('stored')])
  for (const [name, days] of [['bshared', 400], ['bseries', 400], ['borphan', 1], ['bnew', 0.02], ['btaken', 400], ['bmade', 400], ['bback', 400], ['breplaced', 400], ['byesterday', 400]] as const) await block(name, days)
  // A series: its block, what a completed task replaced, what a running one may have to put back, what was put back.
  await bed.sql("insert into bar_series (exchange, symbol, timeframe) values ('x', 'Y', '1h')")
  await bed.sql("insert into series_blocks (series_id, month, block_hash, bars, first_time, last_time) values (1, '2024-01', $1, 1, now(), now())", [HASH('bseries')])
  const change = async (status: string, before: string, undone: boolean): Promise<void> => {
    await bed.sql('insert into series_changes (task_id, attempt, series_id, month, before_hash, after_hash, undone_at) values ($1, 1, 1, \'2024-01\', $2, $3, case when $4 then now() end)',
      [await task(status, 1), HASH(before), HASH('bseries'), undone])
  }
  await change('completed', 'btaken', false)
  await change('processing', 'bmade', false)
  await change('failed', 'bback', true)
  // What a revision replaced is kept as long as bars are, counted from then on.
  for (const [revision, before, days] of [[1, 'breplaced', 29], [2, 'byesterday', 27]] as const) {
    await bed.sql("insert into series_revisions (series_id, revision, kind, source, bars, added, replaced) values (1, $1, 'import', 'a.csv', 1, 1, 0)", [revision])
    await bed.sql(`insert into series_revision_months (series_id, revision, month, before, replaced_at)
      values (1, $1, '2024-01', jsonb_build_object('hash', $2::text), now() - make_interval(days => $3))`, [revision, HASH(before), days])
  }
  // The task that names `freed` goes by its own rule, and frees it; `past` is only named by a completed task older than the rule.
  expect(await apply({ bars_days: 28 })).toEqual({ tasks: 1, datasets: 3, blocks: 7, sources: 3 })
  expect(await names('datasets', 'data_hash')).toEqual(['fresh', 'nightly', 'paused', 'recent', 'retriable', 'running', 'waiting'])
  expect(await names('bar_blocks', 'block_hash')).toEqual(['bfresh', 'bmade', 'bnew', 'bnightly', 'bpaused', 'brecent', 'bretriable', 'brunning', 'bseries', 'bshared', 'bwaiting', 'byesterday'])
  expect(await names('strategy_sources', 'source_hash')).toEqual(['new', 'nightly', 'past', 'paused', 'recent', 'retriable', 'running', 'stored', 'waiting'])
  expect((await bed.sql('select 1 from series_changes'))).toHaveLength(1)
})

test('bars that a submission has just found are left to it, and bars that just went are stored again', async () => {
  const archive = new PostgresBarArchive(postgres)
  const record = { dataHash: HASH('d'), source: 'x.csv', bars: 1, firstTime: '2024-01-01T00:00:00Z', lastTime: '2024-01-01T00:00:00Z', sizeBytes: 1, warnings: [], blocks: [HASH('b')] }
  const blocks = [{ hash: HASH('b'), month: '2024-01', bars: 1, bytes: new Uint8Array([1]) }]
  await dataset('d', 400, ['b'])
  await block('b', 400)
  await source('s', 400)
  expect(await archive.has(HASH('d'))).toBe(true)
  await archive.saveSource(HASH('s'), 'mine', new Uint8Array([1]))
  expect(await apply({ bars_days: 0 })).toEqual({})
  await bed.sql("update datasets set used_at = now() - interval '400 days'")
  expect(await apply({ bars_days: 0 }, ['datasets', 'blocks'])).toEqual({ datasets: 1, blocks: 1 })
  expect(await archive.has(HASH('d'))).toBe(false)
  // A block nobody names any more is named again before it is removed.
  await block('b', 400)
  await archive.save(record, blocks)
  await bed.sql('delete from datasets')
  expect(await apply({ bars_days: 0 }, ['blocks'])).toEqual({})
})

test('a row that somebody holds is left to them; a removal that comes first is waited for', async () => {
  await dataset('d', 400)
  const archive = new PostgresBarArchive(postgres)
  const held = await postgres.transaction(async (client) => {
    await client.query('update datasets set used_at = now() where data_hash = $1', [HASH('d')])
    return retention.remove('datasets', await cutoffs(), writer)
  })
  expect(held).toMatchObject({ rows: 0 })
  const { found } = await postgres.transaction(async (client) => {
    await client.query('delete from datasets where data_hash = $1', [HASH('d')])
    return { found: archive.has(HASH('d')) }
  })
  expect(await found).toBe(false)
})

test('months that are empty and past are dropped, when nobody is in the way', async () => {
  const month = (parent: string, from: string, to: string): Promise<unknown> => bed.sql(`create table ${parent}_${from.slice(0, 7).replace('-', '')} partition of ${parent} for values from ('${from}') to ('${to}')`)
  await month('task_events', '2020-01-01', '2020-02-01')
  await month('task_events', '2020-02-01', '2020-03-01')
  await month('checkpoints', '2020-01-01', '2020-02-01')
  await month('sweep_chunks', '2020-01-01', '2020-02-01')
  await bed.sql("insert into task_events (task_id, event, at) values ($1, 'created', '2020-02-03')", [writer.taskId])
  const before = (await bed.sql("select 1 from pg_inherits i join pg_class p on p.oid = i.inhparent where p.relkind = 'p' and p.relnamespace = current_schema()::regnamespace")).length
  const held = await postgres.transaction(async (client) => {
    await client.query("insert into checkpoints (task_id, attempt, step, data) values ($1, 1, 'x', '{}')", [writer.taskId])
    return retention.dropEmptyPartitions(await cutoffs({ chunks_days: null }), writer)
  })
  expect(held).toEqual(['task_events_202001'])
  expect(await retention.dropEmptyPartitions(await cutoffs({ chunks_days: null }), writer)).toEqual(['checkpoints_202001'])
  expect(await retention.dropEmptyPartitions(await cutoffs(), { ...writer, attempt: 2 })).toBe('fenced')
  expect(await retention.dropEmptyPartitions(await cutoffs({ chunks_days: 0, events_days: 0, checkpoints_days: 0 }), writer)).toEqual(['sweep_chunks_202001'])
  expect((await bed.sql("select 1 from pg_inherits i join pg_class p on p.oid = i.inhparent where p.relkind = 'p' and p.relnamespace = current_schema()::regnamespace")).length).toBe(before - 3)
})

test('workers that ended a week ago are forgotten, but not the owner of a task', async () => {
  const taskId = await task('processing', 30)
  await bed.sql(`insert into workers (incarnation, worker_name, host, pid, threads, role, beat_at, stopped_at) values
    ('w-${taskId}', 'w', 'h', 1, 1, 'worker', now() - interval '8 days', null), ('killed', 'w', 'h', 1, 1, 'worker', now() - interval '8 days', null),
    ('stopped', 'w', 'h', 1, 1, 'worker', now() - interval '8 days', now() - interval '8 days'), ('late', 'w', 'h', 1, 1, 'worker', now() - interval '6 days', now() - interval '6 days')`)
  expect(await apply({})).toEqual({ workers: 2 })
  expect((await bed.sql<{ incarnation: string }>('select incarnation from workers order by 1')).map((row) => row.incarnation)).toEqual(['late', `w-${taskId}`])
})

test('an attempt that lost its task removes nothing', async () => {
  await task('completed', 99)
  expect(await retention.remove('tasks', await cutoffs(), { ...writer, attempt: 2 })).toBe('fenced')
  await bed.sql("update tasks set status = 'pending' where task_id = $1", [writer.taskId])
  expect(await retention.remove('tasks', await cutoffs(), writer)).toBe('fenced')
  expect(await tasksLeft()).toHaveLength(1)
})

test('a sweep of very many chunks goes in a transaction of its own', async () => {
  for (let i = 0; i < 3; i += 1) await belongings(await task('completed', 99 - i), 99 - i)
  await bed.sql('update sweeps set quanta = 4000')
  expect(await retention.remove('tasks', await cutoffs(), writer)).toMatchObject({ rows: 1 })
  await bed.sql('update sweeps set quanta = 400000')
  expect(await retention.remove('tasks', await cutoffs(), writer)).toMatchObject({ rows: 1 })
})
