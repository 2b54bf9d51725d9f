/**
 * Opens what somebody named as a file, and nothing else: a pipe whose other end nobody opens, a terminal or a device without
 * an end would keep its reader for ever. It is opened without waiting and looked at when it is open, so that nobody can
 * put another thing in its place between the two.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { machineTrouble, SweepmillError } from './errors.js'

/** Opening a pipe for reading waits for its writer; opening a terminal may make it that of this process. Windows has neither, and 0 for both. */
const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants

/** The number of the open file; who opened it closes it. `what` begins the sentence of FILE_NOT_FOUND, such as "The data file". */
export function openRegular(path: string, what: string): number {
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  } catch (cause) {
    throw machineTrouble(cause) ?? new SweepmillError('FILE_NOT_FOUND', `${what} ${path} cannot be read: ${(cause as Error).message}.`, { cause, details: { file: path } })
  }
  const found = fstatSync(fd)
  if (found.isFile()) return fd
  closeSync(fd)
  throw notRegular(found, path, what)
}

/**
 * All of a small file, as large as it is when it is opened: what grows while it is read, or has no size (as in /proc), is no
 * such file. PAYLOAD_TOO_LARGE where it has more than so many bytes.
 */
export function readRegular(path: string, what: string, mostBytes: number): Buffer {
  const fd = openRegular(path, what)
  try {
    const { size } = fstatSync(fd)
    if (size > mostBytes) {
      throw new SweepmillError('PAYLOAD_TOO_LARGE', `${what} ${path} has ${size} bytes; ${mostBytes} are read at most. Name another, or make it smaller.`, { details: { file: path, most_bytes: mostBytes } })
    }
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, readPiece(fd, bytes))
  } finally {
    closeSync(fd)
  }
}

/** Fills the piece from where the file stands; less only at the file's end. */
export function readPiece(fd: number, piece: Uint8Array): number {
  let length = 0
  while (length < piece.length) {
    const read = readSync(fd, piece, length, piece.length - length, null)
    if (read === 0) break
    length += read
  }
  return length
}

/** FILE_NOT_FOUND, with what it is instead of a file. */
export function notRegular(found: Stats, path: string, what: string): SweepmillError {
  const kind = found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a pipe' : found.isSocket() ? 'a socket' : 'a device'
  return new SweepmillError('FILE_NOT_FOUND', `${what} ${path} is ${kind}, not a file.${found.isDirectory() ? '' : ' Write what it gives into a file, and name that.'}`, { details: { file: path } })
}
