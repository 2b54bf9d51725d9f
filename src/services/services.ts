/**
 * Redis and Postgres for whoever needs them: the URLs of the environment, else servers of our own.
 *
 * Each resolves alone. Our own servers belong to a supervisor process that all users of one state folder share;
 * a user holds a connection to it and nothing else, so a killed user leaves nothing behind.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { packageRoot } from '../base/package-root.js'
import { findPlace } from './place.js'
import type { Place } from './place.js'
import { startOf } from './server-process.js'
import type { FromSupervisor, ToSupervisor } from './supervisor.js'

export interface ServicesOptions {
  /** Folder of the embedded servers' data and binaries. */
  readonly stateDir: string
  readonly redisUrl?: string | null | undefined
  readonly databaseUrl?: string | null | undefined
  readonly log?: (line: string) => void
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
  const place = findPlace(options.stateDir)
  const socket = await connectSupervisor(place, options)
  const replies = new Replies(socket, options.log ?? (() => undefined))
  try {
    send(socket, { kind: 'need', ...need })
    const ready = await replies.next()
    if (ready.kind === 'failed') throw SweepmillError.fromData(ready.error)
    if (ready.kind !== 'ready') throw new SweepmillError('INVARIANT', `The supervisor answered ${ready.kind}.`)
    return {
      redisUrl: ready.redisUrl ?? redisUrl ?? '', databaseUrl: ready.databaseUrl ?? databaseUrl ?? '', embedded: need,
      release: () => closed(socket),
      stop: async () => {
        send(socket, { kind: 'stop' })
        const answer = await replies.next().catch(() => null)
        await closed(socket)
        if (answer === null || (answer.kind === 'stopped' && answer.stopped)) await processGone(ready.pid)
      },
    }
  } catch (error) {
    await closed(socket)
    throw error
  }
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
  ], { cwd: '/', detached: true, stdio: ['ignore', log, log], env: { ...process.env, NODE_OPTIONS: '' } })
  closeSync(log)
  child.unref()
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(null))
  })
}

function send(socket: Socket, message: ToSupervisor): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) { resolve(); return }
    socket.once('close', () => resolve())
    socket.destroy()
  })
}

async function processGone(pid: number): Promise<void> {
  const started = startOf(pid)
  if (started === null) return
  for (; startOf(pid) === started;) await systemClock.sleep(20)
}

type Reply = Exclude<FromSupervisor, { kind: 'log' }>

/** The supervisor's answers, in order; its log lines go to the caller's log. */
class Replies {
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = []
  readonly #arrived: Reply[] = []
  #ended = false

  constructor(socket: Socket, log: (line: string) => void) {
    socket.on('error', () => undefined)
    // A user that only holds the connection must be able to end: the socket alone does not keep it alive.
    socket.unref()
    createInterface({ input: socket }).on('line', (line) => {
      const message = JSON.parse(line) as FromSupervisor
      if (message.kind === 'log') { log(message.line); return }
      const next = this.#waiting.shift()
      if (next === undefined) this.#arrived.push(message)
      else next.resolve(message)
    }).on('close', () => {
      this.#ended = true
      for (const { reject } of this.#waiting.splice(0)) reject(new SweepmillError('SERVICE_FAILED', 'The supervisor of the embedded services ended.'))
    })
    this.#keepAlive = () => { if (this.#waiting.length > 0) socket.ref(); else socket.unref() }
  }

  readonly #keepAlive: () => void

  next(): Promise<Reply> {
    const first = this.#arrived.shift()
    if (first !== undefined) return Promise.resolve(first)
    if (this.#ended) return Promise.reject(new SweepmillError('SERVICE_FAILED', 'The supervisor of the embedded services ended.'))
    const reply = new Promise<Reply>((resolve, reject) => { this.#waiting.push({ resolve, reject }) })
    this.#keepAlive()
    void reply.finally(this.#keepAlive).catch(() => undefined)
    return reply
  }
}
