/**
 * Where the data of the embedded services lie when STATE_DIR does not say: one place for a user, the platform's folder for
 * data, so that work begun in one folder is found from every other.
 *
 * Earlier versions made `.sweepmill` in the working folder. One that is there is still used, and named. A user without a home
 * (a container's bare number) has no folder for data: what is left is the working folder.
 */
import { isAbsolute, join, resolve } from 'node:path'

export interface StatePlaces {
  /** The folder in effect. */
  readonly path: string
  readonly why: 'user' | 'earlier' | 'homeless'
  /** Where they would be without the earlier folder; null for a user without a home. */
  readonly ofUser: string | null
}

export interface StateHost {
  readonly cwd: string
  /** Of this user; absent: none. */
  readonly home?: string | undefined
  readonly platform?: string | undefined
  folderKind(path: string): 'folder' | 'other' | 'missing'
  /** Whether a folder belongs to this user; absent: it does. */
  isOwn?(path: string): boolean
}

const EARLIER = '.sweepmill'
const NAME = 'sweepmill'

export function statePlaces(env: Readonly<Record<string, string | undefined>>, host: StateHost): StatePlaces {
  const earlier = resolve(host.cwd, EARLIER)
  const ofUser = dataFolder(env, host)
  // One that somebody else left in a shared folder is none of this user's.
  if (host.folderKind(earlier) === 'folder' && host.isOwn?.(earlier) !== false) return { path: earlier, why: 'earlier', ofUser }
  return ofUser === null ? { path: earlier, why: 'homeless', ofUser } : { path: ofUser, why: 'user', ofUser }
}

/** The XDG rule that a relative path is no path holds for all of them. */
function dataFolder(env: Readonly<Record<string, string | undefined>>, { home, platform }: StateHost): string | null {
  const named = platform === 'win32' ? env['LOCALAPPDATA'] : platform === 'darwin' ? undefined : env['XDG_DATA_HOME']
  if (named !== undefined && isAbsolute(named)) return join(named, NAME)
  const own = [env['HOME'], home].find((path) => path !== undefined && isAbsolute(path))
  if (own === undefined) return null
  if (platform === 'darwin') return join(own, 'Library', 'Application Support', NAME)
  return platform === 'win32' ? join(own, 'AppData', 'Local', NAME) : join(own, '.local', 'share', NAME)
}
