/**
 * Redis and Postgres for whoever needs them: the URLs of the environment, else servers of our own.
 *
 * Each resolves alone. Our own servers belong to a supervisor process that all users of one state folder share;
 * a user holds a connection to it and nothing else, so a killed user leaves nothing behind, and a killed supervisor is replaced.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import path from 'node:path'
import { systemClock } from '../base/clock.js'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import { packageRoot } from '../base/package-root.js'
import { assertPrivateSocket, isOwnSocket } from './own-path.js'
import { findPlace, servicesFolder } from './place.js'
import type { Place } from './place.js'
import { Membership } from './membership.js'
import type { Joined } from './membership.js'
import { tryLock, unlock } from './process-lock.js'
import { markOf, startOf } from './process-mark.js'
import { supervisorEnvironment } from './server-environment.js'
import { SupervisorLink } from './supervisor-link.js'

export interface ServicesOptions {
  /** Folder of the embedded servers' data and binaries. */
  readonly stateDir: string
  readonly redisUrl?: string | null | undefined
  readonly databaseUrl?: string | null | undefined
  readonly log?: (line: string) => void
  /** Called when no supervisor runs, before one is started. */
  readonly starting?: () => void
  /** How long the servers outlive their last user, in milliseconds. */
  readonly graceMs?: number
  /** Where programs are sought; default: PATH. */
  readonly searchPath?: string
}

export interface Services {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly embedded: { readonly redis: boolean; readonly postgres: boolean }
  /** Lets go. The servers stop some seconds after their last user. */
  release(): Promise<void>
  /** Lets go; if nobody else uses the servers, they are gone when this resolves. */
  stop(): Promise<void>
}

const START_WITHIN_MS = 240_000
/** A supervisor that was just ending, or was killed, is followed by a new one; one that ends every time is broken. */
const SUPERVISOR_TRIES = 3
const SUPERVISOR_WITHIN_MS = 60_000

/** Throws SERVICE_MISSING and SERVICE_FAILED, each with what to do, and MACHINE_TROUBLE. */
export async function openServices(options: ServicesOptions): Promise<Services> {
  const { redisUrl, databaseUrl, log = () => undefined } = options
  const need = { redis: isAbsent(redisUrl), postgres: isAbsent(databaseUrl) }
  if (!need.redis && !need.postgres) {
    const nothing = (): Promise<void> => Promise.resolve()
    return { redisUrl: redisUrl ?? '', databaseUrl: databaseUrl ?? '', embedded: need, release: nothing, stop: nothing }
  }
  const first = !existsSync(servicesFolder(options.stateDir))
  const { folder } = findPlace(options.stateDir)
  if (first) log(`the data of the embedded services go to ${folder}; STATE_DIR names another place`)
  const joined = await join(options, need).catch((error: unknown) => { throw toSweepmillError(error, 'SERVICE_FAILED') })
  const membership = new Membership(joined, () => join({ ...options, starting: () => undefined }, need), systemClock, log)
  return {
    redisUrl: joined.redisUrl ?? redisUrl ?? '', databaseUrl: joined.databaseUrl ?? databaseUrl ?? '', embedded: need,
    release: () => membership.leave(),
    stop: () => stopIfLast(membership),
  }
}

/** Registers with the supervisor, which starts or goes on with the servers that are needed. */
async function join(options: ServicesOptions, need: Services['embedded']): Promise<Joined> {
  for (let tries = 1; ; tries += 1) {
    // Anew each time: what a cleaner removed is made again.
    const place = findPlace(options.stateDir)
    const link = new SupervisorLink(await connectSupervisor(place, options), options.log ?? (() => undefined))
    link.send({ kind: 'need', ...need, user: markOf(process.pid) })
    const ready = await link.next()
    if (ready?.kind === 'ready') return { link, redisUrl: ready.redisUrl, databaseUrl: ready.databaseUrl, pid: ready.pid }
    await link.close()
    if (ready?.kind === 'failed') throw SweepmillError.fromData(ready.error)
    if (ready !== null) throw new SweepmillError('INVARIANT', `The supervisor answered ${ready.kind}.`)
    if (tries === SUPERVISOR_TRIES) throw new SweepmillError('SERVICE_FAILED', `The supervisor of the embedded services ended ${tries} times; see ${logOf(place)}.`)
  }
}

