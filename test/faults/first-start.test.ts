/**
 * The first start on a machine, killed at any moment, or on a full disk: the next start works, takes no more time than a start does,
 * and leaves no process behind. `FAULT_STARTS` says how many moments, `FAULT_SEED` which.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { hasCode } from '../../src/base/errors.js'
import { seededRandom } from '../../src/base/random.js'
import { findPlace } from '../../src/services/place.js'
import { openServices } from '../../src/services/services.js'
import { eventually } from '../eventually.js'
import { fill, mountSmall, unmount } from './small-disk.js'
import { shareRedisProgram } from './own-servers.js'
import { isReady, kill, noneIsLeft, processesOf, removePlace, servers, startUser, supervisors, work } from './service-processes.js'
import type { User } from './service-processes.js'

const SEED = Number(process.env['FAULT_SEED'] ?? 1)
const STARTS = Number(process.env['FAULT_STARTS'] ?? 3)
/** A start takes two to four seconds. */
const LATEST_MS = 4000
/** What a first start needs, about. */
const MOST_ROOM_MIB = 48

const made: string[] = []
afterEach(() => {
  for (const stateDir of made.splice(0)) {
    if (existsSync(stateDir)) kill(processesOf(stateDir))
    removePlace(stateDir)
  }
})

function freshState(parent = tmpdir()): string {
  const stateDir = mkdtempSync(join(parent, 'sweepmill-first-'))
  chmodSync(stateDir, 0o755)
  shareRedisProgram(stateDir)
  made.push(stateDir)
  return stateDir
}

async function startsAndStops(stateDir: string): Promise<void> {
  const services = await openServices({ stateDir, graceMs: 300 })
  await work(services)
  await services.stop()
  await noneIsLeft(stateDir)
}

/** Whom to kill. Those of `everybody` die together, as in a container that is removed. */
const VICTIMS: Readonly<Record<string, (stateDir: string, user: User) => void>> = {
  'the command': (_stateDir, { process: command }) => { kill([command]) },
  'the supervisor': (stateDir) => { kill(supervisors(stateDir)) },
  'the servers': (stateDir) => { kill(servers(stateDir)) },
  everybody: (stateDir) => { kill(processesOf(stateDir)) },
}

const disk = mountSmall('300m')
afterAll(() => { if (disk !== null) unmount(disk) })

const random = seededRandom(SEED)
const moments = Array.from({ length: STARTS }, (_, n) => {
  const names = Object.keys(VICTIMS)
  const [afterMs, room] = [Math.floor(random.next() * LATEST_MS), Math.floor(random.next() * MOST_ROOM_MIB)]
  // Every third one meets a full disk besides, where one may be mounted.
  return [names[n % names.length] ?? '', afterMs, n % 3 === 1 && disk !== null ? `${room} MiB` : 'plenty'] as const
})

test.each(moments)('a first start is followed by one that works: %s killed after %i ms, with %s of room', async (victim, afterMs, room) => {
  const stateDir = room === 'plenty' ? freshState() : freshState(disk ?? '')
  const freeAgain = room === 'plenty' ? () => undefined : fill(disk ?? '', Number.parseInt(room, 10) * 2 ** 20)
  const user = startUser(stateDir)
  await systemClock.sleep(afterMs)
  VICTIMS[victim]?.(stateDir, user)
  freeAgain()
  // The command may have brought everything up meanwhile; then the next one joins it, and a server that was killed comes back.
  const services = await openServices({ stateDir, graceMs: 300 })
  await eventually('both servers to answer', () => work(services).then(() => true, () => false))
  kill([user.process])
  await user.exited
  await services.stop()
  await noneIsLeft(stateDir)
})

