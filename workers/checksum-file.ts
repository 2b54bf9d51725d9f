/** `FILE.CHECKSUM` beside a file, as Binance publishes it and sha256sum writes it: the digest, two blanks, the name. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { SweepmillError } from '../src/base/errors.js'
import { openRegular, readRegular } from '../src/base/regular-file.js'

/** A line has about a hundred bytes; exchanges write one, sha256sum one for each file. */
const MOST_BYTES = 2 ** 16
const PIECE_BYTES = 2 ** 20

/** False where there is none. Throws DATA_CHECKSUM when it is of another content, or says nothing of this file. `alive` is called now and then. */
export function verifyChecksum(file: string, source: string, alive: () => void): boolean {
  if (!existsSync(`${file}.CHECKSUM`)) return false
  const text = checksumText(`${file}.CHECKSUM`, source)
  const lines = [...text.matchAll(/^\\?([0-9a-f]{64})(?:\s+\*?(.+?))?\s*$/gim)]
  // Of one line alone the name does not matter: the file may have been renamed with its checksum.
  const own = lines.length === 1 ? lines[0] : lines.find(([, , name]) => name !== undefined && basename(name) === basename(file))
  const expected = own?.[1]?.toLowerCase()
  if (expected === undefined) {
    throw new SweepmillError('DATA_CHECKSUM', `${source}.CHECKSUM has no SHA-256 of ${source}. It should hold the digest, two blanks and the file's name; fetch it again, or remove it to import without a check.`, { details: { file: source } })
  }
  const found = sha256Of(file, alive)
  if (found !== expected) {
    throw new SweepmillError('DATA_CHECKSUM', `${source} is not what ${source}.CHECKSUM says: its SHA-256 is ${found}, not ${expected}. Fetch both again.`, { details: { file: source, expected, found } })
  }
  return true
}

function checksumText(path: string, source: string): string {
  try {
    return readRegular(path, 'The file', MOST_BYTES).toString('utf8')
  } catch (cause) {
    throw new SweepmillError('DATA_CHECKSUM', `${source}.CHECKSUM is no checksum: ${(cause as Error).message} It should hold the digest, two blanks and the file's name; remove it to read ${source} without a check.`, { cause, details: { file: source } })
  }
}

function sha256Of(file: string, alive: () => void): string {
  const hash = createHash('sha256')
  const fd = openRegular(file, 'The data file')
  try {
    const piece = new Uint8Array(PIECE_BYTES)
    for (let left = fstatSync(fd).size; left > 0;) {
      const read = readSync(fd, piece, 0, Math.min(left, PIECE_BYTES), null)
      if (read === 0) break
      hash.update(piece.subarray(0, read))
      left -= read
      alive()
    }
  } finally {
    closeSync(fd)
  }
  return hash.digest('hex')
}
