/** Redis and Postgres restarted, killed, emptied, cut short and half-open while tasks flow: nothing is lost or done twice. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.js'
import { settleAndCheck } from './invariants.js'
import type { Scene } from './invariants.js'
import { openOwnServers } from './own-servers.js'
import type { OwnServers } from './own-servers.js'
import { Children } from './processes.js'
import type { Child } from './processes.js'
import { openScene } from './scene.js'
import type { OwnScene } from './scene.js'
import { openProxy, through } from './proxy.js'

let servers: OwnServers
const children = new Children()
beforeAll(async () => { servers = await openOwnServers() })
afterAll(async () => { await servers.close() })
afterEach(async () => { await children.killAll() })

const TASKS = 300
let scenes = 0
const nextScene = (): Promise<OwnScene> => openScene(servers, `s${scenes += 1}`)

function produce(environment: Readonly<Record<string, string>>): Child {
  return children.start({ role: 'producer', produce: { tasks: TASKS, works: [{ taskType: 'noop', data: {} }], pauseMs: 0 } }, environment)
}

async function flowing(scene: Scene): Promise<void> {
  await eventually('tasks to flow', async () => ((await scene.sql<{ n: number }>("select count(*)::int as n from tasks where status = 'completed'").catch(() => []))[0]?.n ?? 0) > 20)
}

const faults: readonly (readonly [string, () => Promise<void>])[] = [
  ['Redis is restarted', () => servers.kill('redis', 'SIGTERM')],
  ['Redis is killed', () => servers.kill('redis', 'SIGKILL')],
  ['Redis is emptied', async () => { await servers.redis.flushall() }],
  ['Redis comes back without the end of its file', () => servers.killRedisAndCutItsFile(20_000)],
  ['Postgres is restarted', () => servers.kill('postgres', 'SIGINT')],
  ['Postgres is killed', () => servers.kill('postgres', 'SIGKILL')],
]

test.each(faults)('%s', async (_name, strike) => {
  const scene = await nextScene()
  const workers = [1, 2].map(() => children.start({ role: 'worker' }, scene.environment))
  await eventually('the workers', () => Promise.resolve(workers.every((worker) => worker.messages.length > 0)))
  const producer = produce(scene.environment)
  await flowing(scene)
  await strike()
  await servers.back()
  // A producer whose server went away gets errors meanwhile; what it was told stands.
  expect(await producer.exited).toBe(0)
  const tally = await settleAndCheck(scene, producer.accepted())
  expect(tally.completed).toBe(tally.accepted)
  expect(tally.completed).toBeGreaterThan(20)
  // Both workers lived through it: neither needed anybody to start it again.
  expect(workers.map(({ process: worker }) => worker.exitCode ?? worker.signalCode)).toEqual([null, null])
})

test.each(['redisUrl', 'databaseUrl'] as const)('the connection to %s is half-open', async (which) => {
  const scene = await nextScene()
  const target = new URL(servers[which])
  const proxy = await openProxy({ host: target.hostname, port: Number(target.port) })
  try {
    const name = which === 'redisUrl' ? 'REDIS_URL' : 'DATABASE_URL'
    const proxied = { ...scene.environment, [name]: through(scene.environment[name] ?? '', proxy) }
    const worker = children.start({ role: 'worker' }, proxied)
    await eventually('the worker', () => Promise.resolve(worker.messages.length > 0))
    const producer = produce(scene.environment)
    await flowing(scene)
    proxy.swallow(false)
    expect(await producer.exited).toBe(0)
    // The only worker finds out by itself that its connections are dead.
    const tally = await settleAndCheck(scene, producer.accepted(), 180_000)
    expect(tally).toMatchObject({ accepted: TASKS, completed: TASKS })
  } finally {
    await proxy.close()
  }
}, 300_000)
