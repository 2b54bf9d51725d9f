/**
 * The process that owns the embedded servers. Started detached by the first user, it outlives every user and ends
 * itself: a user is an open connection, which the kernel closes however the user dies, and some seconds after the
 * last one is gone both servers are stopped. There is one for a place: a second one ends at once.
 *
 * Killed, it is followed by the next one, which goes on with its servers where they answer; users connect anew. Those that have
 * not yet, and live, count as users for a while. What a cleaner of temporary folders removes (socket, lock, run files) is made again.
 *
 * Arguments: state folder, grace in milliseconds, search path. Protocol: JSON lines, `ToSupervisor` and `FromSupervisor`.
 */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { existsSync, lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../base/clock.js'
import { toSweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import { keepFresh } from './fresh-files.js'
import { KeptServer } from './kept-server.js'
import { findPlace } from './place.js'
import { adoptPostgres, startPostgres } from './postgres-server.js'
import { holdsLock, tryLock, unlock } from './process-lock.js'
import { startOf } from './process-mark.js'
import type { ProcessMark } from './process-mark.js'
import { adoptRedis, startRedis } from './redis-server.js'
import { KnownUsers } from './known-users.js'
import { removeLeftAside } from './whole-file.js'

export type ToSupervisor =
  /** `user`: who is asking, so that a later supervisor knows whom to wait for. */
  | { readonly kind: 'need'; readonly redis: boolean; readonly postgres: boolean; readonly user?: ProcessMark | null }
  /** Stop now, if nobody else uses the servers. */
  | { readonly kind: 'stop' }

export type FromSupervisor =
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'ready'; readonly redisUrl: string | null; readonly databaseUrl: string | null; readonly pid: number }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'stopped'; readonly stopped: boolean }

const WATCH_EVERY_MS = 1000

const [stateDir = '', grace = '10000', searchPath = ''] = process.argv.slice(2)
const place = findPlace(stateDir)
const lock = join(place.folder, 'supervisor.lock')
if (!tryLock(lock)) process.exit(0)
removeLeftAside(place.folder, (pid) => startOf(pid) === null)

const users = new Set<Socket>()
const known = new KnownUsers(join(place.folder, 'users.json'), systemClock)
let cancelGrace: (() => void) | null = null
let ending = false
let socketInode = 0
const log = (line: string): void => { for (const user of users) send(user, { kind: 'log', line }) }
// The place anew each time: its folder may have been removed.
const redis = new KeptServer(() => adoptRedis(place), () => startRedis(findPlace(stateDir), searchPath, log), systemClock)
const postgres = new KeptServer(() => adoptPostgres(place), () => startPostgres(findPlace(stateDir), searchPath, log), systemClock)

const send = (socket: Socket, message: FromSupervisor): void => { if (socket.writable) socket.write(`${JSON.stringify(message)}\n`) }

async function serve(socket: Socket, message: ToSupervisor): Promise<void> {
  if (message.kind === 'stop') {
    const alone = users.size === 1 && !known.othersAreDue()
    if (alone) await stopServers()
    send(socket, { kind: 'stopped', stopped: alone })
    if (alone) end()
    return
  }
  try {
    const [one, two] = await Promise.all([message.redis ? redis.get() : null, message.postgres ? postgres.get() : null])
    // One that is gone by then was no user, nor is one that gets nothing.
    if (users.has(socket)) known.add(socket, message.user ?? null)
    send(socket, { kind: 'ready', redisUrl: one?.url ?? null, databaseUrl: two?.url ?? null, pid: process.pid })
  } catch (thrown) {
    const { stack: _stack, ...error } = toSweepmillError(thrown, 'SERVICE_FAILED').toData()
    send(socket, { kind: 'failed', error })
  }
}

async function stopServers(): Promise<void> {
  ending = true
  await Promise.allSettled([redis.stop(), postgres.stop()])
}

function end(): void {
  listener.close()
  rmSync(place.socket, { force: true })
  unlock(lock)
  process.exit(0)
}

function startGrace(): void {
  cancelGrace?.()
  if (users.size > 0 || ending) return
  cancelGrace = systemClock.after(Number(grace), () => {
    if (known.othersAreDue()) startGrace()
    else void stopServers().then(end)
  })
}

function listen(): Server {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    // Held until this process is gone: turned away at once, a user would come back again and again while the servers still end.
    if (ending) return
    cancelGrace?.()
    users.add(socket)
    socket.on('close', () => {
      users.delete(socket)
      known.remove(socket)
      startGrace()
    })
    createInterface({ input: socket }).on('error', () => undefined).on('line', (line) => { void serve(socket, JSON.parse(line) as ToSupervisor) })
  })
  const { socket } = findPlace(stateDir)
  rmSync(socket, { force: true })
  // Bound before `listen` returns: nobody else may connect, whatever this user's umask says.
  const umask = process.umask(0o077)
  server.listen(socket, () => {
    socketInode = inodeOf(socket)
    startGrace()
  })
  process.umask(umask)
  return server
}

function inodeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? 0
}

/** Makes again what was removed. Where another supervisor took this one's place meanwhile, it has the servers: users go to it. */
async function watch(): Promise<void> {
  // Without users nothing of it is needed, and whoever removes the folder then means it.
  if (ending || users.size === 0) return
  if (!existsSync(place.folder)) findPlace(stateDir)
  if (!holdsLock(lock) && !tryLock(lock)) process.exit(0)
  if (listener.listening && inodeOf(place.socket) !== socketInode) {
    // Closing removes what has the name, so the new one comes after it. Users that are connected stay so.
    listener.close()
    listener = listen()
  }
  await Promise.all([redis.note(), postgres.note()])
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { void stopServers().then(end) })
process.on('SIGHUP', () => undefined)
let listener = listen()
keepFresh(place.folder, systemClock)
// On a full disk nothing can be made again; the next look tries once more.
systemClock.every(WATCH_EVERY_MS, () => { watch().catch(() => undefined) })
