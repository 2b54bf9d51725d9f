/**
 * The process that owns the embedded servers. Started detached by the first user, it outlives every user and ends
 * itself: a user is an open connection, which the kernel closes however the user dies, and some seconds after the
 * last one is gone both servers are stopped.
 *
 * Arguments: state folder, grace in milliseconds, search path. Protocol: JSON lines, `ToSupervisor` and `FromSupervisor`.
 */
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { systemClock } from '../base/clock.js'
import { toSweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'
import { KeptServer } from './kept-server.js'
import { findPlace } from './place.js'
import { startPostgres } from './postgres-server.js'
import { startRedis } from './redis-server.js'
import { reap } from './server-process.js'

export type ToSupervisor =
  | { readonly kind: 'need'; readonly redis: boolean; readonly postgres: boolean }
  /** Stop now, if nobody else uses the servers. */
  | { readonly kind: 'stop' }

export type FromSupervisor =
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'ready'; readonly redisUrl: string | null; readonly databaseUrl: string | null; readonly pid: number }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'stopped'; readonly stopped: boolean }

const [stateDir = '', grace = '10000', searchPath = ''] = process.argv.slice(2)
const place = findPlace(stateDir)
const users = new Set<Socket>()
let cancelGrace: (() => void) | null = null
let ending = false
const log = (line: string): void => { for (const user of users) send(user, { kind: 'log', line }) }
const redis = new KeptServer(() => startRedis(place, searchPath, log), systemClock)
const postgres = new KeptServer(() => startPostgres(place, searchPath, log), systemClock)

const send = (socket: Socket, message: FromSupervisor): void => { if (socket.writable) socket.write(`${JSON.stringify(message)}\n`) }

async function serve(socket: Socket, message: ToSupervisor): Promise<void> {
  if (message.kind === 'stop') {
    const alone = users.size === 1
    if (alone) await stopServers()
    send(socket, { kind: 'stopped', stopped: alone })
    if (alone) end()
    return
  }
  try {
    const [one, two] = await Promise.all([message.redis ? redis.get() : null, message.postgres ? postgres.get() : null])
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
  process.exit(0)
}

function startGrace(): void {
  cancelGrace?.()
  if (users.size > 0) return
  cancelGrace = systemClock.after(Number(grace), () => { void stopServers().then(end) })
}

const listener = createServer((socket) => {
  socket.on('error', () => undefined)
  // Held until this process is gone: turned away at once, a user would come back again and again while the servers still end.
  if (ending) return
  cancelGrace?.()
  users.add(socket)
  socket.on('close', () => {
    users.delete(socket)
    startGrace()
  })
  createInterface({ input: socket }).on('error', () => undefined).on('line', (line) => { void serve(socket, JSON.parse(line) as ToSupervisor) })
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { void stopServers().then(end) })
process.on('SIGHUP', () => undefined)
await Promise.all([reap(place, 'redis', 'SIGTERM'), reap(place, 'postgres', 'SIGINT')])
// Bound before `listen` returns: nobody else may connect, whatever this user's umask says.
const umask = process.umask(0o077)
listener.listen(place.socket, startGrace)
process.umask(umask)
