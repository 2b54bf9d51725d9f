/** Cron schedules against real servers: every time fires once, whoever looks, and nothing is made up for twice. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
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
  }, (_times, nowMs) => new Date(nowMs + 60_000).toISOString())
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
  // Whole seconds, each once (one that a busy machine slept through is made up for by the next), and nobody sent a
  // message for a row that another had made. A scheduled backtest is MEDIUM.
  expect(times.every((time) => time % 1000 === 0)).toBe(true)
  expect(new Set(times).size).toBe(times.length)
  expect(await bed.sql('select 1 from quarantine')).toEqual([])
  expect(new Set(rows.map((row) => row.priority))).toEqual(new Set(['medium']))
  const [listed] = await one.backend.schedules.list()
  expect(listed).toMatchObject({ name: 'often', enabled: false, next_fire_at: null, last_task_id: expect.any(String) as unknown })
  // Bars are pinned: the task does not need the file.
  expect(listed?.data).toMatchObject({ data_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown })
})

test('times that were missed fire once', async () => {
  const client = await bed.open({ role: 'client' })
  await client.backend.schedules.add('hourly', { cron: '0 * * * *', timeZone: 'UTC' }, request)
  await bed.sql("update schedules set next_fire_at = now() - interval '5 hours'")
  const worker = await bed.open()
  await worker.start()
  await eventually('its task', async () => (await bed.sql("select 1 from tasks where status = 'completed'")).length === 1)
  const [row] = await bed.sql<{ ahead: boolean; n: number }>('select next_fire_at > now() as ahead, (select count(*)::int from tasks) as n from schedules')
  expect(row).toEqual({ ahead: true, n: 1 })
})

test('a time that has its task makes no second one, and no message without a row', async () => {
  const worker = await bed.open()
  await worker.backend.schedules.add('hourly', { cron: '0 * * * *', timeZone: 'UTC' }, request)
  await bed.sql("update schedules set next_fire_at = date_trunc('hour', now())")
  await worker.start()
  await eventually('its task', async () => (await bed.sql("select 1 from tasks where status = 'completed'")).length === 1)
  await bed.sql("update schedules set next_fire_at = last_fire_at")
  await bed.sql("select pg_notify('sweepmill_schedule', 'hourly')")
  await eventually('the next time', async () => (await bed.sql('select 1 from schedules where next_fire_at > now()')).length === 1)
  const [task, ...others] = await bed.sql<{ task_id: string; name: string }>('select task_id, name from tasks')
  expect(others).toEqual([])
  expect(await worker.backend.schedules.list()).toMatchObject([{ last_task_id: task?.task_id }])
  expect(task?.name).toBe('hourly')
  expect(await bed.redis.xlen(`${bed.prefix}tasks:medium`)).toBe(0)
  expect(await bed.sql('select 1 from quarantine')).toEqual([])
})

test('a schedule that cannot be planned holds no other up', async () => {
  const worker = await bed.open()
  await worker.backend.schedules.add('broken', { cron: '0 * * * *', timeZone: 'UTC' }, request)
  await worker.backend.schedules.add('whole', { cron: '0 * * * *', timeZone: 'UTC' }, request)
  await bed.sql("update schedules set next_fire_at = now() - interval '1 minute', time_zone = case name when 'broken' then 'Mars/X' else time_zone end")
  await worker.start()
  await eventually('the task of the other', async () => (await bed.sql("select 1 from tasks where status = 'completed'")).length === 1)
  expect(await worker.backend.schedules.list()).toMatchObject([{ name: 'broken', last_fire_at: null, enabled: true }, { name: 'whole', last_task_id: expect.any(String) as unknown }])
})

test('the clock of Postgres says what is next, not that of the host that adds or resumes', async () => {
  const behind = { ...systemClock, wallMs: () => Date.now() - 86_400_000 }
  const { backend: { schedules } } = await bed.open({ role: 'client', clock: behind })
  const next = async (): Promise<number> => Date.parse((await schedules.list())[0]?.next_fire_at ?? '')
  await schedules.add('hourly', { cron: '0 * * * *', timeZone: 'UTC' }, request)
  expect(await next()).toBeGreaterThan(Date.now())
  await schedules.setEnabled('hourly', false)
  await schedules.setEnabled('hourly', true)
  expect(await next()).toBeGreaterThan(Date.now())
  // Resuming what is not paused keeps a time that nobody has fired yet.
  await bed.sql("update schedules set next_fire_at = now() - interval '1 minute'")
  await schedules.setEnabled('hourly', true)
  expect(await next()).toBeLessThan(Date.now())
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
