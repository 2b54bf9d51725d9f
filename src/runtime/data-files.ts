/** Finds the file that a spec names, and refuses one outside the folders a caller may read. */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { notRegular } from '../base/regular-file.js'

/** `roots` null: anywhere, relative to the working directory. Else inside one of them, also through links; `mended` says how to get it there. */
export function findFile(file: string, roots: readonly string[] | null, what: string, mended = 'Put it into one of DATA_ROOTS.'): string {
  if (roots === null) return checked(resolve(file), file, what)
  for (const root of roots) {
    const path = isAbsolute(file) ? file : join(root, file)
    if (!existsSync(path)) continue
    const real = realpathSync(path)
    const inside = relative(realpathSync(root), real)
    if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) continue
    return checked(real, file, what)
  }
  // One answer for "not there" and "not allowed", so that a caller cannot probe the disk.
  throw new SweepmillError('FILE_FORBIDDEN', `${what} ${file} is in none of the folders that tasks may read. ${mended}`, { details: { file } })
}

function checked(path: string, file: string, what: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new SweepmillError('FILE_NOT_FOUND', `${what} ${file} does not exist. Check the path; it is sought from ${process.cwd()}.`, { details: { file } })
  if (!found.isFile()) throw notRegular(found, file, what)
  return path
}

/** True for a strategy that is named by a file: `./mine.ts`, `strategies/x.mjs`. */
export function isStrategyFile(name: string): boolean {
  return /[\\/]/.test(name) || /\.[cm]?[jt]s$/.test(name)
}
