/** What others store may be large: lists, letters, checkpoints and errors of it are not. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { cutText } from '../../src/base/storable-text.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const MIB = 2 ** 20
let bed: TestBed
let runtime: TestRuntime
/** Large, and nothing that compresses. */
const LARGE = "(select string_agg(md5(k::text || t.g::text), '') from generate_series(1, 25000) k)"

beforeAll(async () => {
  bed = await openTestBed()
  runtime = await bed.open({ role: 'client' })
  const insert = (status: string, count: number, data: string, result: string, error: string, at: string): Promise<unknown> => bed.sql(`
    insert into tasks (task_id, task_type, priority, status, data, result, error, payload_hash, created_at, completed_at, dead_reason)
    select gen_random_uuid(), 'backtest_workflow', 'low', '${status}', ${data}, ${result}, ${error}, 'h', timestamptz '${at}' + t.g * interval '1 second', now(), 'exhausted'
    from generate_series(1, ${count}) as t(g)`)
  const named = `jsonb_build_object('file', 'a/bars.csv', 'strategy', jsonb_build_object('name', 'sma-cross', 'params', jsonb_build_object('x', ${LARGE})))`
  await insert('completed', 40, named, `jsonb_build_object('text', ${LARGE})`, 'null::jsonb', '2026-01-01')
  // Text that compresses to a hundredth is as large on the way.
  await insert('completed', 20, "jsonb_build_object('text', repeat('x', 800000))", 'null::jsonb', 'null::jsonb', '2026-01-02')
  await insert('dead_letter', 30, "'{}'::jsonb", 'null::jsonb', `jsonb_build_object('code', 'COMPUTE_FAILED', 'message', repeat('m', 8000), 'details', jsonb_build_object('d', repeat('d', 60000)), 'stack', repeat('s', 16000))`, '2026-01-03')
  await insert('completed', 200, `jsonb_build_object('file', 'small.csv')`, `jsonb_build_object('note', repeat('y', 10000))`, 'null::jsonb', '2026-01-04')
})
afterAll(() => bed.close())

test('a list of tasks has its bytes, whatever they hold, and says what it left out', async () => {
  const tasks = await runtime.backend.tasks({ limit: 1000 })
  expect(tasks).toHaveLength(290)
  expect(JSON.stringify(tasks).length).toBeLessThan(2 * MIB)
  // The newest are whole, as far as the page goes.
  expect(tasks[0]).toMatchObject({ data: { file: 'small.csv' }, result: { note: 'y'.repeat(10000) } })
  expect(tasks[0]).not.toHaveProperty('truncated')
  expect(tasks.filter(({ truncated }) => truncated === undefined).length).toBeGreaterThan(90)
  expect(tasks[199]).toMatchObject({ data: { file: 'small.csv' }, result: null, truncated: ['data', 'result'] })
  expect(tasks[200]).toMatchObject({ error: { code: 'COMPUTE_FAILED', message: 'm'.repeat(1000) } })
  expect(tasks[200]?.truncated).toContain('error')
  // What a table shows of them is there all the same.
  expect(tasks.at(-1)).toMatchObject({ data: { strategy: { name: 'sma-cross' }, file: 'a/bars.csv' }, result: null, truncated: ['data', 'result'] })
  // One by itself is whole.
  expect(JSON.stringify(await runtime.backend.task(tasks.at(-1)?.task_id ?? '')).length).toBeGreaterThan(1_500_000)
  expect(JSON.stringify(await runtime.backend.tasks({ limit: 1000, before: '2026-01-03T00:00:00Z' })).length).toBeLessThan(MIB)
})

test('so have dead letters', async () => {
  const letters = await runtime.backend.deadLetters.list({ limit: 1000 })
  expect(letters).toHaveLength(30)
  expect(JSON.stringify(letters).length).toBeLessThan(60_000)
  expect(letters[0]?.error).toEqual({ code: 'COMPUTE_FAILED', message: 'm'.repeat(1000) })
})

test('and the checkpoints of a task', async () => {
  const [task] = await runtime.backend.tasks({ limit: 1 })
  const taskId = task?.task_id ?? ''
  await bed.sql(`insert into checkpoints (task_id, attempt, step, data) select '${taskId}', 1, 'step ' || t.g, jsonb_build_object('text', ${LARGE.replace('25000', '12000')}) from generate_series(1, 10) as t(g)`)
  const checkpoints = await runtime.backend.checkpoints(taskId)
  expect(checkpoints.map(({ step }) => step)).toEqual(Array.from({ length: 10 }, (_, i) => `step ${i + 1}`))
  expect(checkpoints.map(({ truncated }) => truncated === true)).toEqual([false, false, true, true, true, true, true, true, true, true])
  expect(checkpoints[9]?.data).toBeNull()
  // A program that goes on from them has them whole.
  expect((await runtime.queue.getCheckpoints(taskId)).every(({ data }) => data !== null)).toBe(true)
})

test('an error keeps no more of a strange text than it may have, and not the text', () => {
  const strange = 'e'.repeat(50 * MIB)
  const errors = Array.from({ length: 20 }, (_, i) => new SweepmillError('STRATEGY_FAILED', `The strategy threw: ${i}${strange}`))
  for (const { message } of errors) expect(message.length).toBeLessThan(8300)
  expect(cutText(strange, 100)).toBe(`${'e'.repeat(100)} … (${50 * MIB - 100} more characters)`)
  expect(cutText('short', 100)).toBe('short')
})
