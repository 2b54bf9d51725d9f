/**
 * Places below a folder that every user may write (/tmp, /var/tmp), whose names anybody can guess. Another user may have
 * made one first, to answer as our supervisor or to change our data under us. What is not this user's own, or root's, or is
 * open to others, is refused and not mended: what lies in it may be theirs already.
 */
import { existsSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { packageRoot } from '../base/package-root.js'

/** Sticky, and others may write. */
const SHARED = 0o1002
const OTHERS_WRITE = 0o002
const OTHERS_ANY = 0o077

function me(): number {
  return process.getuid?.() ?? 0
}

/** A folder that only this user can look into, made where it is not there. CONFIG_INVALID. */
export function ownPrivateFolder(path: string): string {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
  const found = lstatSync(path)
  if (!found.isDirectory()) throw refusal(path, 'is not a folder')
  assertPrivate(path, found, me())
  return path
}

/** CONFIG_INVALID for a socket of another user, or what is none; false where there is nothing. */
export function isOwnSocket(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (!found.isSocket()) throw refusal(path, 'is not a socket')
  if (found.uid !== me()) throw refusal(path, `belongs to the user with the id ${found.uid}, not to ${me()}`)
  return true
}

/** Of one that somebody answers at. (A dead one, such as a killed supervisor leaves, is only cleared away.) CONFIG_INVALID. */
export function assertPrivateSocket(path: string): void {
  assertPrivate(path, lstatSync(path), me())
}

/** A folder for one user's data alone, whoever that user is. */
export function assertPrivate(path: string, found: Stats, uid: number): void {
  if (found.uid !== uid) throw refusal(path, `belongs to the user with the id ${found.uid}, not to ${uid}`)
  if ((found.mode & OTHERS_ANY) !== 0) throw refusal(path, `has the mode ${octal(found)}, which lets others in; it must be 0700`)
}

/**
 * Every folder from `path` up to the first one that all users share is this user's or root's, and others may not write into
 * it. `path` may be a link on the way, or not be there yet. The folders that this program's own files lie in are left
 * out: whoever may write there writes the program. CONFIG_INVALID.
 */
export function assertUnshared(path: string): void {
  const below: string[] = []
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = lstatSync(folder, { throwIfNoEntry: false })
    if (found !== undefined && (found.mode & SHARED) === SHARED && found.isDirectory()) break
    if (folder === dirname(folder)) return
    if (found !== undefined && !`${packageRoot}/`.startsWith(`${folder}/`)) below.push(folder)
  }
  for (const one of below) {
    const link = lstatSync(one)
    const found = statSync(one, { throwIfNoEntry: false }) ?? link
    for (const { uid } of [link, found]) {
      if (uid !== me() && uid !== 0) throw refusal(one, `belongs to the user with the id ${uid}, in a folder that everybody may write`)
    }
    if ((found.mode & OTHERS_WRITE) !== 0) throw refusal(one, `has the mode ${octal(found)}, which lets others write, in a folder that everybody may write`)
  }
}

function octal(found: Stats): string {
  return `0${(found.mode & 0o777).toString(8)}`
}

function refusal(path: string, why: string): SweepmillError {
  return new SweepmillError('CONFIG_INVALID',
    `${path} ${why}. The embedded services could be somebody else's there, so they are not used. Remove it or have it removed, set STATE_DIR to a folder of your own, `
    + 'or set REDIS_URL and DATABASE_URL to servers of your own.', { details: { path } })
}
