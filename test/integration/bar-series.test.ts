/** The series store on a real Postgres: months replaced by comparison, fenced, remembered and taken back. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeBlocks } from '../../src/market/blocks.js'
import { PostgresBarSeriesStore } from '../../src/store/bar-series.js'
import { Postgres } from '../../src/store/postgres.js'
import type { NewBlock } from '../../src/tasks/bar-series.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
let runtime: TestRuntime
let postgres: Postgres
let store: PostgresBarSeriesStore
beforeEach(async () => {
  bed = await openTestBed()
  runtime = await bed.open({ role: 'client' })
  postgres = new Postgres({ databaseUrl: bed.databaseUrl })
  store = new PostgresBarSeriesStore(postgres)
})
afterEach(async () => {
  await postgres.close()
  await bed.close()
})

const KEY = { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h' }
const NOTE = { kind: 'import', source: 'a.csv', added: 1, replaced: 0 } as const
const HOUR_MS = 3_600_000
const JANUARY = Date.UTC(2024, 0, 1)

function block(bars: number): NewBlock {
  const column = (value: number): Float64Array => new Float64Array(bars).fill(value)
  const time = Float64Array.from({ length: bars }, (_, i) => JANUARY + i * HOUR_MS)
  const [made] = encodeBlocks({ length: bars, time, open: column(1), high: column(2), low: column(1), close: column(2), volume: column(3) })
  if (made === undefined) throw new Error('no block')
  return { ...made, firstTime: JANUARY, lastTime: JANUARY + (bars - 1) * HOUR_MS }
}

async function attemptOf(attempt: number): Promise<{ taskId: string; attempt: number }> {
  const taskId = await runtime.queue.enqueueTask({ taskType: TaskType.DATA_SYNC, data: {} })
  await bed.sql('update tasks set status = \'processing\', attempt = $2 where task_id = $1', [taskId, attempt])
  return { taskId, attempt }
}

test('a series is made once, and its months are replaced only from the block they were made of', async () => {
  expect(await store.find(KEY)).toBeNull()
  const { seriesId } = await store.ensure(KEY)
  expect((await store.ensure(KEY)).seriesId).toBe(seriesId)
  const [first, second] = [block(10), block(20)]
  await store.keep([first, second, first])
  const replace = async (before: string | null, after: NewBlock | null): Promise<string> => (await store.replace(seriesId, [{ seriesId, month: '2024-01', before, after }], null, NOTE)).kind
  expect(await replace(null, first)).toBe('replaced')
  expect(await replace(null, second)).toBe('changed')
  expect(await replace(second.hash, second)).toBe('changed')
  expect(await replace(first.hash, second)).toBe('replaced')
  const found = await store.find(KEY)
  expect(found?.blocks).toEqual([{ month: '2024-01', hash: second.hash, bars: 20, firstTime: JANUARY, lastTime: JANUARY + 19 * HOUR_MS }])
  expect(Buffer.from((await store.blocks([second.hash, first.hash]))[1] ?? []).equals(Buffer.from(first.bytes))).toBe(true)
  await expect(store.blocks(['nowhere'])).rejects.toMatchObject({ code: 'NOT_RESOLVABLE' })
  expect(await replace(second.hash, null)).toBe('replaced')
  expect((await store.find(KEY))?.blocks).toEqual([])
  await store.saveQuality(seriesId, { gaps: 0 })
  expect((await store.find(KEY))?.quality).toEqual({ gaps: 0 })
  // Without bars it is none that anybody sees.
  expect(await store.list()).toEqual([])
})

test('a late attempt changes nothing, and a task takes back its own changes, latest first', async () => {
  const { seriesId } = await store.ensure(KEY)
  const writer = await attemptOf(3)
  const [first, second] = [block(10), block(20)]
  await store.keep([first, second])
  expect(await store.replace(seriesId, [{ seriesId, month: '2024-01', before: null, after: first }], { ...writer, attempt: 2 }, NOTE)).toEqual({ kind: 'fenced' })
  expect((await store.find(KEY))?.blocks).toEqual([])
  await store.replace(seriesId, [{ seriesId, month: '2024-01', before: null, after: first }], writer, NOTE)
  await store.replace(seriesId, [{ seriesId, month: '2024-01', before: first.hash, after: second }], writer, NOTE)
  const changes = await store.changesOf(writer.taskId)
  expect(changes.map(({ before, after }) => [before, after])).toEqual([[first.hash, second.hash], [null, first.hash]])
  const [latest, earliest] = changes
  if (latest === undefined || earliest === undefined) throw new Error('no changes')
  expect(await store.undo(latest.changeId, { seriesId, month: '2024-01', before: second.hash, after: first }, { ...writer, attempt: 9 })).toBe('fenced')
  expect(await store.undo(latest.changeId, { seriesId, month: '2024-01', before: second.hash, after: first }, writer)).toBe('replaced')
  expect(await store.undo(earliest.changeId, { seriesId, month: '2024-01', before: second.hash, after: null }, writer)).toBe('changed')
  expect(await store.undo(earliest.changeId, { seriesId, month: '2024-01', before: first.hash, after: null }, writer)).toBe('replaced')
  expect(await store.changesOf(writer.taskId)).toEqual([])
  expect((await store.find(KEY))?.blocks).toEqual([])
})

test('writers of the same blocks in any order lose none and wait for nobody', async () => {
  const blocks = Array.from({ length: 12 }, (_, i) => block(i + 1))
  await Promise.all(Array.from({ length: 8 }, (_, k) => store.keep([...blocks.slice(k), ...blocks.slice(0, k)].slice(0, 9))))
  const read = await store.blocks([...blocks, ...blocks].map(({ hash }) => hash))
  expect(read.map((bytes) => Buffer.from(bytes))).toEqual([...blocks, ...blocks].map(({ bytes }) => Buffer.from(bytes)))
  // Each owns its buffer, so that it is moved to a thread.
  expect(read.every((bytes) => bytes.byteLength === bytes.buffer.byteLength)).toBe(true)
  expect(await store.blocks([])).toEqual([])
  await expect(store.blocks(['"}\'; drop table bar_blocks; --'])).rejects.toMatchObject({ code: 'NOT_RESOLVABLE' })
})

test('a month that changed meanwhile is told of, and none of the others is replaced', async () => {
  const { seriesId } = await store.ensure(KEY)
  const [first, second] = [block(10), block(20)]
  await store.keep([first, second])
  await store.replace(seriesId, [{ seriesId, month: '2024-02', before: null, after: first }], null, NOTE)
  const changes = ['2024-03', '2024-02', '2024-01'].map((month) => ({ seriesId, month, before: null, after: second }))
  expect(await store.replace(seriesId, changes, null, NOTE)).toEqual({ kind: 'changed', months: ['2024-02'] })
  expect((await store.find(KEY))?.blocks.map(({ month, bars }) => [month, bars])).toEqual([['2024-02', 10]])
  expect(await store.replace(seriesId, changes.filter(({ month }) => month !== '2024-02'), null, NOTE)).toEqual({ kind: 'replaced', revision: 2 })
  expect((await store.find(KEY))?.blocks.map(({ month, bars }) => [month, bars])).toEqual([['2024-01', 20], ['2024-02', 10], ['2024-03', 20]])
})

test('a reading of blocks that takes too long is refused, ends nothing else, and leaves no connection behind', async () => {
  const kept = block(10)
  await store.keep([kept])
  const hasty = new Postgres({ databaseUrl: bed.databaseUrl, maxConnections: 1, applicationName: bed.schema, answerMs: 200 })
  const escaped: unknown[] = []
  const note = (error: unknown): void => { escaped.push(error) }
  process.on('uncaughtException', note)
  try {
    await bed.sql('begin')
    await bed.sql('lock table bar_blocks in access exclusive mode')
    await expect(new PostgresBarSeriesStore(hasty).blocks([kept.hash])).rejects.toMatchObject({ code: 'POSTGRES_UNAVAILABLE', message: expect.stringContaining('timeout') as string })
    await bed.sql('rollback')
    const [bytes = new Uint8Array()] = await new PostgresBarSeriesStore(hasty).blocks([kept.hash])
    expect(Buffer.compare(bytes, kept.bytes)).toBe(0)
    await eventually('the first connection to be gone', async () => (await bed.sql('select 1 from pg_stat_activity where application_name = $1', [bed.schema])).length === 1)
  } finally {
    await hasty.close()
    process.off('uncaughtException', note)
  }
  expect(escaped).toEqual([])
})
