/** `FILE.CHECKSUM` beside a file, as Binance publishes it and sha256sum writes it: the digest, two blanks, the name. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { SweepmillError } from '../src/base/errors.js'

/** False where there is none. Throws DATA_CHECKSUM when it is of another content, or says nothing of this file. */
export function verifyChecksum(file: string, source: string): boolean {
  let text: string
  try {
    text = readFileSync(`${file}.CHECKSUM`, 'utf8')
  } catch {
    return false
  }
  const lines = [...text.matchAll(/^\\?([0-9a-f]{64})(?:\s+\*?(.+?))?\s*$/gim)]
  // Of one line alone the name does not matter: the file may have been renamed with its checksum.
  const own = lines.length === 1 ? lines[0] : lines.find(([, , name]) => name !== undefined && basename(name) === basename(file))
  const expected = own?.[1]?.toLowerCase()
  if (expected === undefined) {
    throw new SweepmillError('DATA_CHECKSUM', `${source}.CHECKSUM has no SHA-256 of ${source}. It should hold the digest, two blanks and the file's name; fetch it again, or remove it to import without a check.`, { details: { file: source } })
  }
  const found = sha256Of(file)
  if (found !== expected) {
    throw new SweepmillError('DATA_CHECKSUM', `${source} is not what ${source}.CHECKSUM says: its SHA-256 is ${found}, not ${expected}. Fetch both again.`, { details: { file: source, expected, found } })
  }
  return true
}

function sha256Of(file: string): string {
  const hash = createHash('sha256')
  const fd = openSync(file, 'r')
  try {
    const piece = new Uint8Array(2 ** 20)
    for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) hash.update(piece.subarray(0, read))
  } finally {
    closeSync(fd)
  }
  return hash.digest('hex')
}
