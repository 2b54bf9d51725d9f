/**
 * A server as a process: started with its output in a log file, found ready by a probe, stopped within a bound. Its mark is noted in
 * a run file, so that whoever comes after a killed supervisor can go on with it where it answers, and end it where it does not.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '../base/clock.js'
import { machineTrouble, SweepmillError } from '../base/errors.js'
import { giveTo } from './place.js'
import type { Place } from './place.js'
import { asMark, isRunning, markOf, signal } from './process-mark.js'
import type { ProcessMark } from './process-mark.js'
import { serverEnvironment } from './server-environment.js'
import { serverAmong, straysOf } from './stray-servers.js'
import type { ServerName } from './stray-servers.js'
import { readJson, readWhole, writeWhole } from './whole-file.js'

export { startOf } from './process-mark.js'

const READY_WITHIN_MS = 60_000
/** One that does not answer for so long helps nobody who uses it. */
const ADOPT_WITHIN_MS = 10_000
const STOP_WITHIN_MS = 20_000
/** It has not answered for a while already. */
const HUNG_STOP_WITHIN_MS = 2000
const LOOK_EVERY_MS = 250

export interface ServerCommand {
  /** Also the name of its log and run files. */
  readonly name: ServerName
  readonly file: string
  readonly args: readonly string[]
  /** Beside the little that every server gets. */
  readonly env?: Readonly<Record<string, string>>
  /** Asks for an orderly, quick end. */
  readonly stopSignal: NodeJS.Signals
  /** Resolves when the server answers. */
  readonly probe: () => Promise<void>
}

export interface RunningServer {
  readonly exited: Promise<void>
  /** Writes the run file again where somebody removed it. */
  note(): void
  stop(): Promise<void>
}

/** Throws SERVICE_FAILED with the end of the server's log, or MACHINE_TROUBLE; then nothing of it runs any more. */
export async function startServer(place: Place, command: ServerCommand): Promise<RunningServer> {
  const logFile = join(place.folder, `${command.name}.log`)
  const log = openSync(logFile, 'a')
  giveTo(place, logFile)
  const child = spawn(command.file, command.args, {
    cwd: '/', stdio: ['ignore', log, log], env: { ...serverEnvironment(), ...command.env },
    ...(place.owner === null ? {} : { uid: place.owner.uid, gid: place.owner.gid }),
  })
  closeSync(log)
  let gone = false
  let lastError: unknown = null
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      lastError = error
      resolve()
    })
  })
  void exited.then(() => { gone = true })
  const mark = child.pid === undefined ? null : markOf(child.pid)
  try {
    noteRun(place, command.name, mark)
    await ready(command, () => gone, (error) => { lastError = error })
  } catch (error) {
    await endChild(child, exited)
    rmSync(runFile(place, command.name), { force: true })
    throw machineTrouble(error) ?? machineTrouble(lastError)
      ?? new SweepmillError('SERVICE_FAILED', `${command.name} did not start: ${tail(logFile)}`, { cause: lastError ?? error, details: { log: logFile } })
  }
  return {
    exited,
    note: () => { if (!gone) noteRun(place, command.name, mark) },
    stop: async () => {
      if (!gone) {
        child.kill(command.stopSignal)
        const done = new AbortController()
        await Promise.race([exited, systemClock.sleep(STOP_WITHIN_MS, done.signal)])
        done.abort()
        await endChild(child, exited)
      }
      rmSync(runFile(place, command.name), { force: true })
    },
  }
}

async function ready({ probe }: ServerCommand, isGone: () => boolean, failed: (error: unknown) => void): Promise<void> {
  const deadline = systemClock.monotonicMs() + READY_WITHIN_MS
  for (;;) {
    if (isGone() || systemClock.monotonicMs() > deadline) throw new Error('it is not ready')
    try {
      await probe()
      return
    } catch (error) {
      failed(error)
      await systemClock.sleep(30)
    }
  }
}

async function endChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGKILL')
  await exited
}

export interface AdoptedCommand extends Pick<ServerCommand, 'name' | 'stopSignal'> {
  readonly probe: (pid: number) => Promise<void>
}

