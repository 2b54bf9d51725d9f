/** A sync of a year of minutes whose worker is killed three times: the exchange's bars, each page fetched once but for what was in flight. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeColumns } from '../../src/market/blocks.js'
import { PostgresBarSeriesStore } from '../../src/store/bar-series.js'
import { Postgres } from '../../src/store/postgres.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { barAt, BybitServer } from '../exchange/bybit-server.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { settleAndCheck } from './invariants.js'
import { Children } from './processes.js'

const START = Date.UTC(2023, 0, 1)
const BARS = 525_600
const MINUTE_MS = 60_000
/** Pages of one group: fetched, and not committed yet. */
const IN_FLIGHT = 8
const KILLS_AT = [90, 240, 430]

let bed: TestBed
let exchange: BybitServer
const children = new Children()
beforeEach(async () => {
  bed = await openTestBed()
  exchange = await BybitServer.start()
})
afterEach(async () => {
  await children.killAll()
  await bed.close()
  await exchange.stop()
})

/** Over time and values of every bar, in order. */
function hashOf(bars: Iterable<readonly number[]>): string {
  const hash = createHash('sha256')
  for (const bar of bars) hash.update(new Uint8Array(Float64Array.from(bar).buffer))
  return hash.digest('hex')
}

function* ofTheExchange(): Generator<readonly number[]> {
  for (let i = 0; i < BARS; i += 1) {
    const time = START + i * MINUTE_MS
    yield [time, ...barAt(time).slice(0, 5)]
  }
}

async function ofTheStore(): Promise<(readonly number[])[]> {
  const postgres = new Postgres({ databaseUrl: bed.databaseUrl })
  try {
    const store = new PostgresBarSeriesStore(postgres)
    const series = await store.find({ exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1m' })
    const all: number[][] = []
    for (const bytes of await store.blocks(series?.blocks.map(({ hash }) => hash) ?? [])) {
      const { length, time, open, high, low, close, volume } = decodeColumns(bytes)
      for (let i = 0; i < length; i += 1) all.push([time, open, high, low, close, volume].map((column) => column[i] ?? Number.NaN))
    }
    return all
  } finally {
    await postgres.close()
  }
}

test('a year of minutes, killed three times', async () => {
  const environment = { ...bed.environment, BYBIT_URL: exchange.url }
  const client = await bed.open({ role: 'client' })
  const { taskId } = await client.backend.submit({
    taskType: TaskType.DATA_SYNC, roots: null,
    data: { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1m', start_date: new Date(START).toISOString(), end_date: new Date(START + BARS * MINUTE_MS).toISOString() },
  })
  for (const requests of KILLS_AT) {
    const worker = children.start({ role: 'worker' }, environment)
    await eventually(`${requests} requests`, () => Promise.resolve(exchange.requests >= requests))
    worker.process.kill('SIGKILL')
    expect(await worker.exited).toBe('SIGKILL')
  }
  children.start({ role: 'worker' }, environment)
  expect(await settleAndCheck(bed, [taskId])).toMatchObject({ completed: 1, attempts: 4 })
  expect(await client.backend.task(taskId)).toMatchObject({ result: { bars: BARS, bars_missing: 0, gaps: [] } })
  const bars = await ofTheStore()
  expect(bars).toHaveLength(BARS)
  expect(hashOf(bars)).toBe(hashOf(ofTheExchange()))
  const again = [...exchange.served.values()].reduce((sum, times) => sum + times - 1, 0)
  expect(exchange.served.size).toBe(526)
  expect(again).toBeLessThanOrEqual(KILLS_AT.length * IN_FLIGHT)
}, 300_000)
