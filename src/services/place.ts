/**
 * Where the embedded services live: a folder, and the user they run as.
 *
 * Postgres refuses to run as root, so as root both servers run as `postgres` or `nobody`, and their folder must be
 * one that this user can enter. Where STATE_DIR lies below a closed folder (root's home, say) a folder under
 * /var/tmp named by a hash of STATE_DIR takes its place. Whatever lies where everybody may write must be this user's own.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync, chownSync, closeSync, existsSync, fchownSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { machineTrouble, SweepmillError } from '../base/errors.js'
import { assertPrivate, assertUnshared, ownPrivateFolder } from './own-path.js'
import { asideOf } from './whole-file.js'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface Place {
  /** Holds binaries, data, logs and the run file. */
  readonly folder: string
  /** The supervisor's socket: short, because a socket path has at most 107 bytes. */
  readonly socket: string
  /** Null: the services run as this very user. */
  readonly owner: Owner | null
}

/** Throws CONFIG_INVALID when the folder cannot be made, or could be somebody else's. */
export function findPlace(stateDir: string): Place {
  const wanted = resolve(stateDir)
  const owner = process.getuid?.() === 0 ? serviceUser() : null
  let folder: string
  try {
    assertUnshared(wanted)
    // Who may enter it is known once it is there.
    makeFolders(wanted)
    if (!statSync(wanted).isDirectory()) throw new Error('it is a file')
    folder = servicesFolder(wanted)
    makeFolders(folder)
  } catch (error) {
    if (error instanceof SweepmillError) throw error
    throw machineTrouble(error) ?? new SweepmillError('CONFIG_INVALID',
      `The data of the embedded services go to STATE_DIR, ${wanted}, which cannot be created: ${error instanceof Error ? error.message : String(error)}. `
      + 'Set STATE_DIR to a folder that this user may write, or REDIS_URL and DATABASE_URL to servers of your own.', { details: { variable: 'STATE_DIR', value: wanted }, cause: error })
  }
  for (const path of [realpathSync(wanted), folder]) assertUnshared(path)
  const name = nameOf(wanted)
  if (owner !== null) chmodSync(folder, 0o755)
  const sockets = ownPrivateFolder(join('/tmp', `sweepmill-${process.getuid?.() ?? 0}`))
  return { folder, socket: join(sockets, `${name}.sock`), owner }
}

/** Where the servers' data lie or would lie; nothing is made. */
export function servicesFolder(stateDir: string): string {
  const wanted = resolve(stateDir)
  return process.getuid?.() !== 0 || canEnter(wanted) ? join(wanted, 'services') : join('/var/tmp', `sweepmill-${nameOf(wanted)}`)
}

function nameOf(folder: string): string {
  return createHash('sha256').update(realPathOf(folder)).digest('hex').slice(0, 12)
}

/** Of a folder that is not there yet as well. */
function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realPathOf(dirname(path)), basename(path))
}

/** One by one: mkdir's own `recursive` never returns where a parent takes no folders, as /proc does not (Node 20). */
function makeFolders(path: string): void {
  if (existsSync(path)) return
  makeFolders(dirname(path))
  mkdirSync(path, { mode: 0o755 })
}

/** A folder of the service user's own, and nobody else's. CONFIG_INVALID. */
export function ownFolder(place: Place, name: string): string {
  const folder = join(place.folder, name)
  if (!existsSync(folder)) makeOwnFolder(place, folder)
  const found = lstatSync(folder)
  // An earlier version, killed between two calls, has made it and not given it away.
  if (place.owner !== null && found.isDirectory() && found.uid === process.getuid?.() && readdirSync(folder).length === 0) {
    giveTo(place, folder)
    return folder
  }
  if (!found.isDirectory()) throw new SweepmillError('CONFIG_INVALID', `${folder} is not a folder: remove it, or set STATE_DIR to another place.`, { details: { path: folder } })
  assertPrivate(folder, found, place.owner?.uid ?? process.getuid?.() ?? found.uid)
  return folder
}

/** Aside first: once it has its name, it has its owner. */
function makeOwnFolder(place: Place, folder: string): void {
  const aside = asideOf(folder)
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside, { mode: 0o700 })
  giveTo(place, aside)
  renameSync(aside, folder)
}

export function giveTo(place: Place, path: string): void {
  if (place.owner !== null) chownSync(path, place.owner.uid, place.owner.gid)
}

/**
 * A file for the service user alone, in a folder of its own: made anew and never through a link, which that user could have
 * put there to have root write elsewhere.
 */
export function giveFile(place: Place, path: string, text: string): void {
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    if (place.owner !== null) fchownSync(file, place.owner.uid, place.owner.gid)
  } finally {
    closeSync(file)
  }
}

/** True when every folder from `path` up lets other users in; those that are not there yet will. */
export function canEnter(path: string): boolean {
  for (let folder = realPathOf(path); ; folder = dirname(folder)) {
    if ((modeOf(folder) & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

/** As a folder is made, where there is none yet. */
function modeOf(folder: string): number {
  try {
    return statSync(folder).mode
  } catch {
    return 0o755
  }
}

function serviceUser(): Owner {
  const users = new Map(readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => {
    const [name = '', , uid, gid] = line.split(':')
    return [name, { uid: Number(uid), gid: Number(gid) }] as const
  }))
  return users.get('postgres') ?? users.get('nobody') ?? { uid: 65_534, gid: 65_534 }
}
