/** A table of tasks that has grown large: lists read an index a page at a time, and the index came without holding up anybody. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../src/store/migrate.js'
import { Postgres } from '../../src/store/postgres.js'
import { listStatement, PostgresTaskDesk } from '../../src/store/task-desk.js'
import type { TaskFilter } from '../../src/tasks/task-store.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

const TASKS = 60_000
let bed: TestBed
let postgres: Postgres
beforeAll(async () => {
  bed = await openTestBed()
  postgres = new Postgres({ databaseUrl: bed.databaseUrl, maxConnections: 2 })
  await migrate(postgres)
  // Batches share their time, as those of one statement do; some have names, tags, users, and other states.
  await bed.sql(`insert into tasks (task_id, task_type, priority, status, data, payload_hash, created_at, user_id, name, tags)
    select gen_random_uuid(), (array['backtest_workflow', 'cleanup_workflow'])[1 + (g % 97 = 0)::int], 'low', (array['completed', 'failed', 'pending'])[1 + (g % 50 = 0)::int + (g % 1000 = 0)::int],
      '{}', 'h', timestamptz '2026-01-01' + (g / 700) * interval '1 second', 'u' || g % 40, case when g % 300 = 0 then 'night ' || g end, case when g % 300 = 0 then array['t' || g % 7] else '{}' end
    from generate_series(1, ${TASKS}) g`)
  await bed.sql('analyze tasks')
})
afterAll(async () => {
  await postgres.close()
  await bed.close()
})

interface Plan { readonly 'Node Type': string; readonly 'Relation Name'?: string; readonly Plans?: readonly Plan[] }
const steps = (plan: Plan): string[] => [`${plan['Node Type']} ${plan['Relation Name'] ?? ''}`.trim(), ...(plan.Plans ?? []).flatMap(steps)]

const ID = '01999999-0000-7000-8000-000000000000'
const filters: readonly (readonly [string, TaskFilter])[] = [
  ['nothing', {}], ['a thousand at once', { limit: 1000 }], ['a state of most', { status: 'completed' }], ['a state of few', { status: 'pending' }],
  ['a state of none', { status: 'cancelled' }], ['a type of most', { type: 'backtest_workflow' }], ['a type of few', { type: 'cleanup_workflow' }], ['a type of none', { type: 'x' }],
  ['a user', { userId: 'u7' }], ['a time', { before: '2026-01-01T00:00:30.000Z' }], ['a name', { name: 'night 3' }], ['a name of none', { name: 'nobody' }],
  ['a tag', { tags: ['t3'] }], ['a tag of none', { tags: ['nobody'] }], ['a page', { after: { createdAt: '2026-01-01T00:00:30.000Z', taskId: ID } }],
  ['all of them', { status: 'completed', type: 'backtest_workflow', userId: 'u20', before: '2026-01-01T00:01:00.000Z', name: 'night', tags: ['t4'], limit: 10 }],
]

describe('a list by', () => {
  test.each(filters)('%s reads an index', async (_what, filter) => {
    const { text, values } = listStatement(filter)
    const [row] = await bed.sql<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(`explain (format json) ${text}`, values)
    const root = row?.['QUERY PLAN'][0]?.Plan
    const plan = root === undefined ? [] : steps(root)
    expect(plan).not.toContain('Seq Scan tasks')
    expect(plan.join()).toMatch(/Index.* Scan/)
  })
})

test('page by page every task comes once, also those that share a time', async () => {
  const desk = new PostgresTaskDesk(postgres)
  const seen = new Set<string>()
  let after: TaskFilter['after']
  for (let pages = 0; pages < 12; pages += 1) {
    const page = await desk.list({ userId: 'u3', limit: 130, after })
    for (const { taskId } of page) {
      expect(seen.has(taskId)).toBe(false)
      seen.add(taskId)
    }
    const last = page.at(-1)
    if (last === undefined || page.length < 130) break
    after = last
  }
  const [row] = await bed.sql<{ n: number }>("select count(*)::int as n from tasks where user_id = 'u3'")
  expect(seen.size).toBe(row?.n)
  // After a task that is gone the list goes on at its time.
  const gone = await desk.list({ limit: 1, after: { createdAt: '2026-01-01T00:00:30.000Z', taskId: ID } })
  expect(gone[0]?.createdAt).toBe('2026-01-01T00:00:30.000Z')
})

const MIGRATION = '0013_task_lists'
const isValid = (): Promise<unknown[]> => bed.sql("select indisvalid from pg_index where indexrelid = 'ix_task_created'::regclass")
async function forgetIndex(): Promise<void> {
  await bed.sql('drop index ix_task_created')
  await bed.sql('delete from schema_migrations where name = $1', [MIGRATION])
}

test('an index that is missing is built, and no insert is held up meanwhile', async () => {
  await forgetIndex()
  const holder = new pg.Client({ connectionString: bed.databaseUrl })
  await holder.connect()
  try {
    const insert = "insert into tasks (task_id, task_type, priority, data, payload_hash) values (gen_random_uuid(), 'x', 'low', '{}', 'h')"
    await holder.query(`begin; ${insert}`)
    const migrated = migrate(postgres)
    await eventually('the build to wait for the transaction', async () => (await bed.sql("select 1 from pg_stat_activity where query like 'create index%ix_task_created%' and wait_event_type = 'Lock'")).length > 0)
    // Refused, and not just late, if the build held everybody up.
    await bed.sql("set lock_timeout = '5s'")
    await bed.sql(insert)
    await bed.sql('reset lock_timeout')
    await holder.query('commit')
    expect((await migrated).applied).toEqual([MIGRATION])
    expect(await isValid()).toEqual([{ indisvalid: true }])
    expect((await migrate(postgres)).applied).toEqual([])
  } finally {
    await holder.end()
  }
})

test('what a killed build left behind is built anew', async () => {
  await bed.sql("update pg_index set indisvalid = false where indexrelid = 'ix_task_created'::regclass")
  await migrate(postgres)
  expect(await isValid()).toEqual([{ indisvalid: true }])
})
