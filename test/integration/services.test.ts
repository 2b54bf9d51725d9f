/** Embedded Redis and Postgres: started from nothing, shared, stopped with the last user, reaped after a kill. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { findPlace } from '../../src/services/place.js'
import { openServices } from '../../src/services/services.js'
import type { Services, ServicesOptions } from '../../src/services/services.js'
import { startOf } from '../../src/services/server-process.js'
import { shareRedisProgram } from '../faults/own-servers.js'
import { eventually } from '../eventually.js'

let stateDir: string
const opened: Services[] = []
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'sweepmill-services-'))
  shareRedisProgram(stateDir)
})
afterEach(async () => {
  for (const services of opened.splice(0)) await services.stop()
  const { folder } = findPlace(stateDir)
  rmSync(folder, { recursive: true, force: true })
  rmSync(stateDir, { recursive: true, force: true })
})

async function open(options: Partial<ServicesOptions> = {}): Promise<Services> {
  const services = await openServices({ stateDir, graceMs: 300, ...options })
  opened.push(services)
  return services
}

async function ask(services: Services): Promise<[string, number]> {
  const redis = new Redis(services.redisUrl)
  const client = new pg.Client({ connectionString: services.databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ n: number }>('select 1 as n')
  const pong = await redis.ping()
  redis.disconnect()
  await client.end()
  return [pong, rows[0]?.n ?? 0]
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => { resolve(socket) }).on('error', reject)
  })
}

interface Run { pid: number; started: string }
function runOf(name: string): Run | null {
  const file = join(findPlace(stateDir).folder, `${name}.run`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Run : null
}
/** Until the kernel has taken the process away, its socket still answers. */
async function killSupervisor(): Promise<void> {
  const { pid, started } = JSON.parse(readFileSync(join(findPlace(stateDir).folder, 'supervisor.lock'), 'utf8')) as Run
  process.kill(pid, 'SIGKILL')
  await eventually('the killed supervisor is gone', () => Promise.resolve(startOf(pid) !== started))
}
const alive = (run: Run | null): boolean => run !== null && startOf(run.pid) === run.started