/**
 * What a supervisor that was killed left running, where it answers: its users go on with it. `probe` resolves when it is the very
 * process that answers. Null when there is none, or one that did not answer and was ended.
 */
export async function adoptServer(place: Place, { name, stopSignal, probe }: AdoptedCommand): Promise<RunningServer | null> {
  const noted = asMark(readJson(runFile(place, name)))
  const mark = noted !== null && isRunning(noted) ? noted : serverAmong(straysOf(place, name))
  if (mark !== null) {
    if (await answers(mark, probe)) return adopted(place, name, mark, stopSignal)
    await endProcess(mark, stopSignal, HUNG_STOP_WITHIN_MS)
  }
  await endStrays(place, name, stopSignal)
  rmSync(runFile(place, name), { force: true })
  return null
}

async function answers(mark: ProcessMark, probe: (pid: number) => Promise<void>): Promise<boolean> {
  const late = new AbortController()
  const asked = (async () => {
    while (isRunning(mark) && !late.signal.aborted) {
      try {
        await probe(mark.pid)
        return true
      } catch {
        // It may be starting, or be busy.
        await systemClock.sleep(100, late.signal)
      }
    }
    return false
  })()
  const answered = await Promise.race([asked, systemClock.sleep(ADOPT_WITHIN_MS, late.signal).then(() => false)])
  late.abort()
  return answered
}

function adopted(place: Place, name: ServerName, mark: ProcessMark, stopSignal: NodeJS.Signals): RunningServer {
  const exited = new Promise<void>((resolve) => {
    const stopLooking = systemClock.every(LOOK_EVERY_MS, () => {
      if (isRunning(mark)) return
      stopLooking()
      resolve()
    })
  })
  noteRun(place, name, mark)
  return {
    exited,
    note: () => { if (isRunning(mark)) noteRun(place, name, mark) },
    stop: async () => {
      await endProcess(mark, stopSignal)
      rmSync(runFile(place, name), { force: true })
    },
  }
}

async function endProcess(mark: ProcessMark, stopSignal: NodeJS.Signals, withinMs = STOP_WITHIN_MS): Promise<void> {
  signal(mark, stopSignal)
  const deadline = systemClock.monotonicMs() + withinMs
  while (isRunning(mark) && systemClock.monotonicMs() < deadline) await systemClock.sleep(20)
  if (isRunning(mark)) signal(mark, 'SIGKILL')
  while (isRunning(mark)) await systemClock.sleep(20)
}

/** Until a look finds none: a postmaster that was killed leaves sessions behind, initdb its own children. */
async function endStrays(place: Place, name: ServerName, stopSignal: NodeJS.Signals): Promise<void> {
  for (let strays = straysOf(place, name); strays.length > 0; strays = straysOf(place, name)) {
    await Promise.all(strays.map((stray) => endProcess(stray, stopSignal)))
  }
}

/** The port that this server had before, as long as nobody else took it: its clients then find it again. */
export async function ownPort(place: Place, name: ServerName): Promise<number> {
  const port = await freePort(notedPort(place, name)).catch(() => freePort(0))
  writeWhole(portFile(place, name), String(port), 0o644)
  return port
}

/** 0 where none is noted. */
export function notedPort(place: Place, name: ServerName): number {
  const port = Number(readWhole(portFile(place, name)) ?? 0)
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
}

/** `wanted`, or with 0 any free port of the loopback interface. Rejects when it is taken. */
async function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Throws what the disk says: a server that nobody could find again must not run. */
function noteRun(place: Place, name: ServerName, mark: ProcessMark | null): void {
  const file = runFile(place, name)
  if (mark === null || asMark(readJson(file))?.pid === mark.pid) return
  const { pid, started, boot } = mark
  writeWhole(file, JSON.stringify({ pid, started, boot }), 0o644)
}

function runFile(place: Place, name: ServerName): string {
  return join(place.folder, `${name}.run`)
}

function portFile(place: Place, name: ServerName): string {
  return join(place.folder, `${name}.port`)
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-5).join(' | ') : 'it left no log'
}
