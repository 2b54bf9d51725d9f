/**
 * Two users on one host: what one has made first under a name that can be guessed is not taken by the other. Only root can
 * be two users, so the tests with a second one are left out where the suite runs as anybody else.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { assertPrivateSocket, assertUnshared, isOwnSocket, ownPrivateFolder } from '../../../src/services/own-path.js'
import { findPlace, giveFile, ownFolder, servicesFolder } from '../../../src/services/place.js'

const VICTIM = 424_243
const OTHER = 424_242

let folder: string
/** Everybody may write here, and remove only what is theirs: as in /tmp. */
let shared: string
const leftovers: string[] = []
const processes: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-users-'))
  chmodSync(folder, 0o755)
  shared = join(folder, 'shared')
  mkdirSync(shared)
  chmodSync(shared, 0o1777)
})
afterEach(() => {
  for (const child of processes.splice(0)) child.kill('SIGKILL')
  for (const path of [folder, ...leftovers.splice(0)]) rmSync(path, { recursive: true, force: true })
})

const refused = (path: string, why: RegExp): object => expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(why) as string, details: { path } }) as object

function made(path: string, mode: number, uid = process.getuid?.() ?? 0): string {
  mkdirSync(path, { recursive: true })
  chmodSync(path, mode)
  chownSync(path, uid, uid)
  return path
}

describe('one user', () => {
  test('has a private folder of mode 0700 or none', () => {
    const path = join(shared, 'sockets')
    expect(ownPrivateFolder(path)).toBe(path)
    expect(lstatSync(path).mode & 0o777).toBe(0o700)
    expect(ownPrivateFolder(path)).toBe(path)
    for (const mode of [0o777, 0o755, 0o710, 0o701]) {
      chmodSync(path, mode)
      expect(() => ownPrivateFolder(path)).toThrow(refused(path, /which lets others in/) as Error)
    }
    symlinkSync(folder, join(shared, 'link'))
    expect(() => ownPrivateFolder(join(shared, 'link'))).toThrow(refused(join(shared, 'link'), /not a folder/) as Error)
    writeFileSync(join(shared, 'file'), '')
    expect(() => ownPrivateFolder(join(shared, 'file'))).toThrow(refused(join(shared, 'file'), /not a folder/) as Error)
  })

  test('connects to a socket of mode 0700 or to none', async () => {
    const path = join(shared, 's')
    expect(isOwnSocket(path)).toBe(false)
    const listener = createServer()
    await new Promise<void>((resolve) => { listener.listen(path, resolve) })
    for (const [mode, own] of [[0o700, true], [0o755, false], [0o770, false], [0o707, false]] as const) {
      chmodSync(path, mode)
      expect(isOwnSocket(path)).toBe(true)
      if (own) expect(() => { assertPrivateSocket(path) }).not.toThrow()
      else expect(() => { assertPrivateSocket(path) }).toThrow(refused(path, /mode/) as Error)
    }
    await new Promise((resolve) => { listener.close(resolve) })
    writeFileSync(path, '')
    expect(() => isOwnSocket(path)).toThrow(refused(path, /not a socket/) as Error)
  })

  test('keeps data below a shared folder only where nobody else may write', () => {
    const open = made(join(shared, 'open'), 0o777)
    expect(() => { assertUnshared(join(open, 'state')) }).toThrow(refused(open, /lets others write/) as Error)
    expect(() => findPlace(join(open, 'state'))).toThrow(refused(open, /lets others write/) as Error)
    expect(existsSync(join(open, 'state'))).toBe(false)
    expect(() => { assertUnshared(join(shared, 'not', 'there', 'yet')) }).not.toThrow()
    const state = join(shared, 'state')
    const place = findPlace(state)
    leftovers.push(place.folder)
    expect(findPlace(state)).toEqual(place)
    expect(lstatSync(ownFolder(place, 'redis')).mode & 0o777).toBe(0o700)
    expect(ownFolder(place, 'redis')).toBe(join(place.folder, 'redis'))
    chmodSync(join(place.folder, 'redis'), 0o755)
    expect(() => ownFolder(place, 'redis')).toThrow(refused(join(place.folder, 'redis'), /0755/) as Error)
  })
})