describe('services', () => {
  test('start from nothing, answer, keep data over a restart, and leave no process', async () => {
    const first = await open()
    expect(await ask(first)).toEqual(['PONG', 1])
    expect(lstatSync(findPlace(stateDir).socket).mode & 0o777).toBe(0o700)
    const redis = new Redis(first.redisUrl)
    expect((await redis.config('GET', 'maxmemory-policy') as string[])[1]).toBe('noeviction')
    expect((await redis.config('GET', 'appendonly') as string[])[1]).toBe('yes')
    await redis.set('kept', 'yes')
    redis.disconnect()
    const client = new pg.Client({ connectionString: first.databaseUrl })
    await client.connect()
    await client.query('create table kept (n int); insert into kept values (7)')
    await client.end()
    const runs = [runOf('redis'), runOf('postgres')]
    expect(runs.map(alive)).toEqual([true, true])
    await first.stop()
    expect(runs.map(alive)).toEqual([false, false])
    const second = await open()
    const again = new Redis(second.redisUrl)
    expect(await again.get('kept')).toBe('yes')
    again.disconnect()
    const client2 = new pg.Client({ connectionString: second.databaseUrl })
    await client2.connect()
    expect((await client2.query('select n from kept')).rows).toEqual([{ n: 7 }])
    await client2.end()
  })

  test('concurrent users share one supervisor; a killed user counts as gone', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', `
      const { openServices } = await import(${JSON.stringify(join(packageRoot, 'dist/src/services/services.js'))})
      const services = await openServices({ stateDir: ${JSON.stringify(stateDir)}, graceMs: 300 })
      console.log('ready')
      setInterval(() => undefined, 1000)`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [ready, ...users] = await Promise.all([
      new Promise((resolve) => { child.stdout.once('data', resolve) }), open(), open(), open(),
    ])
    expect(String(ready)).toContain('ready')
    expect(new Set(users.map((user) => user.redisUrl)).size).toBe(1)
    const runs = [runOf('redis'), runOf('postgres')]
    for (const user of opened.splice(0)) await user.release()
    child.kill('SIGKILL')
    await eventually('the servers to end by themselves', () => Promise.resolve(!runs.some(alive)))
    await eventually('the supervisor to end', () => Promise.resolve(!existsSync(findPlace(stateDir).socket)))
  })

  test('a user who comes while the servers end waits for their end, and gets new ones', async () => {
    const first = await open()
    const [redis, postgres] = [runOf('redis'), runOf('postgres')]
    if (postgres === null) throw new Error('no Postgres')
    // It cannot end while it is held, however long that takes.
    process.kill(postgres.pid, 'SIGSTOP')
    const stopped = first.stop()
    await eventually('Redis to end', () => Promise.resolve(!alive(redis)))
    const later = open()
    // Others meanwhile: by the last of them the one above would have used up its tries, were it turned away.
    const others: Socket[] = []
    for (let i = 0; i < 20; i += 1) others.push(await connected(findPlace(stateDir).socket))
    process.kill(postgres.pid, 'SIGCONT')
    expect(await ask(await later)).toEqual(['PONG', 1])
    await stopped
    expect([alive(postgres), alive(runOf('postgres'))]).toEqual([false, true])
    for (const other of others) other.destroy()
  })

  test('the next supervisor goes on with what a killed one left, and its users register anew', async () => {
    const first = await open()
    const runs = [runOf('redis'), runOf('postgres')]
    // A dead socket is in nobody's way, whatever its mode.
    chmodSync(findPlace(stateDir).socket, 0o755)
    await killSupervisor()
    expect(runs.map(alive)).toEqual([true, true])
    const second = await open()
    expect([second.redisUrl, second.databaseUrl]).toEqual([first.redisUrl, first.databaseUrl])
    expect(await ask(second)).toEqual(['PONG', 1])
    expect(runs.map(alive)).toEqual([true, true])
    // The first is still a user, of a supervisor that it never asked for: nothing stops under it.
    await second.stop()
    expect(await ask(first)).toEqual(['PONG', 1])
    expect([runOf('redis'), runOf('postgres')]).toEqual(runs)
    await first.stop()
    expect(runs.map(alive)).toEqual([false, false])
  })

  test('the next supervisor ends what does not answer, and goes on with what no run file names', async () => {
    const first = await open()
    const [redis, postgres] = [runOf('redis'), runOf('postgres')]
    if (redis === null) throw new Error('no Redis')
    process.kill(redis.pid, 'SIGSTOP')
    await killSupervisor()
    // An earlier version left such a file on a full disk.
    writeFileSync(join(findPlace(stateDir).folder, 'postgres.run'), '')
    expect(await ask(await open())).toEqual(['PONG', 1])
    expect([redis, postgres].map(alive)).toEqual([false, true])
    expect(await ask(first)).toEqual(['PONG', 1])
  })

  test('each resolves alone, and the npm Postgres serves where the system has none', async () => {
    const services = await open({ redisUrl: 'redis://127.0.0.1:1', searchPath: '/nonexistent' })
    expect([services.redisUrl, services.embedded]).toEqual(['redis://127.0.0.1:1', { redis: false, postgres: true }])
    const client = new pg.Client({ connectionString: services.databaseUrl })
    await client.connect()
    expect((await client.query<{ v: number }>("select current_setting('server_version_num')::int as v")).rows[0]?.v).toBeGreaterThanOrEqual(130_000)
    await client.end()
  })

  test('without any way to a Redis it says what to install', async () => {
    rmSync(join(findPlace(stateDir).folder, 'redis-program'), { recursive: true, force: true })
    await expect(open({ databaseUrl: 'postgresql://127.0.0.1:1/x', searchPath: '/nonexistent' })).rejects.toMatchObject({
      code: 'SERVICE_MISSING', message: expect.stringMatching(/apt install redis-server.*REDIS_URL/) as unknown,
    })
  })
})
