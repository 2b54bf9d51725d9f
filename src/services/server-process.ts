/**
 * A server as a child process: started with its output in a log file, found ready by a probe, stopped within a bound.
 * Its pid and start time are noted in a run file, so that whoever comes after a killed supervisor can end it.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { giveTo } from './place.js'
import type { Place } from './place.js'
import { serverEnvironment } from './server-environment.js'

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 20_000

export interface ServerCommand {
  /** Also the name of its log and run files. */
  readonly name: string
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
  stop(): Promise<void>
}

/** Throws SERVICE_FAILED with the end of the server's log. */
export async function startServer(place: Place, command: ServerCommand): Promise<RunningServer> {
  const logFile = join(place.folder, `${command.name}.log`)
  const log = openSync(logFile, 'a')
  giveTo(place, logFile)
  const child = spawn(command.file, command.args, {
    cwd: '/', stdio: ['ignore', log, log], env: { ...serverEnvironment(), ...command.env },
    ...(place.owner === null ? {} : { uid: place.owner.uid, gid: place.owner.gid }),
  })
  closeSync(log)
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  let gone = false
  void exited.then(() => { gone = true })
  noteRun(place, command, child)
  const deadline = systemClock.monotonicMs() + READY_WITHIN_MS
  for (let lastError: unknown = null; ;) {
    if (gone || systemClock.monotonicMs() > deadline) {
      child.kill('SIGKILL')
      throw new SweepmillError('SERVICE_FAILED', `${command.name} did not start: ${tail(logFile)}`, { cause: lastError, details: { log: logFile } })
    }
    try {
      await command.probe()
      break
    } catch (error) {
      lastError = error
      await systemClock.sleep(30)
    }
  }
  return {
    exited,
    stop: async () => {
      if (!gone) {
        child.kill(command.stopSignal)
        const done = new AbortController()
        await Promise.race([exited, systemClock.sleep(STOP_WITHIN_MS, done.signal)])
        done.abort()
        if (!gone) child.kill('SIGKILL')
        await exited
      }
      rmSync(runFile(place, command.name), { force: true })
    },
  }
}

/** Ends what a supervisor that was killed left running. */
export async function reap(place: Place, name: string, signal: NodeJS.Signals): Promise<void> {
  const file = runFile(place, name)
  if (!existsSync(file)) return
  const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; started: string | null }
  const alive = (): boolean => started !== null && startOf(pid) === started
  if (alive()) {
    process.kill(pid, signal)
    const deadline = systemClock.monotonicMs() + STOP_WITHIN_MS
    while (alive() && systemClock.monotonicMs() < deadline) await systemClock.sleep(20)
    if (alive()) process.kill(pid, 'SIGKILL')
    while (alive()) await systemClock.sleep(20)
  }
  rmSync(file, { force: true })
}

/** The port that this server had before, as long as nobody else took it: its clients then find it again. */
export async function ownPort(place: Place, name: string): Promise<number> {
  const file = join(place.folder, `${name}.port`)
  const before = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  const port = await freePort(before).catch(() => freePort(0))
  writeFileSync(file, String(port))
  return port
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

function noteRun(place: Place, command: ServerCommand, child: ChildProcess): void {
  if (child.pid !== undefined) writeFileSync(runFile(place, command.name), JSON.stringify({ pid: child.pid, started: startOf(child.pid) }))
}

function runFile(place: Place, name: string): string {
  return join(place.folder, `${name}.run`)
}

/** When the process started, as the system counts it: a pid alone may have been given to somebody else. Null: no such process, or it is a zombie. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : fields[19] ?? null
  } catch {
    return null
  }
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-5).join(' | ') : 'it left no log'
}