describe.skipIf(process.getuid?.() !== 0)(`two users${process.getuid?.() === 0 ? '' : ' (needs root)'}`, () => {
  /** What the service's side needs, where any user can read it. */
  function program(): string {
    const copy = join(folder, 'program')
    for (const part of ['base', 'services']) cpSync(join(packageRoot, 'dist', 'src', part), join(copy, 'dist', 'src', part), { recursive: true })
    cpSync(join(packageRoot, 'package.json'), join(copy, 'package.json'))
    return join(copy, 'dist', 'src', 'services')
  }

  async function as(uid: number, code: string): Promise<{ readonly child: ChildProcess; readonly line: string }> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } })
    processes.push(child)
    return new Promise((resolve, reject) => {
      child.stdout.once('data', (bytes) => { resolve({ child, line: String(bytes).trim() }) })
      child.once('exit', (code_) => { reject(new Error(`A process of the user ${uid} ended with ${code_}.`)) })
    })
  }

  const asked = (services: string, stateDir: string): string => `
    import { openServices } from ${JSON.stringify(join(services, 'services.js'))}
    const told = await openServices({ stateDir: ${JSON.stringify(stateDir)} }).then((s) => s.redisUrl, (e) => e.code + ' ' + e.message)
    console.log(told)`

  /** Answers every user with servers of its own. */
  const impostor = (path: string, mode: string): string => `
    import { createServer } from 'node:net'
    import { chmodSync } from 'node:fs'
    let users = 0
    createServer((user) => {
      user.on('error', () => undefined)
      console.log('asked')
      user.write(JSON.stringify({ kind: 'ready', redisUrl: 'redis://impostor', databaseUrl: 'postgresql://impostor', pid: process.pid }) + '\\n')
    }).listen(${JSON.stringify(path)}, () => { chmodSync(${JSON.stringify(path)}, ${mode}); console.log('listening') })`

  test('a supervisor of somebody else is not asked, whoever made the folder', async () => {
    const services = program()
    const state = made(join(shared, 'state'), 0o700, VICTIM)
    const sockets = join('/tmp', `sweepmill-${VICTIM}`)
    leftovers.push(sockets)
    const name = (await as(VICTIM, `
      import { findPlace } from ${JSON.stringify(join(services, 'place.js'))}
      console.log(findPlace(${JSON.stringify(state)}).socket)`)).line
    expect(name).toContain(`${sockets}/`)
    expect([lstatSync(sockets).uid, lstatSync(sockets).mode & 0o777]).toEqual([VICTIM, 0o700])
    rmSync(sockets, { recursive: true })

    made(sockets, 0o777, OTHER)
    const { child } = await as(OTHER, impostor(name, '0o777'))
    let asks = 0
    child.stdout?.on('data', () => { asks += 1 })
    expect((await as(VICTIM, asked(services, state))).line).toMatch(/^CONFIG_INVALID .* belongs to the user with the id 424242/)
    // The folder's owner is right and it is open: the socket in it is still somebody else's.
    chownSync(sockets, VICTIM, VICTIM)
    expect((await as(VICTIM, asked(services, state))).line).toMatch(/^CONFIG_INVALID .* 0777/)
    chmodSync(sockets, 0o700)
    expect((await as(VICTIM, asked(services, state))).line).toMatch(/^CONFIG_INVALID .*\.sock belongs to the user with the id 424242/)
    expect(asks).toBe(0)
    // Their own, but anybody could have connected and asked it for something.
    rmSync(name)
    await as(VICTIM, impostor(name, '0o755'))
    expect((await as(VICTIM, asked(services, state))).line).toMatch(/^CONFIG_INVALID .*\.sock has the mode 0755/)
  }, 60_000)

  test('a state folder of somebody else is not used: by name, by link, or further up', async () => {
    const services = program()
    leftovers.push(join('/tmp', `sweepmill-${VICTIM}`))
    const theirs = made(join(shared, 'theirs'), 0o777, OTHER)
    const elsewhere = made(join(folder, 'home-of-other'), 0o777, OTHER)
    symlinkSync(elsewhere, join(shared, 'link'))
    const stat = lstatSync(join(shared, 'link'))
    expect(stat.isSymbolicLink()).toBe(true)
    for (const state of [theirs, join(theirs, 'deep', 'er'), join(shared, 'link'), join(shared, 'link', 'state')]) {
      expect([state, (await as(VICTIM, asked(services, state))).line]).toEqual([state, expect.stringMatching(/^CONFIG_INVALID .* belongs to the user with the id 424242/)])
    }
    expect(existsSync(join(theirs, 'services'))).toBe(false)
  }, 60_000)

  test('root takes neither a folder in /var/tmp nor a data folder that somebody else made', () => {
    // Below a closed folder, so that the service user's data go to /var/tmp.
    const state = join(made(join(folder, 'closed'), 0o700), 'state')
    const place = servicesFolder(state)
    expect(place).toMatch(/^\/var\/tmp\/sweepmill-/)
    leftovers.push(place)
    made(place, 0o755, OTHER)
    expect(() => findPlace(state)).toThrow(refused(place, /belongs to the user with the id 424242/) as Error)
    rmSync(place, { recursive: true })
    const found = findPlace(state)
    made(join(place, 'redis'), 0o700, OTHER)
    expect(() => ownFolder(found, 'redis')).toThrow(refused(join(place, 'redis'), /belongs to the user with the id 424242/) as Error)
  })

  test('root writes for the service user through no link', () => {
    const [ours, theirs] = [join(folder, 'passwd'), join(made(join(folder, 'data'), 0o700, OTHER), 'redis.conf')]
    writeFileSync(ours, 'ours', { mode: 0o600 })
    symlinkSync(ours, theirs)
    giveFile({ folder, socket: '', owner: { uid: OTHER, gid: OTHER } }, theirs, 'theirs')
    expect([readFileSync(ours, 'utf8'), lstatSync(ours).uid, readFileSync(theirs, 'utf8'), lstatSync(theirs).isFile(), lstatSync(theirs).uid, lstatSync(theirs).mode & 0o777])
      .toEqual(['ours', 0, 'theirs', true, OTHER, 0o600])
  })
})
