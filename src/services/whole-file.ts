/**
 * Small files that are there as a whole or not at all: written aside, then renamed. A start that is killed, or a full disk,
 * leaves the file as it was; what an earlier version left broken (empty, half written) reads as absent.
 */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `NAME.PID.new` of a process that is gone is nobody's. */
const ASIDE = /\.(\d+)\.new$/

export function asideOf(path: string): string {
  return `${path}.${process.pid}.new`
}

export function writeWhole(path: string, text: string, mode = 0o600): void {
  const aside = asideOf(path)
  try {
    rmSync(aside, { force: true })
    const file = openSync(aside, 'wx', mode)
    try {
      writeFileSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(aside, path)
  } catch (error) {
    rmSync(aside, { force: true })
    throw error
  }
}

/** Null where there is none, or nothing in it. */
export function readWhole(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}

/** Null where there is none, or it is no JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readWhole(path) ?? 'null') as unknown
  } catch {
    return null
  }
}

/** What killed processes left in `folder`; `isGone` knows by their number. */
export function removeLeftAside(folder: string, isGone: (pid: number) => boolean): void {
  for (const name of readdirSync(folder)) {
    const [, pid] = ASIDE.exec(name) ?? []
    if (pid !== undefined && isGone(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true })
  }
}
