/** Dead letters against real servers: what is known of them, running them again, deleting them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { packageRoot } from '../../src/base/package-root.js'
import { DeadLetterProjection } from '../../src/runtime/dead-letter-projection.js'
import { PostgresDeadLetterDesk } from '../../src/store/dead-letter-desk.js'
import { Postgres } from '../../src/store/postgres.js'
import type { DeadLetterFilter } from '../../src/tasks/dead-letters.js'
import { LEGAL_TRANSITIONS } from '../../src/tasks/task.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'
import { eventually } from '../eventually.js'
import { assertLegalHistory } from '../legal-history.js'

let bed: TestBed
let runtime: TestRuntime
let postgres: Postgres
beforeEach(async () => {
  bed = await openTestBed()
  postgres = new Postgres({ databaseUrl: bed.databaseUrl })
  runtime = await bed.open({ role: 'client' })
})
afterEach(async () => {
  await postgres.close()
  await bed.close()
})

/** Fails with a transient error until its retries are used up. */
async function bury(type: string, maxRetries: number): Promise<string> {
  const { queue } = runtime
  const taskId = await queue.enqueueTask({ taskType: type, data: { type }, priority: 'high', maxRetries, userId: 'ann' })
  for (let attempt = 0; attempt <= maxRetries; attempt += 1) {
    const receipt = await eventually('the next attempt', async () => (await queue.dequeueTask({ blockMs: 200 }))[0])
    await queue.failTask(receipt, new SweepmillError('THREAD_LOST', `the thread went away (${attempt})`))
  }
  return taskId
}

async function letters(): Promise<Record<string, string>[]> {
  const entries = await bed.redis.xrange(`${bed.prefix}tasks:dlq`, '-', '+')
  return entries.map(([, fields]) => Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]])) as Record<string, string>)
}

test('a dead letter says what an operator needs to know, in Postgres and in Redis', async () => {
  const taskId = await bury('noop', 1)
  const [letter, ...others] = await runtime.backend.deadLetters.list({})
  expect(others).toEqual([])
  expect(letter).toMatchObject({
    task_id: taskId, task_type: 'noop', priority: 'high', user_id: 'ann', reason: 'retries_exhausted', attempts: 2, generation: 1,
    error: { code: 'THREAD_LOST', message: 'the thread went away (1)', stack: expect.stringContaining('dead-letters.test') as unknown },
    input_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown, message_id: expect.stringMatching(/^\d+-\d+$/) as unknown,
  })
  expect(Date.parse(letter?.first_failure_at ?? '')).toBeLessThan(Date.parse(letter?.last_failure_at ?? ''))
  const [shown] = await letters()
  expect(shown).toMatchObject({
    task_id: taskId, task_type: 'noop', reason: 'retries_exhausted', error_code: 'THREAD_LOST', error: 'the thread went away (1)', attempts: '2',
    first_failure: letter?.first_failure_at, last_failure: letter?.last_failure_at, input_hash: letter?.input_hash, message_id: letter?.message_id, generation: '1',
  })
  const documented = (await readFile(join(packageRoot, 'docs', 'dead-letters.md'), 'utf8')).matchAll(/^\| `(\w+)` \|/gm)
  expect(Object.keys(shown ?? {})).toEqual([...documented].map(([, field]) => field))
})

/** Rows alone, given up at one moment. */
async function buryRows(type: string, count: number): Promise<void> {
  await bed.sql(`
    with made as (
      insert into tasks (task_id, task_type, priority, status, data, payload_hash, attempt, completed_at, published_at, dead_reason)
      select gen_random_uuid(), $1, 'low', 'dead_letter', '{}', 'h', 1, now(), now(), 'retries_exhausted' from generate_series(1, $2::integer) returning task_id)
    insert into task_events (task_id, event, from_status, to_status) select task_id, 'dead_letter', 'processing', 'dead_letter' from made`, [type, count])
}

