/** A process that is told to stop while much is left to do: it reads no further page, and what is left is the next one's. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Reconciler } from '../../src/runtime/reconciler.js'
import type { ReconcilerParts } from '../../src/runtime/reconciler.js'
import { Postgres } from '../../src/store/postgres.js'
import { silentObserver } from '../../src/tasks/observer.js'
import { eventually } from '../eventually.js'
import { Children } from '../faults/processes.js'
import { openProxy, through } from '../faults/proxy.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
const children = new Children()
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => {
  await children.killAll()
  await bed.close()
})

const ROWS = 30_000
const unpublished = async (): Promise<number> => (await bed.sql<{ n: number }>('select count(*)::int as n from tasks where published_at is null'))[0]?.n ?? 0

/** How each row stands at first, and how many are done. */
const works: readonly (readonly [string, string, () => Promise<number>])[] = [
  ['compared with Redis, which has none of them', "now(), '1-1'", unpublished],
  ['published', 'null, null', async () => ROWS - await unpublished()],
]

test.each(works)('a worker ends while many rows are being %s, and leaves rows to the next one', async (_what, standing, done) => {
  const worker = children.start({ role: 'worker' }, bed.environment)
  await eventually('the worker', () => Promise.resolve(worker.messages.length > 0))
  await bed.sql(`insert into tasks (task_id, task_type, priority, data, payload_hash, created_at, published_at, message_id)
    select gen_random_uuid(), 'nobody_runs_this', 'low', '{}', 'h', now() - interval '1 hour', ${standing} from generate_series(1, ${ROWS})`)
  // Not the Redis that was compared: the next look compares every row.
  await bed.redis.del(`${bed.prefix}tasks:epoch`)
  await eventually('the first page', async () => await done() > 0)
  worker.process.kill('SIGTERM')
  expect(await worker.exited).toBe(0)
  expect(await done()).toBeLessThan(ROWS)
})

test('the reconciler reads no page after it was told to stop, and has not compared all', async () => {
  const stop = new AbortController()
  let pages = 0
  const rows = { published: 0, unpublished: 0 }
  const page = (kind: keyof typeof rows): Promise<never[]> => {
    rows[kind] += 1
    pages += 1
    if (pages === 3) stop.abort()
    if (pages > 6) return Promise.resolve([])
    return Promise.resolve(Array.from({ length: 1000 }, (_, i) => ({ taskId: `${kind} ${pages} ${i}`, owner: null })) as never[])
  }
  const reconciler = new Reconciler({
    stream: { identity: () => Promise.resolve({ epoch: 'e', runId: 'r' }), missing: () => Promise.resolve([]), publish: (all: unknown[]) => Promise.resolve(all.map(() => null)) },
    book: { published: () => page('published'), unpublished: () => page('unpublished'), markMissing: () => Promise.resolve(0), markPublished: () => Promise.resolve() },
    letters: { restore: () => Promise.resolve() }, observer: silentObserver, leaseMs: 1000,
  } as unknown as ReconcilerParts)
  const fleet = { dead: new Set<string>(), alive: [], isGone: () => false }
  expect(await reconciler.round(fleet, stop.signal)).toBe(0)
  expect(rows).toEqual({ published: 3, unpublished: 0 })
  // What was compared in part is compared again.
  await reconciler.round(fleet, stop.signal)
  expect(rows).toEqual({ published: 3, unpublished: 0 })
})

async function closed(postgres: Postgres): Promise<void> {
  let isClosed = false
  void postgres.close(50).then(() => { isClosed = true })
  await eventually('it to be closed', () => Promise.resolve(isClosed), 20_000)
}

test('closing cuts a statement that goes on, and a connection that comes to nothing', async () => {
  const postgres = new Postgres({ databaseUrl: bed.databaseUrl, maxConnections: 2 })
  // As a cleanup counts: it may take longer than any other statement.
  const counting = { text: 'select pg_sleep(600)', query_timeout: 600_000 }
  const asleep = postgres.withClient((client) => client.query(counting)).catch((error: unknown) => error)
  await eventually('the statement', async () => (await bed.sql("select 1 from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'")).length > 0)
  await closed(postgres)
  expect(await asleep).toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
  const { hostname, port } = new URL(bed.databaseUrl)
  const proxy = await openProxy({ host: hostname, port: Number(port) })
  proxy.swallow(true)
  const silent = new Postgres({ databaseUrl: through(bed.databaseUrl, proxy), maxConnections: 1 })
  const unheard = silent.query('select 1').catch((error: unknown) => error)
  await closed(silent)
  expect(await unheard).toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
  await proxy.close()
  await bed.sql("select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(600)' and pid <> pg_backend_pid()")
})
