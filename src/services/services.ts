/**
 * Redis and Postgres for whoever needs them: the URLs of the environment, else servers of our own.
 *
 * Each resolves alone. Our own servers belong to a supervisor process that all users of one state folder share;
 * a user holds a connection to it and nothing else, so a killed user leaves nothing behind.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { packageRoot } from '../base/package-root.js'
import { assertPrivateSocket, isOwnSocket } from './own-path.js'
import { findPlace, servicesFolder } from './place.js'
import type { Place } from './place.js'
import { supervisorEnvironment } from './server-environment.js'
import { startOf } from './server-process.js'
import type { FromSupervisor, ToSupervisor } from './supervisor.js'

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
/** A starter that takes longer to bring the supervisor up was killed. */
const LOCK_STALE_MS = 20_000

/** Throws SERVICE_MISSING and SERVICE_FAILED, each with what to do. */
export async function openServices(options: ServicesOptions): Promise<Services> {
  const { redisUrl, databaseUrl } = options
  const need = { redis: isAbsent(redisUrl), postgres: isAbsent(databaseUrl) }
  if (!need.redis && !need.postgres) {
    const nothing = (): Promise<void> => Promise.resolve()
    return { redisUrl: redisUrl ?? '', databaseUrl: databaseUrl ?? '', embedded: need, release: nothing, stop: nothing }
  }
  const first = !existsSync(servicesFolder(options.stateDir))
  const place = findPlace(options.stateDir)
  if (first) options.log?.(`the data of the embedded services go to ${place.folder}; STATE_DIR names another place`)
  for (let tries = 1; ; tries += 1) {
    const link = new SupervisorLink(await connectSupervisor(place, options), options.log ?? (() => undefined))
    link.send({ kind: 'need', ...need })
    const ready = await link.next()
    if (ready?.kind === 'ready') {
      return {
        redisUrl: ready.redisUrl ?? redisUrl ?? '', databaseUrl: ready.databaseUrl ?? databaseUrl ?? '', embedded: need,
        release: () => link.close(),
        stop: () => stopIfLast(link, ready.pid),
      }
    }
    await link.close()
    if (ready?.kind === 'failed') throw SweepmillError.fromData(ready.error)
    if (ready !== null) throw new SweepmillError('INVARIANT', `The supervisor answered ${ready.kind}.`)
    if (tries === SUPERVISOR_TRIES) throw new SweepmillError('SERVICE_FAILED', `The supervisor of the embedded services ended ${tries} times; see ${join(place.folder, 'supervisor.log')}.`)
  }
}

async function stopIfLast(link: SupervisorLink, pid: number): Promise<void> {
  if (link.ended) return
  link.send({ kind: 'stop' })
  const answer = await link.next()
  await link.close()
  if (answer === null || (answer.kind === 'stopped' && answer.stopped)) await processGone(pid)
}

function isAbsent(url: string | null | undefined): boolean {
  return url === undefined || url === null || url === ''
}

async function connectSupervisor(place: Place, options: ServicesOptions): Promise<Socket> {
  const deadline = systemClock.monotonicMs() + START_WITHIN_MS
  while (systemClock.monotonicMs() < deadline) {
    const socket = await tryConnect(place.socket)
    if (socket !== null) return socket
    // One starter at a time: it clears a dead socket away, starts the supervisor and waits until it answers.
    const lock = join(place.folder, 'start.lock')
    if (takeLock(lock)) {
      try {
        const late = await tryConnect(place.socket)
        if (late !== null) return late
        rmSync(place.socket, { force: true })
        options.starting?.()
        startSupervisor(place, options)
        for (let i = 0; i < 600; i += 1) {
          const started = await tryConnect(place.socket)
          if (started !== null) return started
          await systemClock.sleep(25)
        }
        throw new SweepmillError('SERVICE_FAILED', `The supervisor of the embedded services did not start; see ${join(place.folder, 'supervisor.log')}.`)
      } finally {
        rmSync(lock, { force: true })
      }
    }
    await systemClock.sleep(30)
  }
  throw new SweepmillError('SERVICE_FAILED', `The embedded services did not start within ${START_WITHIN_MS / 1000} s; see ${place.folder}.`)
}

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'))
    return true
  } catch {
    const found = statSync(lock, { throwIfNoEntry: false })
    if (found !== undefined && systemClock.wallMs() - found.mtimeMs > LOCK_STALE_MS) rmSync(lock, { force: true })
    return false
  }
}

/** Detached, in `/`, with its output in a file: no terminal, pipe or folder of ours is held by it. */
function startSupervisor(place: Place, options: ServicesOptions): void {
  mkdirSync(place.folder, { recursive: true })
  const log = openSync(join(place.folder, 'supervisor.log'), 'a')
  const child = spawn(process.execPath, [
    join(packageRoot, 'dist', 'src', 'services', 'supervisor.js'), options.stateDir,
    String(options.graceMs ?? 10_000), options.searchPath ?? process.env['PATH'] ?? '',
  ], { cwd: '/', detached: true, stdio: ['ignore', log, log], env: supervisorEnvironment() })
  closeSync(log)
  child.unref()
}

/** Null where nobody answers. CONFIG_INVALID where somebody else might: whoever listens there hands us our servers. */
async function tryConnect(path: string): Promise<Socket | null> {
  if (!isOwnSocket(path)) return null
  const socket = await new Promise<Socket | null>((resolve) => {
    const connecting = connect(path)
    connecting.once('connect', () => resolve(connecting))
    connecting.once('error', () => resolve(null))
  })
  try {
    if (socket !== null) assertPrivateSocket(path)
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

type Reply = Exclude<FromSupervisor, { kind: 'log' }>

/**
 * The connection to the supervisor: its answers in order, null once it is gone; log lines go to the caller's log.
 * It keeps the process alive only while an answer is awaited, so that a user who merely holds it can end.
 */
class SupervisorLink {
  readonly #socket: Socket
  readonly #waiting: ((reply: Reply | null) => void)[] = []
  readonly #arrived: Reply[] = []
  readonly #closed: Promise<void>
  #ended = false

  constructor(socket: Socket, log: (line: string) => void) {
    this.#socket = socket
    // readline passes its input's errors on; the socket's own 'close' follows each of them.
    createInterface({ input: socket }).on('error', () => undefined).on('line', (line) => {
      const message = JSON.parse(line) as FromSupervisor
      if (message.kind === 'log') log(message.line)
      else this.#arrive(message)
    })
    socket.on('error', () => undefined)
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true
        for (const resolveWaiting of this.#waiting.splice(0)) resolveWaiting(null)
        resolve()
      })
    })
    socket.unref()
  }

  get ended(): boolean {
    return this.#ended
  }

  send(message: ToSupervisor): void {
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  next(): Promise<Reply | null> {
    const first = this.#arrived.shift()
    if (first !== undefined) return Promise.resolve(first)
    if (this.#ended) return Promise.resolve(null)
    this.#socket.ref()
    return new Promise((resolve) => { this.#waiting.push(resolve) })
  }

  close(): Promise<void> {
    this.#socket.destroy()
    return this.#closed
  }

  #arrive(message: Reply): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#arrived.push(message)
    else waiting(message)
    if (this.#waiting.length === 0) this.#socket.unref()
  }
}
