/**
 * Files that a command writes: checked before the work starts, written beside their place and renamed,
 * so that a reader never sees half of one and a failure leaves the old one.
 *
 * A path that exists and is no regular file (a pipe, /dev/stdout) is written to directly.
 */
import { constants } from 'node:fs'
import { access, open, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { newNonce } from '../base/ids.js'

/** USAGE, naming the flag. `inputs` are files that must not be overwritten. */
export async function assertWritable(outputs: Readonly<Record<string, string | undefined>>, inputs: readonly (string | undefined)[] = []): Promise<void> {
  const taken = new Map<string, string>(inputs.flatMap((path) => (path === undefined ? [] : [[resolve(path), 'the input']])))
  for (const [flag, path] of Object.entries(outputs)) {
    if (path === undefined) continue
    const full = resolve(path)
    const refuse = (why: string): SweepmillError =>
      new SweepmillError('USAGE', `${flag} ${path} cannot be written: ${why}.`, { details: { flag, path } })
    const other = taken.get(full)
    if (other !== undefined) throw refuse(`it is ${other} too`)
    taken.set(full, flag)
    const found = await stat(full).catch(() => undefined)
    if (found?.isDirectory() === true) throw refuse('it is a folder; name a file in it')
    const folder = await stat(dirname(full)).catch(() => undefined)
    if (folder?.isDirectory() !== true) throw refuse(`the folder ${dirname(full)} does not exist; make it first`)
    const target = found !== undefined && !found.isFile() ? full : dirname(full)
    await access(target, constants.W_OK).catch(() => { throw refuse(`this user may not write to ${target}`) })
  }
}

/** The last line of a command that wrote files: where its results are now. Empty when there are none. */
export function writtenFiles(outputs: Readonly<Record<string, string | undefined>>): string {
  const paths = Object.values(outputs).filter((path) => path !== undefined)
  return paths.length === 0 ? '' : `\n\nWrote ${paths.join(', ')}`
}

/** Calls `fill` with a writer; the file appears under its name when `fill` is done. */
export async function writeFileAtomically(path: string, fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
  const full = resolve(path)
  const found = await stat(full).catch(() => undefined)
  const direct = found !== undefined && !found.isFile()
  const temporary = direct ? full : join(dirname(full), `.${basename(full)}.${newNonce()}.tmp`)
  let handle: FileHandle | undefined
  try {
    handle = await open(temporary, 'w')
    const file = handle
    await fill(async (bytes) => { await file.writeFile(bytes) })
    await handle.close()
    if (!direct) await rename(temporary, full)
  } catch (error) {
    await handle?.close().catch(() => undefined)
    if (!direct) await rm(temporary, { force: true })
    throw error
  }
}
