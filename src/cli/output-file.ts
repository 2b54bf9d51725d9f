/**
 * Files that a command writes: checked before the work starts, written beside their place and renamed,
 * so that a reader never sees half of one and a failure leaves the old one. Their names say what they are (`output-name.ts`).
 *
 * A path that exists and is no regular file (a pipe, /dev/stdout) is written to directly.
 */
import { constants } from 'node:fs'
import { access, open, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { newNonce } from '../base/ids.js'
import type { ByteSink } from '../base/table-format.js'
import type { Output } from './output.js'
import { assertEnding, isStdout } from './output-name.js'
import { ReaderGone } from './stdout-bytes.js'

export type Outputs = Readonly<Record<string, string | undefined>>

/** USAGE, naming the flag: a place that cannot be written, two outputs in one place. `inputs` are files that must not be overwritten. */
export async function assertWritable(outputs: Outputs, inputs: readonly (string | undefined)[] = []): Promise<void> {
  const taken = new Map<string, string>(inputs.flatMap((path) => (path === undefined ? [] : [[resolve(path), 'the input']])))
  const named = Object.entries(outputs).flatMap(([flag, path]) => (path === undefined ? [] : [[flag, path] as const]))
  for (const [flag, path] of named) {
    const full = isStdout(path) ? '-' : resolve(path)
    const refuse = (why: string): SweepmillError =>
      new SweepmillError('USAGE', `${flag} ${path} cannot be written: ${why}.`, { details: { flag, path } })
    const other = taken.get(full)
    if (other !== undefined) throw refuse(full === '-' ? `${other} goes to standard output too` : `it is ${other} too`)
    taken.set(full, flag)
    if (full === '-') continue
    const found = await stat(full).catch(() => undefined)
    if (found?.isDirectory() === true) throw refuse('it is a folder; name a file in it')
    const folder = await stat(dirname(full)).catch(() => undefined)
    if (folder?.isDirectory() !== true) throw refuse(`the folder ${dirname(full)} does not exist; make it first`)
    const target = found !== undefined && !found.isFile() ? full : dirname(full)
    await access(target, constants.W_OK).catch(() => { throw refuse(`this user may not write to ${target}`) })
  }
}

/** Before anything is done: `assertWritable`, no ending that is not known, and standard output is a file's where one is named `-`. */
export async function prepareOutputs(output: Output, outputs: Outputs, inputs: readonly (string | undefined)[] = []): Promise<void> {
  await assertWritable(outputs, inputs)
  for (const [flag, path] of Object.entries(outputs)) if (path !== undefined) assertEnding(flag, path)
  const [flag] = Object.entries(outputs).find(([, path]) => path !== undefined && isStdout(path)) ?? []
  if (flag === undefined) return
  if (output.json) throw new SweepmillError('USAGE', `${flag} - and --json both write to standard output: name a file for ${flag}, or leave --json out.`, { details: { flag } })
  output.giveStdout()
}

/** The last line of a command that wrote files: where its results are now. Empty when there are none. */
export function writtenFiles(outputs: Outputs): string {
  const paths = Object.values(outputs).filter((path) => path !== undefined && !isStdout(path))
  return paths.length === 0 ? '' : `\n\nWrote ${paths.join(', ')}`
}

/** To the file, or to standard output until nobody reads it any more. */
export async function writeOutput(output: Output, path: string, fill: (write: ByteSink) => Promise<void>): Promise<void> {
  if (!isStdout(path)) return writeFileAtomically(path, fill)
  await fill(output.writeStdout).catch((error: unknown) => {
    if (!(error instanceof ReaderGone)) throw error
  })
}

/** Calls `fill` with a writer; the file appears under its name when `fill` is done. */
export async function writeFileAtomically(path: string, fill: (write: ByteSink) => Promise<void>): Promise<void> {
  const full = resolve(path)
  const found = await stat(full).catch(() => undefined)
  const direct = found !== undefined && !found.isFile()
  const onDisk = async <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => { throw diskError(path, error) })
  const temporary = direct ? full : join(dirname(full), `.${basename(full)}.${newNonce()}.tmp`)
  let handle: FileHandle | undefined
  try {
    handle = await onDisk(open(temporary, 'w'))
    const file = handle
    await fill((bytes) => onDisk(file.writeFile(bytes)))
    await onDisk(handle.close())
    if (!direct) await onDisk(rename(temporary, full))
  } catch (error) {
    await handle?.close().catch(() => undefined)
    if (!direct) await rm(temporary, { force: true }).catch(() => undefined)
    if (direct && error instanceof ReaderGone) return
    throw error
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room', EDQUOT: 'the quota of this user is used up; make room', EFBIG: 'it would be larger than files may be there',
  ENAMETOOLONG: 'its name is too long', EROFS: 'the disk is read-only', EACCES: 'this user may not write there', EPERM: 'this user may not write there',
}

/** What the system said while a file was written, in words; the reader of a pipe may have gone. */
function diskError(path: string, thrown: unknown): Error {
  const { code = '' } = thrown as NodeJS.ErrnoException
  if (code === 'EPIPE') return new ReaderGone()
  const reason = REASONS[code] ?? (thrown instanceof Error ? thrown.message : String(thrown))
  return new SweepmillError('USAGE', `${path} cannot be written: ${reason}, or name another place.`, { details: { path, reason: code }, cause: thrown })
}
