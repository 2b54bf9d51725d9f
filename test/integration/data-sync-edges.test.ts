/** A data sync where something is not as it should be: markets of one symbol, prices that are none, months that are gone, specs of no one. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { TaskType } from '../../src/tasks/task.js'
import type { ProgressView, TaskView } from '../../src/tasks/backend.js'
import { dataSyncWorkflow } from '../../src/workflows/data-sync.js'
import { register } from '../../src/workflows/workflow.js'
import type { RegisteredWorkflow } from '../../src/workflows/workflow.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const HOUR_MS = 3_600_000
const START = Date.UTC(2024, 0, 1)

interface Asked {
  readonly start: number
  readonly end: number
  readonly category: string
  /** 1 for the first request of this page. */
  readonly time: number
}

type Row = readonly [string, string, string, string, string, string, string]
const plainRow = (ms: number, price: string): Row => [String(ms), price, price, price, price, '1', '2']

let bed: TestBed
let server: Server
/** Null: status 500. */
let answer: (asked: Asked) => readonly Row[] | null
const asked = new Map<number, number>()

const hours = ({ start, end }: Asked, price = '100'): Row[] =>
  Array.from({ length: Math.floor((end - start) / HOUR_MS) + 1 }, (_, i) => plainRow(start + i * HOUR_MS, price)).toReversed()

beforeEach(async () => {
  bed = await openTestBed()
  asked.clear()
  server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://exchange').searchParams
    const start = Number(query.get('start'))
    asked.set(start, (asked.get(start) ?? 0) + 1)
    const list = answer({ start, end: Number(query.get('end')), category: query.get('category') ?? '', time: asked.get(start) ?? 0 })
    response.writeHead(list === null ? 500 : 200).end(JSON.stringify({ retCode: 0, retMsg: 'OK', result: { list }, time: Date.now() }))
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
})
afterEach(async () => {
  await bed.close()
  server.closeAllConnections()
  await new Promise((resolve) => { server.close(resolve) })
})

async function open(workflows: readonly RegisteredWorkflow[] = []): Promise<TestRuntime> {
  const runtime = await bed.open({ workflows, retry: { baseMs: 1, capMs: 1 }, env: { BYBIT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } })
  await runtime.start()
  return runtime
}

async function sync(runtime: TestRuntime, data: Record<string, unknown> = {}, maxRetries = 0, onProgress?: (view: ProgressView) => void): Promise<TaskView> {
  const { taskId } = await runtime.backend.submit({
    taskType: TaskType.DATA_SYNC, roots: null, maxRetries, data: { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', start_date: '2024-01-01', end_date: '2024-01-10', ...data },
  })
  return runtime.backend.wait(taskId, onProgress)
}

test('a spot market and a future of one name are two series', async () => {
  answer = (page) => hours(page, page.category === 'spot' ? '90' : '100')
  const runtime = await open()
  expect(await sync(runtime)).toMatchObject({ status: 'completed', result: { bars_added: 240 } })
  expect(await sync(runtime, { category: 'spot' })).toMatchObject({ status: 'completed', result: { bars_added: 240, bars_replaced: 0 } })
  expect(await bed.sql('select exchange, sum(bars)::int as bars from bar_series join series_blocks using (series_id) group by exchange order by exchange'))
    .toEqual([{ exchange: 'bybit', bars: 240 }, { exchange: 'bybit-spot', bars: 240 }])
})

test.each(['', '0', '-1', 'null'])('the price "%s" is no price', async (price) => {
  answer = (page) => hours(page).map((row, i): Row => (i === 5 ? [row[0], price === 'null' ? null as unknown as string : price, ...row.slice(2)] as unknown as Row : row))
  const task = await sync(await open())
  expect(task).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'DATA_INVALID' } })
  expect(await bed.sql('select 1 from series_blocks')).toEqual([])
})

test('the way back ends although somebody has removed the month', async () => {
  answer = (page) => hours(page)
  const steps = dataSyncWorkflow.definition.steps.map((step): typeof step => (step.name !== 'save_results' ? step : {
    ...step, run: async () => {
      await bed.sql('delete from series_blocks')
      throw new SweepmillError('COMPUTE_FAILED', 'not saved')
    },
  }))
  const task = await sync(await open([register({ ...dataSyncWorkflow, definition: { ...dataSyncWorkflow.definition, steps } })]))
  expect(task).toMatchObject({ status: 'failed', error: { message: 'not saved' } })
})

test('a spec that nobody has checked ends its task', async () => {
  const runtime = await open()
  const taskId = await runtime.queue.enqueueTask({ taskType: TaskType.DATA_SYNC, data: {} })
  expect(await runtime.backend.wait(taskId)).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'SPEC_INVALID' } })
})

test('an outage that outlasts the tries of a page costs that page, and not the whole sync', async () => {
  const late = START + 9000 * HOUR_MS
  answer = (page) => (page.start === late && page.time <= 6 ? null : hours(page))
  const told = new Set<string>()
  const task = await sync(await open(), { end_date: '2025-02-28' }, 0, ({ waits }) => { if (waits !== undefined) told.add(waits) })
  expect(task).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0 })
  // Whoever waits learns what for.
  expect([...told]).toEqual(['bybit: status 500'])
  expect([...asked.values()].reduce((sum, times) => sum + times, 0)).toBeLessThanOrEqual(11 + 6 + 8)
})

test('the last bars are asked for again and corrected; where those before differ too, the series stays as it is', async () => {
  const runtime = await open()
  const day = (date: string): Record<string, unknown> => ({ end_date: date })
  answer = hours
  expect(await sync(runtime, day('2024-01-10'))).toMatchObject({ status: 'completed', result: { bars_added: 240 } })
  // The exchange has corrected the last two bars since.
  const corrected = START + 238 * HOUR_MS
  answer = (page) => hours(page).map((row) => (Number(row[0]) === corrected || Number(row[0]) === corrected + HOUR_MS ? plainRow(Number(row[0]), '101') : row))
  expect(await sync(runtime, day('2024-01-11'))).toMatchObject({ status: 'completed', result: { bars_added: 24, bars_replaced: 2, bars: 264, pages: 1 } })
  expect([...asked.keys()].at(-1)).toBe(START + 230 * HOUR_MS)
  // Now it has other bars altogether, as where another market was imported under this name.
  const before = await bed.sql('select month, block_hash from series_blocks')
  answer = (page) => hours(page, '7')
  const refused = await sync(runtime, day('2024-01-12'))
  expect(refused).toMatchObject({ status: 'failed', error: { code: 'DATA_CONFLICT', details: { count: 7, source: 'bybit' }, message: expect.stringContaining('would change 7 bars of bybit/BTCUSDT/1h') as string } })
  expect(await bed.sql('select month, block_hash from series_blocks')).toEqual(before)
  // What is complete is not asked for at all.
  expect(await sync(runtime, day('2024-01-11'))).toMatchObject({ status: 'completed', result: { bars_added: 0, bars_replaced: 0, pages: 0 } })
  const history = await runtime.backend.series.history({ exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h' })
  expect(history.map(({ revision, kind, source, bars, added, replaced }) => [revision, kind, source, bars, added, replaced])).toEqual([
    [2, 'sync', 'bybit', 264, 24, 2], [1, 'sync', 'bybit', 240, 240, 0],
  ])
})
