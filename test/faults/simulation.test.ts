/**
 * Random schedules of several workers against the real scripts and statements, in virtual time.
 * SIM_RUNS and FAULT_SEED choose how many and which; a counter-example is shrunk and printed with its seed.
 */
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, test } from 'vitest'
import { newNonce } from '../../src/base/ids.js'
import { migrate } from '../../src/store/migrate.js'
import { Postgres } from '../../src/store/postgres.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { REGRESSIONS } from '../simulation/regressions.js'
import { run, schedules } from '../simulation/schedule.js'
import type { Op } from '../simulation/schedule.js'
import { World } from '../simulation/world.js'

const RUNS = Number(process.env['SIM_RUNS'] ?? 150)
const SEED = Number(process.env['FAULT_SEED'] ?? 20_261_125)
/** Rows of earlier schedules would slow the comparison of all live rows down. */
const TRUNCATE_EVERY = 500

let bed: TestBed
let postgres: Postgres
let redis: Redis
beforeAll(async () => {
  bed = await openTestBed()
  const url = new URL(bed.databaseUrl)
  // No schedule kills Postgres, so nothing is learned from waiting for the disk.
  url.searchParams.set('options', `-c search_path=${bed.schema} -c synchronous_commit=off`)
  postgres = new Postgres({ databaseUrl: url.href, maxConnections: 6 })
  await migrate(postgres)
  redis = new Redis(bed.redisUrl)
})
afterAll(async () => {
  redis.disconnect()
  await postgres.close()
  await bed.close()
})

let started = 0
const nonce = newNonce()

async function simulate(ops: readonly Op[]): Promise<void> {
  started += 1
  if (started % TRUNCATE_EVERY === 0) await postgres.query('truncate tasks, task_events, checkpoints cascade')
  const schedule = `sim${nonce}-${started}`
  const world = new World(redis, bed.redisUrl, postgres, schedule)
  try {
    await run(world, schedule, ops)
  } finally {
    await world.close()
  }
}

test.each(REGRESSIONS.map((ops, i) => [i + 1, ops] as const))('regression %i', async (_i, ops) => { await simulate(ops) })

test(`${RUNS} random schedules keep every invariant (seed ${SEED})`, async () => {
  await fc.assert(fc.asyncProperty(schedules, simulate), { numRuns: RUNS, seed: SEED, endOnFailure: false })
}, 30_000_000)
