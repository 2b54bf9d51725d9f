/**
 * The data folder of the embedded Postgres: made aside by initdb, marked as complete, and only then given its name, so that a start
 * that was killed leaves nothing that looks like one. What an earlier version, killed during initdb, left under that name
 * is made anew, as long as it holds no database of a user; one that does is never touched.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { runProgram } from './binary.js'
import { giveFile, ownFolder } from './place.js'
import type { Place } from './place.js'
import { serverEnvironment } from './server-environment.js'

const COMPLETE = 'sweepmill-complete'
/** Databases of users have numbers from here; those of initdb lie below. */
const FIRST_OF_USERS = 16_384
const ASIDE = 'aside-'

export interface DataWanted {
  /** Folder of initdb and postgres. */
  readonly programs: string
  readonly major: number
  readonly user: string
  readonly secret: string
}

/** The path of a complete one. Throws SERVICE_FAILED where it cannot be made, or was damaged. */
export async function postgresData(place: Place, wanted: DataWanted, log: (line: string) => void): Promise<string> {
  const home = ownFolder(place, `postgres-${wanted.major}`)
  const data = join(home, 'data')
  // Of starts that were killed; nobody else starts one now.
  for (const name of readdirSync(home).filter((one) => one.startsWith(ASIDE))) await removeAsOwner(place, join(home, name))
  rmSync(join(home, 'password'), { force: true })
  if (isComplete(data)) return data
  if (holdsUsersData(data)) {
    throw new SweepmillError('SERVICE_FAILED', `The Postgres data folder ${data} is damaged: it holds a database, and no PG_VERSION. Restore it from a backup, or set STATE_DIR to another place.`, { details: { path: data } })
  }
  if (existsSync(data)) log('the Postgres data folder was never finished and holds no data of anybody; it is made anew')
  log('creating the Postgres data folder')
  const aside = join(home, `${ASIDE}${process.pid}`)
  try {
    await initialise(place, home, aside, wanted)
    // A rename follows no link that its owner could have put there.
    if (existsSync(data)) renameSync(data, `${aside}-old`)
    renameSync(aside, data)
  } catch (error) {
    // On a full disk it would keep the room that the next try needs.
    await removeAsOwner(place, aside)
    throw error
  }
  await removeAsOwner(place, `${aside}-old`)
  return data
}

async function initialise(place: Place, home: string, aside: string, { programs, user, secret }: DataWanted): Promise<void> {
  const passwordFile = join(home, 'password')
  try {
    giveFile(place, passwordFile, secret)
    const made = await asOwner(place, join(programs, 'initdb'), ['-D', aside, '-U', user, '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--pwfile=${passwordFile}`])
    const marked = made.ok ? await asOwner(place, 'touch', [join(aside, COMPLETE)]) : made
    if (!marked.ok) throw new SweepmillError('SERVICE_FAILED', `initdb failed: ${reasonIn(marked.output)}`)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** Its last lines say what it removes; why stands before them. */
function reasonIn(output: string): string {
  const lines = output.trim().split('\n')
  const reasons = lines.filter((line) => /FATAL|PANIC|ERROR|error:|No space|cannot|could not/.test(line))
  return (reasons.length > 0 ? reasons.slice(0, 3) : lines.slice(-3)).map((line) => line.trim()).join(' | ')
}

function isComplete(data: string): boolean {
  return existsSync(join(data, 'PG_VERSION')) && (existsSync(join(data, COMPLETE)) || holdsUsersData(data))
}

/** Earlier versions left no mark. A database of ours, or a user's own, was made only once a server ran on the finished folder. */
function holdsUsersData(data: string): boolean {
  const base = join(data, 'base')
  return existsSync(base) && readdirSync(base).some((name) => Number(name) >= FIRST_OF_USERS)
}

/** As their owner: what root removes by name could have become a link meanwhile. */
async function removeAsOwner(place: Place, path: string): Promise<void> {
  await asOwner(place, 'rm', ['-rf', path])
}

function asOwner(place: Place, program: string, args: readonly string[]): ReturnType<typeof runProgram> {
  return runProgram(program, args, { cwd: '/', env: serverEnvironment(), ...place.owner })
}
