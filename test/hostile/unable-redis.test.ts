/** A Redis that answers and cannot do what tasks need: nobody is ready with it, and each says what to change. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { RedisTaskStream } from '../../src/queue/redis-task-stream.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'
import { openRedis } from './own-redis.js'
import type { OwnRedis } from './own-redis.js'

let bed: TestBed
let own: OwnRedis
let worker: TestRuntime
beforeAll(async () => {
  bed = await openTestBed()
  own = await openRedis()
  await own.redis.call('ACL', 'SETUSER', 'mill', 'on', '>pw', '+@all', '~*', '&*')
  worker = await bed.open({ redisUrl: `redis://mill:pw@127.0.0.1:${own.port}` })
  await worker.start()
})
async function heal(): Promise<void> {
  await own.redis.call('REPLICAOF', 'NO', 'ONE')
  await own.redis.config('SET', 'maxmemory', '0')
  await own.redis.config('SET', 'maxmemory-policy', 'noeviction')
  await own.redis.config('SET', 'save', '')
  await own.redis.config('SET', 'min-replicas-to-write', '0')
  await own.redis.call('ACL', 'SETUSER', 'mill', '+@all', 'allkeys')
}
afterEach(heal)
afterAll(async () => {
  await bed.close()
  await own.close()
})

const set = (name: string, value: string) => async (): Promise<unknown> => own.redis.config('SET', name, value)
const acl = (...rules: string[]) => async (): Promise<unknown> => own.redis.call('ACL', 'SETUSER', 'mill', ...rules)
const troubles: readonly (readonly [string, () => Promise<unknown>, string])[] = [
  ['a replica of another', async () => own.redis.call('REPLICAOF', '127.0.0.1', '1'), 'Point REDIS_URL at the primary'],
  ['full', set('maxmemory', '1'), 'Raise its maxmemory'],
  ['unable to save to its disk', async () => {
    // A folder stands where its file belongs.
    mkdirSync(join(own.folder, 'dump.rdb', 'x'), { recursive: true })
    await own.redis.config('SET', 'save', '3600 1')
    await eventually('a save to fail', async () => {
      await own.redis.bgsave().catch(() => undefined)
      return /rdb_last_bgsave_status:err/.test(await own.redis.info('persistence'))
    })
  }, 'could not save to its disk'],
  ['short of replicas', set('min-replicas-to-write', '1'), 'min-replicas-to-write'],
  ['not allowed to run scripts', acl('-evalsha', '-eval'), 'lacks a right'],
  ['not allowed to add to streams', acl('-xadd'), 'lacks a right'],
  ['not allowed to claim', acl('-xclaim'), 'lacks a right'],
  ['not allowed to use the keys', acl('resetkeys', '~other:*'), 'lacks a right'],
]

test.each(troubles)('a worker whose Redis is %s is not ready, and is again afterwards', async (_what, make, advice) => {
  expect(await worker.backend.ready()).toBe(true)
  await make()
  expect(await worker.backend.ready()).toBe(false)
  const { services, troubles: told, status } = await worker.backend.health()
  expect({ redis: services.redis, status }).toEqual({ redis: 'down', status: 'degraded' })
  expect(told.join()).toContain(advice)
  // One that starts says it at once.
  await expect(bed.open({ redisUrl: `redis://mill:pw@127.0.0.1:${own.port}` })).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE', message: expect.stringContaining(advice) as string })
  await heal()
  expect(await worker.backend.ready()).toBe(true)
})

test('one that begins to throw keys away is warned of, and goes on', async () => {
  await own.redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  expect(await worker.backend.ready()).toBe(true)
  const { troubles: told, status } = await worker.backend.health()
  expect([status, told]).toEqual(['healthy', [expect.stringContaining('Set it to noeviction')]])
})

test('a Cluster without a hash tag is refused, and one with a tag serves', async () => {
  const node = await openRedis('--cluster-enabled', 'yes')
  const streamOf = (keyPrefix: string): RedisTaskStream => new RedisTaskStream({ redisUrl: `redis://127.0.0.1:${node.port}`, keyPrefix, consumer: 'c', pollMs: 100 })
  const [plain, down, tagged] = [streamOf('a:'), streamOf('{a}:'), streamOf('{a}:')]
  try {
    await expect(plain.connect()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('{sweepmill}:') as string })
    await down.connect().then(() => down.serving()).catch((error: unknown) => { expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE' }) })
    await node.redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await tagged.connect()
    await expect.poll(() => tagged.serving().catch((error: unknown) => error), { timeout: 30_000 }).toBeNull()
    expect((await tagged.pick({ high: 1, medium: 1, low: 1 }, 3, [])).deliveries).toEqual([])
  } finally {
    for (const stream of [plain, down, tagged]) await stream.close()
    await node.close()
  }
})