test('pages leave nothing out, though all failed in the same microsecond', async () => {
  await buryRows('noop', 7)
  const { deadLetters } = runtime.backend
  const seen: string[] = []
  for (let after: DeadLetterFilter['after']; ;) {
    const page = await deadLetters.list({ limit: 2, after })
    const last = page.at(-1)
    if (last === undefined) break
    seen.push(...page.map((letter) => letter.task_id))
    after = { taskId: last.task_id, lastFailureAt: last.last_failure_at }
  }
  expect(seen).toHaveLength(7)
  expect(new Set(seen).size).toBe(7)
})

test('without a limit all of them are redriven or purged, batch by batch', async () => {
  await buryRows('noop', 1100)
  await buryRows('other', 3)
  const { deadLetters } = runtime.backend
  expect(await deadLetters.redrive({ type: 'noop', limit: 600 }, true)).toHaveLength(600)
  expect(await deadLetters.redrive({ type: 'noop', limit: 600 }, false)).toHaveLength(600)
  expect(await deadLetters.purge({ type: 'noop' }, false)).toHaveLength(500)
  expect(await bed.redis.xlen(`${bed.prefix}tasks:low`)).toBe(600)
  expect(await bed.sql('select status, count(*)::int as n from tasks group by status order by status')).toEqual([{ status: 'dead_letter', n: 3 }, { status: 'pending', n: 600 }])
  expect(await bed.sql("select 1 from tasks where status = 'pending' and (message_id is null or published_at is null)")).toEqual([])
})

test('redriving starts a new generation and keeps the history; a dry run changes nothing', async () => {
  const [one, two] = [await bury('noop', 0), await bury('other', 0)]
  const { deadLetters } = runtime.backend
  expect(await deadLetters.redrive({ type: 'noop' }, true)).toEqual([one])
  expect(await runtime.backend.task(one)).toMatchObject({ status: 'dead_letter' })
  expect(await deadLetters.redrive({ type: 'noop' }, false)).toEqual([one])
  expect(await runtime.backend.task(one)).toMatchObject({ status: 'pending', generation: 2, retry_count: 0, attempt: 1, error: null })
  expect((await letters()).map((letter) => letter['task_id'])).toEqual([two])
  const [receipt] = await runtime.queue.dequeueTask()
  expect(receipt).toMatchObject({ taskId: one, attempt: 2 })
  if (receipt !== undefined) await runtime.queue.acknowledgeTask(receipt)
  const events = await bed.sql<{ event: string; from_status: string | null; to_status: string | null }>('select event, from_status, to_status from task_events where task_id = $1 order by event_id', [one])
  assertLegalHistory(events, LEGAL_TRANSITIONS)
  expect(events.map((event) => event.event)).toEqual(['created', 'started', 'dead_letter', 'redriven', 'started', 'completed'])
  // What is no dead letter (any more) is left alone.
  expect(await deadLetters.redrive({ taskIds: [one] }, false)).toEqual([])
})

test('purging deletes what belongs to the task and keeps its history', async () => {
  const [one, two] = [await bury('noop', 0), await bury('noop', 0)]
  await bed.sql("insert into task_artifacts (task_id, kind, attempt, bytes) values ($1, 'equity', 1, 'x')", [one])
  const live = await runtime.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'low' })
  expect(await runtime.backend.deadLetters.purge({ taskIds: [one, live] }, true)).toEqual([one])
  expect(await runtime.backend.deadLetters.purge({ taskIds: [one, live] }, false)).toEqual([one])
  expect((await bed.sql<{ task_id: string }>('select task_id from tasks order by task_id')).map((row) => row.task_id)).toEqual([two, live])
  expect(await bed.sql('select 1 from task_artifacts')).toEqual([])
  expect((await bed.sql<{ event: string }>('select event from task_events where task_id = $1 order by event_id', [one])).at(-1)?.event).toBe('purged')
  expect((await letters()).map((letter) => letter['task_id'])).toEqual([two])
})