/** Servers whose supervisor was killed are stopped by the next one: nobody else would. */
async function stopIfLast(membership: Membership): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const current = await membership.current()
    if (current === null) return membership.leave()
    const { link, pid } = current
    link.send({ kind: 'stop' })
    const answer = await link.next()
    if (answer === null && tries < SUPERVISOR_TRIES) continue
    await membership.leave()
    if (answer === null || (answer.kind === 'stopped' && answer.stopped)) await processGone(pid)
    return
  }
}

function isAbsent(url: string | null | undefined): boolean {
  return url === undefined || url === null || url === ''
}

async function connectSupervisor(place: Place, options: ServicesOptions): Promise<Socket> {
  const deadline = systemClock.monotonicMs() + START_WITHIN_MS
  const lock = path.join(place.folder, 'start.lock')
  while (systemClock.monotonicMs() < deadline) {
    const socket = await tryConnect(place.socket)
    if (socket !== null) return socket
    // One starter at a time: it starts the supervisor and waits until it answers. A second supervisor would end at once.
    if (tryLock(lock)) {
      try {
        const started = await tryConnect(place.socket) ?? await startedSupervisor(place, options)
        if (started !== null) return started
      } finally {
        unlock(lock)
      }
    }
    await systemClock.sleep(30)
  }
  throw new SweepmillError('SERVICE_FAILED', `The embedded services did not start within ${START_WITHIN_MS / 1000} s; see ${place.folder}.`)
}

/** Null where one runs already whose socket is not there (yet): it makes it again within a second or two. Null too for one that was killed. */
async function startedSupervisor(place: Place, options: ServicesOptions): Promise<Socket | null> {
  options.starting?.()
  const child = startSupervisor(place, options)
  const deadline = systemClock.monotonicMs() + SUPERVISOR_WITHIN_MS
  while (systemClock.monotonicMs() < deadline) {
    const started = await tryConnect(place.socket)
    if (started !== null) return started
    if (child.exitCode === 0 || child.signalCode !== null) return null
    if (child.exitCode !== null || child.pid === undefined) break
    await systemClock.sleep(25)
  }
  throw new SweepmillError('SERVICE_FAILED', `The supervisor of the embedded services did not start; see ${logOf(place)}.`)
}

/** Detached, in `/`, with its output in a file: no terminal, pipe or folder of ours is held by it. */
function startSupervisor(place: Place, options: ServicesOptions): ChildProcess {
  const log = openSync(logOf(place), 'a')
  const child = spawn(process.execPath, [
    path.join(packageRoot, 'dist', 'src', 'services', 'supervisor.js'), options.stateDir,
    String(options.graceMs ?? 10_000), options.searchPath ?? process.env['PATH'] ?? '',
  ], { cwd: '/', detached: true, stdio: ['ignore', log, log], env: supervisorEnvironment() })
  child.on('error', () => undefined)
  closeSync(log)
  child.unref()
  return child
}

function logOf(place: Place): string {
  return path.join(place.folder, 'supervisor.log')
}

/** Null where nobody answers. CONFIG_INVALID where somebody else might: whoever listens there hands us our servers. */
async function tryConnect(socketPath: string): Promise<Socket | null> {
  if (!isOwnSocket(socketPath)) return null
  const socket = await new Promise<Socket | null>((resolve) => {
    const connecting = connect(socketPath)
    connecting.once('connect', () => resolve(connecting))
    connecting.once('error', () => resolve(null))
  })
  try {
    if (socket !== null) assertPrivateSocket(socketPath)
    return socket
  } catch (error) {
    socket?.destroy()
    throw error
  }
}

async function processGone(pid: number): Promise<void> {
  const started = startOf(pid)
  if (started === null) return
  for (; startOf(pid) === started;) await systemClock.sleep(20)
}

