/** Cron schedules against real servers: every time fires once, whoever looks, and nothing is made up for twice. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { nextFireAt } from '../../src/runtime/cron.js'
import { Postgres } from '../../src/store/postgres.js'
import { PostgresScheduleStore } from '../../src/store/schedule-store.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const request = {
  taskType: TaskType.BACKTEST, roots: null,
  data: { file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } },
}
const everySecond = { cron: '* * * * * *', timeZone: 'UTC' }

test('without a schedule there is nothing to wait for', async () => {
  await bed.open({ role: 'client' })
  const postgres = new Postgres({ databaseUrl: bed.databaseUrl, applicationName: 'test' })
  const store = new PostgresScheduleStore(postgres)
  const never = (): never => { throw new Error('nothing is due') }
  expect(await store.fireDue(never)).toEqual({ tasks: [], nextDueMs: null })
  await store.add({
    name: 'later', ...everySecond, taskType: 'noop', data: {}, priority: 'low', userId: null, timeoutSeconds: 1, maxRetries: 0,
    nextFireAt: new Date(Date.now() + 60_000).toISOString(),
  })
  const { nextDueMs } = await store.fireDue(never)
  expect(nextDueMs).toBeGreaterThan(50_000)
  expect(nextDueMs).toBeLessThanOrEqual(60_000)
  await postgres.close()
})

test('two workers fire each time once, and its task runs', async () => {
  const [one, two] = [await bed.open(), await bed.open()]
  await Promise.all([one.start(), two.start()])
  await one.backend.schedules.add('often', everySecond, request)
  await eventually('some completed tasks', async () => (await bed.sql("select 1 from tasks where status = 'completed'")).length >= 3)
  await one.backend.schedules.setEnabled('often', false)
  const rows = await bed.sql<{ idempotency_key: string; priority: string }>('select idempotency_key, priority from tasks order by idempotency_key')
  const times = rows.map((row) => Date.parse(row.idempotency_key.split(/schedule:\d+:/)[1] ?? ''))
  // Whole seconds, each at most once (a second that passed while the machine was busy counts as missed).
  expect(times.map((ms) => ms % 1000)).toEqual(times.map(() => 0))
  expect(new Set(times).size).toBe(times.length)
  // A scheduled backtest is MEDIUM.
  expect(new Set(rows.map((row) => row.priority))).toEqual(new Set(['medium']))
  const [listed] = await one.backend.schedules.list()
  expect(listed).toMatchObject({ name: 'often', enabled: false, next_fire_at: null, last_task_id: expect.any(String) as unknown })
  // Bars are pinned: the task does not need the file.
  expect(listed?.data).toMatchObject({ data_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown })
})

test('times that were missed fire once, and a task whose message was lost is published', async () => {
  const client = await bed.open({ role: 'client' })
  await client.backend.schedules.add('hourly', { cron: '0 * * * *', timeZone: 'UTC' }, request)
  await bed.sql("update schedules set next_fire_at = now() - interval '5 hours'")
  const worker = await bed.open()
  await worker.start()
  await eventually('its task', async () => (await bed.sql("select 1 from tasks where status = 'completed'")).length === 1)
  const [row] = await bed.sql<{ ahead: boolean; n: number }>('select next_fire_at > now() as ahead, (select count(*)::int from tasks) as n from schedules')
  expect(row).toEqual({ ahead: true, n: 1 })
})

test('names are unique, and what is wrong is said', async () => {
  const { backend: { schedules } } = await bed.open({ role: 'client' })
  await schedules.add('nightly', { cron: '0 6 * * 1-5', timeZone: 'Europe/Berlin' }, request)
  await expect(schedules.add('nightly', everySecond, request)).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
  await expect(schedules.add('a b', everySecond, request)).rejects.toMatchObject({ code: 'SPEC_INVALID' })
  await expect(schedules.add('x', { cron: '61 * * * *', timeZone: 'UTC' }, request)).rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('minute') as unknown })
  await expect(schedules.add('x', { cron: '* * * * *', timeZone: 'Mars/X' }, request)).rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('Mars/X') as unknown })
  await expect(schedules.add('x', { cron: '0 0 30 2 *', timeZone: 'UTC' }, request)).rejects.toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('never') as unknown })
  await expect(schedules.remove('x')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' })
  await schedules.remove('nightly')
  expect(await schedules.list()).toEqual([])
})

test('a clock that is put forward moves what fell into the gap to its end, and one that is put back repeats none', () => {
  const at = (iso: string): string | null => nextFireAt('30 2 * * *', 'Europe/Berlin', Date.parse(iso))
  expect(at('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
  expect(at('2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z')
  expect(at('2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z')
})
