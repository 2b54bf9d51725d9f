/**
 * Where the embedded services live: a folder, and the user they run as.
 *
 * Postgres refuses to run as root, so as root both servers run as `postgres` or `nobody`, and their folder must be
 * one that this user can enter. Where STATE_DIR lies below a closed folder (root's home, say) a folder under
 * /var/tmp named by a hash of STATE_DIR takes its place.
 */
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SweepmillError } from '../base/errors.js'

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

/** Throws CONFIG_INVALID when the folder cannot be made. */
export function findPlace(stateDir: string): Place {
  const wanted = resolve(stateDir)
  try {
    makeFolders(wanted)
  } catch (error) {
    throw new SweepmillError('CONFIG_INVALID', `STATE_DIR is "${stateDir}", which cannot be created: ${error instanceof Error ? error.message : String(error)}. Name a folder that you may write.`, { cause: error })
  }
  const name = createHash('sha256').update(realpathSync(wanted)).digest('hex').slice(0, 12)
  const owner = process.getuid?.() === 0 ? serviceUser() : null
  const folder = owner === null || canEnter(wanted) ? join(wanted, 'services') : join('/var/tmp', `sweepmill-${name}`)
  mkdirSync(folder, { recursive: true })
  if (owner !== null) chmodSync(folder, 0o755)
  const sockets = join('/tmp', `sweepmill-${process.getuid?.() ?? 0}`)
  mkdirSync(sockets, { recursive: true, mode: 0o700 })
  return { folder, socket: join(sockets, `${name}.sock`), owner }
}

/** One by one: mkdir's own `recursive` never returns where a parent takes no folders, as /proc does not (Node 20). */
function makeFolders(path: string): void {
  if (existsSync(path)) return
  makeFolders(dirname(path))
  mkdirSync(path)
}

/** A folder of the service user's own. */
export function ownFolder(place: Place, name: string): string {
  const folder = join(place.folder, name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (place.owner !== null) chownSync(folder, place.owner.uid, place.owner.gid)
  return folder
}

export function giveTo(place: Place, path: string): void {
  if (place.owner !== null) chownSync(path, place.owner.uid, place.owner.gid)
}

/** True when every folder from `path` up lets other users in. */
export function canEnter(path: string): boolean {
  for (let folder = realpathSync(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

function serviceUser(): Owner {
  const users = new Map(readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => {
    const [name = '', , uid, gid] = line.split(':')
    return [name, { uid: Number(uid), gid: Number(gid) }] as const
  }))
  return users.get('postgres') ?? users.get('nobody') ?? { uid: 65_534, gid: 65_534 }
}
