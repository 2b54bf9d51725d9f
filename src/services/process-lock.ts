/**
 * A lock that a process holds until it lets go or is gone: a file with the mark of its holder, whole from its first moment
 * (linked, not written). A dead holder is known at once, so a killed process costs nobody a wait. A file that names
 * nobody (an earlier version's, a broken one) is nobody's lock.
 */
import { linkSync, mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { systemClock } from '../base/clock.js'
import { asMark, isRunning, markOf } from './process-mark.js'
import { asideOf, readJson, writeWhole } from './whole-file.js'

/** Clearing takes two calls; whoever takes longer was killed between them. */
const CLEARING_MS = 2000

/** False while another process that lives holds it, or somebody was faster. */
export function tryLock(path: string): boolean {
  const own = asideOf(`${path}.own`)
  writeWhole(own, JSON.stringify(markOf(process.pid)))
  try {
    if (isLinked(own, path)) return true
    if (isHeld(path)) return false
    clear(path)
    return isLinked(own, path)
  } finally {
    rmSync(own, { force: true })
  }
}

export function holdsLock(path: string): boolean {
  const holder = asMark(readJson(path))
  return holder?.pid === process.pid && isRunning(holder)
}

export function unlock(path: string): void {
  if (holdsLock(path)) rmSync(path, { force: true })
}

function isHeld(path: string): boolean {
  const holder = asMark(readJson(path))
  return holder !== null && isRunning(holder)
}

function isLinked(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false
    throw error
  }
}

/** One at a time, who looks again: else a second one would remove what the first one has locked meanwhile. */
function clear(path: string): void {
  const clearing = `${path}.clearing`
  try {
    mkdirSync(clearing)
  } catch {
    const since = statSync(clearing, { throwIfNoEntry: false })?.mtimeMs
    if (since !== undefined && systemClock.wallMs() - since > CLEARING_MS) rmdirSync(clearing)
    return
  }
  try {
    if (!isHeld(path)) rmSync(path, { force: true })
  } finally {
    rmdirSync(clearing)
  }
}
