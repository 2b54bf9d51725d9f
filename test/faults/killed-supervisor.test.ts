/** A supervisor of embedded services is killed under living users: they register with the next one, and nothing stops under them. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServices } from '../../src/services/services.js'
import { eventually } from '../eventually.js'
import { shareRedisProgram } from './own-servers.js'
import { isReady, kill, noneIsLeft, processesOf, removePlace, servers, startUser, supervisors, work } from './service-processes.js'

let stateDir: string
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'sweepmill-supervisor-'))
  shareRedisProgram(stateDir)
})
afterEach(() => {
  kill(processesOf(stateDir))
  removePlace(stateDir)
})

/** The two servers themselves: sessions of Postgres come and go. */
function serverPids(): number[] {
  const found = servers(stateDir)
  const isOfInterest = (command: string): boolean => /redis|valkey/.test(command) || command.includes(' -D ')
  return found.filter(({ command }) => isOfInterest(command)).map(({ pid }) => pid).sort((a, b) => a - b)
}

test('living users start the next supervisor by themselves, which goes on with their servers until the last of them is gone', async () => {
  const users = [startUser(stateDir), startUser(stateDir)]
  for (const user of users) await isReady(user)
  const before = serverPids()
  expect(before).toHaveLength(2)
  for (let n = 1; n <= 2; n += 1) {
    const [{ pid } = { pid: 0 }] = supervisors(stateDir)
    kill(supervisors(stateDir))
    await eventually('both to register anew', () => Promise.resolve(users.every((user) => user.output().split('registered with the next one').length > n)))
    await eventually('one supervisor, another one', () => Promise.resolve(supervisors(stateDir).length === 1 && supervisors(stateDir)[0]?.pid !== pid))
  }
  // Another command comes and goes, and would stop what nobody uses.
  const other = startUser(stateDir, 'leave')
  await isReady(other)
  await other.exited
  const services = await openServices({ stateDir, graceMs: 300 })
  await work(services)
  await services.stop()
  expect(serverPids()).toEqual(before)
  kill(users.map(({ process: user }) => user))
  await noneIsLeft(stateDir)
})

test('a user who lives and cannot come yet, because it is stopped, is waited for', async () => {
  const user = startUser(stateDir)
  await isReady(user)
  const before = serverPids()
  kill([user.process], 'SIGSTOP')
  kill(supervisors(stateDir))
  // It would stop the servers at once, were it alone.
  const services = await openServices({ stateDir, graceMs: 300 })
  await services.stop()
  expect(serverPids()).toEqual(before)
  kill([user.process], 'SIGCONT')
  await eventually('the user to register anew', () => Promise.resolve(user.output().includes('registered with the next one')))
  expect(serverPids()).toEqual(before)
  kill([user.process])
  await noneIsLeft(stateDir)
})

test('supervisor and servers die together: users get both again, where they were', async () => {
  const user = startUser(stateDir)
  await isReady(user)
  const services = await openServices({ stateDir, graceMs: 300 })
  await work(services)
  kill([...supervisors(stateDir), ...servers(stateDir)])
  await eventually('the same servers to answer again', () => work(services).then(() => true, () => false))
  kill([user.process])
  await user.exited
  // Killed once more before it can hear of the end: the next one ends the servers.
  kill(supervisors(stateDir))
  await services.stop()
  await noneIsLeft(stateDir)
})
