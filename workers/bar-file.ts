/**
 * A file of bars to columns, whatever it is: CSV, plain or in gzip or zip, or Parquet. What it is follows from its first
 * bytes, not from its name. It is read in pieces; none of the packages is loaded for a plain CSV.
 */
import { closeSync, createReadStream, fstatSync, readSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { machineTrouble, SweepmillError } from '../src/base/errors.js'
import { openRegular, readPiece } from '../src/base/regular-file.js'
import type { Reading } from '../src/market/reading.js'
import { CsvReader } from '../src/market/read-csv.js'
import type { ReadBars } from '../src/market/read-csv.js'
import { verifyChecksum } from './checksum-file.js'
import { lateModule } from './late-module.js'
import { freeTerms } from './reading-terms.js'
import type { ReadingTerms } from './reading-terms.js'
import { refuseBomb } from './unpacked-size.js'

const PIECE_BYTES = 2 ** 20

/**
 * `source` names it in errors and warnings; `reading` says what a CSV does not. Throws FILE_NOT_FOUND, DATA_CHECKSUM, _EMPTY,
 * _FORMAT, _INVALID, _ORDER, _TOO_LARGE, and SPEC_INVALID for a reading that is none.
 */
export async function readBars(file: string, source: string, reading: Reading = {}, terms: ReadingTerms = freeTerms()): Promise<ReadBars> {
  const kind = kindOf(file)
  const verified = verifyChecksum(file, source, terms.alive)
  const read = await readAs[kind](file, source, reading, terms)
  // Where dumps come with checksums, a missing one is worth a word; elsewhere nobody expects one.
  const note = verified ? `${source} is what its checksum file says.` : kind === 'zip' ? `There is no ${source}.CHECKSUM beside ${source}: its content was not verified.` : null
  return note === null ? read : { ...read, notes: [...read.notes ?? [], note] }
}

type Kind = 'plain' | 'gzip' | 'zip' | 'parquet'

const MAGIC: readonly (readonly [kind: Kind, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]], ['zip', [0x50, 0x4b, 0x03, 0x04]], ['parquet', [0x50, 0x41, 0x52, 0x31]],
]

const readAs: Readonly<Record<Kind, (file: string, source: string, reading: Reading, terms: ReadingTerms) => Promise<ReadBars>>> = {
  plain: (file, source, reading, { onRows, room, alive }) => withFile(file, (fd, sizeBytes) => {
    const reader = new CsvReader(source, sizeBytes, onRows, reading, room)
    const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes))
    // As large as it was when it was opened: what has no size, as in /proc, need not have an end.
    for (let left = sizeBytes; left > 0;) {
      const read = readSync(fd, piece, 0, Math.min(piece.length, left), null)
      if (read === 0) break
      reader.feed(piece.subarray(0, read))
      left -= read
      alive()
    }
    return Promise.resolve(reader.finish())
  }),
  gzip: async (file, source, reading, { onRows, room, alive }) => {
    const fd = openRegular(file, 'The data file')
    const { size: sizeBytes } = fstatSync(fd)
    const reader = new CsvReader(source, null, onRows, reading, room)
    // It closes the file, too.
    const packed = createReadStream('', { fd, highWaterMark: PIECE_BYTES })
    const text = packed.pipe(createGunzip({ chunkSize: PIECE_BYTES }))
    packed.on('error', (error) => text.destroy(error))
    let unpacked = 0
    try {
      for await (const piece of text as AsyncIterable<Uint8Array>) {
        unpacked += piece.length
        refuseBomb(unpacked, sizeBytes, source)
        reader.feed(piece)
        alive()
      }
    } catch (cause) {
      if (cause instanceof SweepmillError) throw cause
      throw machineTrouble(cause) ?? new SweepmillError('DATA_FORMAT', `${source} is damaged gzip: ${(cause as Error).message}. Fetch it again.`, { cause, details: { file: source } })
    } finally {
      packed.destroy()
    }
    return reader.finish()
  },
  zip: async (file, source, reading, terms) => (await lateModule(() => import('./zip-file.js'))).readZip(file, source, reading, terms),
  parquet: async (file, source, reading, { onRows, room, alive }) => {
    const [key] = Object.keys(reading)
    if (key !== undefined) {
      throw new SweepmillError('SPEC_INVALID', `reading.${key} (--${key.replace('_', '-')}) says how a CSV is read, and ${source} is Parquet, whose columns have types. Leave it out.`, { details: { path: `reading.${key}`, file: source } })
    }
    const { readParquet } = await lateModule(() => import('../src/market/read-parquet.js'))
    return withFile(file, (fd, byteLength) => readParquet({
      byteLength,
      slice: (start, end = byteLength) => {
        const bytes = new Uint8Array(Math.max(0, end - start))
        for (let at = 0; at < bytes.length;) {
          const read = readSync(fd, bytes, at, bytes.length - at, start + at)
          if (read === 0) throw new Error(`it ends before byte ${end}`)
          at += read
        }
        alive()
        return bytes.buffer
      },
    }, source, onRows, room, alive))
  },
}

function kindOf(file: string): Kind {
  const fd = openRegular(file, 'The data file')
  try {
    const head = new Uint8Array(Math.min(4, fstatSync(fd).size))
    readPiece(fd, head)
    return MAGIC.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0] ?? 'plain'
  } catch (cause) {
    throw new SweepmillError('FILE_NOT_FOUND', `The data file ${file} cannot be read: ${(cause as Error).message}.`, { cause, details: { file } })
  } finally {
    closeSync(fd)
  }
}

async function withFile<T>(file: string, read: (fd: number, sizeBytes: number) => Promise<T>): Promise<T> {
  const fd = openRegular(file, 'The data file')
  try {
    return await read(fd, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}