test('a Redis that was emptied shows the dead letters again', async () => {
  const taskId = await bury('noop', 0)
  await runtime.queue.recoverStalledTasks()
  await bed.redis.del(...await bed.redis.keys(`${bed.prefix}*`))
  await runtime.queue.recoverStalledTasks()
  expect((await letters()).map((letter) => letter['task_id'])).toEqual([taskId])
})

test('what the stream shows wrongly is mended by the comparison', async () => {
  const [redriven, twice, unseen] = [await bury('noop', 0), await bury('noop', 0), await bury('noop', 0)]
  // As when a process died after redriving a row, between a commit and its letter, and two restored at once.
  await bed.sql("update tasks set status = 'pending', generation = 2, published_at = null, message_id = null where task_id = $1", [redriven])
  const entries = await bed.redis.xrange(`${bed.prefix}tasks:dlq`, '-', '+')
  await bed.redis.xdel(`${bed.prefix}tasks:dlq`, entries[2]?.[0] ?? '')
  await bed.redis.xadd(`${bed.prefix}tasks:dlq`, '*', ...entries[1]?.[1] ?? [])
  await bed.redis.xadd(`${bed.prefix}tasks:dlq`, '*', 'task_id', '?', 'reason', 'undecodable', 'generation', '0')
  await runtime.queue.recoverStalledTasks()
  expect((await letters()).map((letter) => letter['task_id'])).toEqual([twice, '?', unseen])
})

test('forgetting a generation keeps the letter of a later one', async () => {
  const taskId = await bury('noop', 0)
  await runtime.backend.retry(taskId)
  expect(await letters()).toEqual([])
  const [receipt] = await runtime.queue.dequeueTask()
  if (receipt !== undefined) await runtime.queue.failTask(receipt, new SweepmillError('THREAD_LOST', 'again'))
  await eventually('the next attempts', async () => {
    const [next] = await runtime.queue.dequeueTask({ blockMs: 100 })
    if (next !== undefined) await runtime.queue.moveToDlq(next, new SweepmillError('THREAD_LOST', 'again'))
    return (await letters()).length === 1
  })
  const projection = new DeadLetterProjection(runtime.stream.deadLetters, new PostgresDeadLetterDesk(postgres))
  await projection.forget([{ taskId, generation: 1 }])
  expect(await letters()).toMatchObject([{ task_id: taskId, generation: '2' }])
  await projection.forget([{ taskId, generation: 2 }])
  expect(await letters()).toEqual([])
})

test('poison says so, whatever failed before', async () => {
  const { queue, backend } = runtime
  const taskId = await queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high', maxRetries: 1 })
  const [receipt] = await queue.dequeueTask()
  if (receipt !== undefined) await queue.failTask(receipt, new SweepmillError('NOT_RESOLVABLE', 'no bars'))
  await bed.sql('update tasks set crashes = 3')
  await eventually('the dead letter', async () => {
    await queue.dequeueTask({ blockMs: 100 })
    return (await backend.task(taskId)).status === 'dead_letter'
  })
  expect(await backend.deadLetters.list({})).toMatchObject([{ reason: 'poison', error: { code: 'THREAD_LOST', message: expect.stringContaining('ended its process 3 times') as unknown } }])
})

test('a redrive whose message was lost is published by the reconciler', async () => {
  const taskId = await bury('noop', 0)
  // The row alone, as when the process dies before it publishes.
  await bed.sql(`update tasks set status = 'pending', generation = 2, published_at = null, message_id = null, created_at = created_at - interval '1 minute' where task_id = $1`, [taskId])
  expect(await runtime.queue.recoverStalledTasks()).toBe(1)
  expect((await runtime.queue.dequeueTask())[0]).toMatchObject({ taskId, attempt: 2 })
})
