/** The disk under Redis and Postgres is full for a while: nothing that was accepted is lost, and work goes on when there is room. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.js'
import { settleAndCheck } from './invariants.js'
import { openOwnServers } from './own-servers.js'
import type { OwnServers } from './own-servers.js'
import { Children } from './processes.js'
import { openScene } from './scene.js'
import { fill, mountSmall, unmount } from './small-disk.js'

const SIZE = '400m'

const disk = mountSmall(SIZE)
const children = new Children()
let servers: OwnServers
beforeAll(async () => { if (disk !== null) servers = await openOwnServers(join(disk, 'state')) })
afterAll(async () => {
  await children.killAll()
  if (disk === null) return
  await servers.close()
  unmount(disk)
})

test.skipIf(disk === null)('the disk is full for a while (skipped where no file system may be mounted)', async () => {
  const scene = await openScene(servers, 'full_disk')
  const worker = children.start({ role: 'worker' }, scene.environment)
  await eventually('the worker', () => Promise.resolve(worker.messages.length > 0))
  const payload = 'x'.repeat(20_000)
  const producer = children.start({ role: 'producer', produce: { tasks: 1500, works: [{ taskType: 'noop', data: { payload } }], pauseMs: 0 } }, scene.environment)
  await eventually('tasks to flow', () => Promise.resolve(producer.accepted().length > 50))
  const freeAgain = fill(disk ?? '')
  try {
    await eventually('the producer to be refused', () => Promise.resolve(producer.messages.some((message) => message.kind === 'refused')))
  } finally {
    freeAgain()
  }
  expect(await producer.exited).toBe(0)
  await servers.back()
  const tally = await settleAndCheck(scene, producer.accepted())
  expect(tally.completed).toBe(tally.accepted)
  expect(tally.accepted).toBeGreaterThanOrEqual(producer.accepted().length)
}, 240_000)
