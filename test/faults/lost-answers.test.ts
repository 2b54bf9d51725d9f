/** Answers that never arrive, servers that are away for a while, owners that are not who they think: piece by piece. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { GROUP } from '../../src/queue/redis-task-stream.js'
import { FleetWatch } from '../../src/runtime/fleet-watch.js'
import type { FleetMember } from '../../src/tasks/task-store.js'
import { eventually } from '../eventually.js'
import { openTestBed, SHORT_LEASE } from '../harness.js'
import type { TestBed } from '../harness.js'
import { Postgres } from '../../src/store/postgres.js'
import { SimClock } from '../simulation/sim-clock.js'
import { World } from '../simulation/world.js'

let bed: TestBed
beforeEach(async () => { bed = await openTestBed() })
afterEach(async () => { await bed.close() })

const stream = (): string => `${bed.prefix}tasks:high`
const owner = async (id: string): Promise<unknown> => (await bed.redis.xpending(stream(), GROUP, id, id, 1) as unknown[][])[0]?.[1]

test('an entry that another consumer owns is neither settled nor renewed', async () => {
  const first = await bed.open()
  const second = await bed.open()
  await first.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high' })
  const { deliveries: [delivery] } = await first.stream.pick({ high: 1, medium: 0, low: 0 }, 1, [])
  if (delivery === undefined) throw new Error('nothing was delivered')
  const [entry] = await second.stream.pending(0)
  if (entry === undefined) throw new Error('nothing is pending')
  expect((await second.stream.pick({ high: 1, medium: 0, low: 0 }, 1, [entry])).deliveries).toHaveLength(1)
  expect(await first.stream.renew([delivery])).toEqual(['lost'])
  expect(await first.stream.settle([{ ...delivery, move: { kind: 'done' } }])).toEqual([false])
  expect(await owner(delivery.messageId)).toBe(second.consumer)
  expect(await second.stream.settle([{ ...delivery, move: { kind: 'done' } }])).toEqual([true])
  expect(await bed.redis.xlen(stream())).toBe(0)
})

test('an entry of another task under the same id does not hide that a message is missing', async () => {
  const only = await bed.open()
  const taskId = await only.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high' })
  const [row] = await eventually('the message to be noted', async () => {
    const rows = await bed.sql<{ message_id: string }>('select message_id from tasks where message_id is not null')
    return rows.length > 0 ? rows : null
  })
  // As after a flush within one millisecond, or under a clock that was set back.
  await bed.redis.del(stream())
  await bed.redis.xadd(stream(), row?.message_id ?? '', 'task_id', '01999999-0000-7000-8000-000000000000', 'task_type', 'noop')
  expect(await only.stream.missing([{ taskId, taskType: 'noop', priority: 'high', messageId: row?.message_id ?? '' }])).toHaveLength(1)
})

test('an entry that could not be settled is found again by its own process', async () => {
  const only = await bed.open({ env: SHORT_LEASE })
  const taskId = await only.queue.enqueueTask({ taskType: 'noop', data: {}, priority: 'high' })
  // Picked, and then forgotten: as after an open that Postgres never answered.
  expect((await only.stream.pick({ high: 1, medium: 0, low: 0 }, 1, [])).deliveries).toHaveLength(1)
  const receipt = await eventually('the orphan', async () => {
    await only.queue.recoverStalledTasks()
    return (await only.queue.dequeueTask({ blockMs: 20 }))[0]
  })
  expect(receipt.taskId).toBe(taskId)
  await only.queue.acknowledgeTask(receipt)
  expect(await bed.redis.xlen(stream())).toBe(0)
})

test('a commit whose answer was lost stands, and is known to stand', async () => {
  await bed.open()
  const postgres = new Postgres({ databaseUrl: bed.databaseUrl })
  const world = new World(bed.redis, bed.redisUrl, postgres, bed.prefix.slice(0, -1))
  try {
    const worker = await world.startWorker()
    await worker.enqueue('high', 'lost', 0, 0)
    await worker.pick(1)
    worker.loseReply = true
    expect(await worker.finish(0, 'complete')).toMatchObject({ committed: true })
    expect(await bed.sql("select attempt from task_events where to_status = 'completed'")).toEqual([{ attempt: 1 }])
    // Nothing is left for another to find.
    expect(await bed.redis.xlen(stream())).toBe(0)
  } finally {
    await world.close()
    await postgres.close()
  }
})

test('a connection that ends between two statements of a transaction is an error, not the end of the process', async () => {
  const postgres = new Postgres({ databaseUrl: bed.databaseUrl })
  try {
    await expect(postgres.transaction(async (client) => {
      const { rows: [own] } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
      await bed.sql('select pg_terminate_backend($1)', [own?.pid])
      // Nobody waits for the connection while it ends.
      await eventually('the backend to end', async () => (await bed.sql('select 1 from pg_stat_activity where pid = $1', [own?.pid])).length === 0)
      await client.query('select 1')
    })).rejects.toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
    expect(await postgres.query('select 1 as n')).toEqual([{ n: 1 }])
  } finally {
    await postgres.close()
  }
})

describe('who is alive', () => {
  const member = (id: string, beats: number, silentMs: number): FleetMember =>
    ({ id, workerName: id, host: 'elsewhere', pid: 1, processKey: null, threads: 1, role: 'worker', engine: null, stopped: false, beats, silentMs })

  test('silence counts only between looks that succeeded', async () => {
    const clock = new SimClock()
    let fleet: FleetMember[] | null = [member('a', 1, 0), member('b', 1, 0)]
    const watch = new FleetWatch({
      incarnations: () => (fleet === null ? Promise.reject(new SweepmillError('POSTGRES_UNAVAILABLE', 'away')) : Promise.resolve(fleet)),
      beat: () => Promise.resolve([]), leave: () => Promise.resolve(),
    }, clock, 1000)
    expect((await watch.look()).alive).toEqual(['a', 'b'])
    // Postgres is away for a minute: afterwards every beat is old, and nobody is dead for that.
    fleet = null
    await expect(watch.look()).rejects.toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
    clock.nowMs = 60_000
    fleet = [member('a', 1, 60_000), member('b', 1, 60_000)]
    expect([...(await watch.look()).dead]).toEqual([])
    // Then a beats and b does not.
    clock.nowMs = 62_000
    fleet = [member('a', 2, 100), member('b', 1, 62_000)]
    const view = await watch.look()
    expect([...view.dead]).toEqual(['b'])
    expect(view.isGone('b')).toBe(true)
    expect(view.isGone('a')).toBe(false)
    expect(view.isGone('nobody')).toBe(true)
  })
})