test('what was made before the end of initdb is never taken for a data folder', async () => {
  const stateDir = freshState()
  startUser(stateDir)
  await eventually('initdb to run', () => Promise.resolve(servers(stateDir).some(({ program }) => program === 'initdb')))
  kill(supervisors(stateDir))
  kill(processesOf(stateDir))
  const home = homeOf(stateDir)
  // An earlier version made it under its last name at once.
  const half = readdirSync(home).find((name) => name.startsWith('aside-'))
  if (half === undefined) mkdirSync(join(home, 'data'))
  else renameSync(join(home, half), join(home, 'data'))
  writeFileSync(join(home, 'data', 'PG_VERSION'), '18\n')
  const { uid, gid } = statSync(home)
  chownSync(join(home, 'data'), uid, gid)
  await startsAndStops(stateDir)
  expect(readdirSync(home)).toEqual(['data'])
  // Nothing of a user is ever made anew.
  rmSync(join(home, 'data', 'PG_VERSION'))
  await expect(openServices({ stateDir, graceMs: 300 })).rejects.toMatchObject({ code: 'SERVICE_FAILED', message: expect.stringMatching(/holds a database, and no PG_VERSION/) as unknown })
  expect(readdirSync(home)).toEqual(['data'])
})

test('locks and files of processes that are gone, empty or broken, cost a start nothing', async () => {
  const stateDir = freshState()
  const { folder } = findPlace(stateDir)
  // This process began at another time.
  const dead = JSON.stringify({ pid: process.pid, started: '1', boot: null })
  const leftovers: Readonly<Record<string, string>> = {
    'start.lock': dead, 'supervisor.lock': dead, 'redis.run': '', 'postgres.run': '{"pid"', secret: '', 'redis.port': 'x', 'postgres.port': '', 'users.json': '[1',
  }
  for (const [name, text] of Object.entries(leftovers)) writeFileSync(join(folder, name), text)
  // Made by root, and never given to the user of the services.
  mkdirSync(join(folder, 'redis'), { mode: 0o700 })
  await startsAndStops(stateDir)
})

function homeOf(stateDir: string): string {
  const { folder } = findPlace(stateDir)
  return join(folder, readdirSync(folder).find((name) => name.startsWith('postgres-') && !name.includes('program')) ?? '')
}

/** MiB of room: for no file at all, for half an initdb, for an initdb and not quite a server. */
test.skipIf(disk === null).each([0, 20, 40])('a first start with %i MiB of room is followed by one that works (skipped where no file system may be mounted)', async (room) => {
  const stateDir = freshState(disk ?? '')
  const freeAgain = fill(disk ?? '', room * 2 ** 20)
  const services = await openServices({ stateDir, graceMs: 300 }).catch((error: unknown) => {
    expect(['SERVICE_FAILED', 'MACHINE_TROUBLE'].some((code) => hasCode(error, code as 'SERVICE_FAILED')), String(error)).toBe(true)
    return null
  })
  freeAgain()
  await services?.stop()
  await noneIsLeft(stateDir)
  await startsAndStops(stateDir)
})

test('a cleaner that removes the socket, the lock and run files takes nothing from anybody', async () => {
  const stateDir = freshState()
  const old = join(findPlace(stateDir).folder, 'rarely-read')
  writeFileSync(old, '')
  utimesSync(old, 1, 1)
  const user = startUser(stateDir)
  await isReady(user)
  // Below a folder for temporary files nothing gets old.
  await eventually('an old file to be a new one', () => Promise.resolve(statSync(old).mtimeMs > 1e12))
  const { folder, socket } = findPlace(stateDir)
  const before = [...supervisors(stateDir), ...servers(stateDir)].map(({ pid }) => pid)
  for (const name of ['supervisor.lock', 'redis.run', 'postgres.run']) rmSync(join(folder, name))
  rmSync(socket)
  const services = await openServices({ stateDir, graceMs: 300 })
  await work(services)
  await eventually('the files to be there again', () => Promise.resolve(['supervisor.lock', 'redis.run', 'postgres.run'].every((name) => existsSync(join(folder, name)))))
  const after = new Set([...supervisors(stateDir), ...servers(stateDir)].map(({ pid }) => pid))
  // Sessions of Postgres come and go; the supervisor and both servers stay.
  expect(before.filter((pid) => after.has(pid)).length).toBeGreaterThanOrEqual(3)
  await eventually('one supervisor', () => Promise.resolve(supervisors(stateDir).length === 1))
  kill([user.process])
  await user.exited
  await services.stop()
  await noneIsLeft(stateDir)
})
