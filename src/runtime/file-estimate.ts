/**
 * What the columns of a file of bars will take, told by its size and its first bytes before a thread reads it. A guess: a
 * reader that needs more says so. Also whether a text is a file with holes, whose size says nothing.
 */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { constants } from 'node:fs'
import { SweepmillError } from '../base/errors.js'
import { notRegular } from '../base/regular-file.js'

/** Six columns of doubles and the number of the line. */
const ROW_BYTES = 52
const HEAD_BYTES = 2 ** 14
/** What a file takes on the disk is counted in these. */
const DISK_BLOCK = 512
/** `1,1,1,1,1` and its end. */
const SHORTEST_ROW = 10
/** A row of an exchange's dump as text. */
const USUAL_ROW = 60
/** Gzip says the size of its content, zip at its end; what is packed into less is bars all the same. */
const USUALLY_UNPACKED = 6
/** Of a row in Parquet: prices pack well. */
const PARQUET_ROW = 16
const LOOKS = 16
const LOOK_BYTES = 4096

/** Throws FILE_NOT_FOUND, and DATA_FORMAT for a file with holes. `source` names it. */
export async function estimateColumns(path: string, source: string): Promise<number> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw new SweepmillError('FILE_NOT_FOUND', `The data file ${path} cannot be read: ${(cause as Error).message}.`, { cause, details: { file: path } })
  }
  try {
    const found = await file.stat()
    if (!found.isFile()) throw notRegular(found, path, 'The data file')
    const head = await bytesAt(file, 0, Math.min(found.size, HEAD_BYTES))
    const rows = rowsOf(head, found.size)
    // Most files are on the disk as a whole, and need no looks.
    if (rows.isText && found.blocks * DISK_BLOCK < found.size) await refuseHoles(file, found.size, source)
    return rows.count * ROW_BYTES
  } finally {
    await file.close()
  }
}

function rowsOf(head: Buffer, sizeBytes: number): { readonly count: number; readonly isText: boolean } {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return { count: sizeBytes / PARQUET_ROW, isText: false }
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  if (isGzip || head.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') return { count: (USUALLY_UNPACKED * sizeBytes) / USUAL_ROW, isText: false }
  let ends = 0
  for (const byte of head) if (byte === 10 || byte === 13) ends += 1
  return { count: sizeBytes / Math.max(SHORTEST_ROW, ends === 0 ? USUAL_ROW : head.length / ends), isText: true }
}

/** A hole reads as NULs. A file system that packs its files has fewer blocks as well, but no NULs in a text. */
async function refuseHoles(file: FileHandle, sizeBytes: number, source: string): Promise<void> {
  if (sizeBytes <= HEAD_BYTES) return
  for (let look = 1; look <= LOOKS; look += 1) {
    const at = Math.floor(((sizeBytes - LOOK_BYTES) * look) / LOOKS)
    const bytes = await bytesAt(file, at, LOOK_BYTES)
    if (bytes.length === 0 || bytes.some((byte) => byte !== 0)) continue
    throw new SweepmillError('DATA_FORMAT', `${source} has ${sizeBytes} bytes, and nothing but NULs about byte ${at}: it is a file with holes, such as a download that broke off leaves. Fetch it again, or cut it off where its rows end.`, { details: { file: source, byte: at } })
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
