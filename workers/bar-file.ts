/**
 * A file of bars to columns, whatever it is: CSV, plain or in gzip or zip, or Parquet. What it is follows from its first
 * bytes, not from its name. It is read in pieces; none of the packages is loaded for a plain CSV.
 */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { SweepmillError } from '../src/base/errors.js'
import type { Reading } from '../src/market/reading.js'
import { CsvReader } from '../src/market/read-csv.js'
import type { ReadBars, RowWatcher } from '../src/market/read-csv.js'
import { verifyChecksum } from './checksum-file.js'

const PIECE_BYTES = 2 ** 20

/**
 * `source` names it in errors and warnings; `reading` says what a CSV does not. Throws FILE_NOT_FOUND, DATA_CHECKSUM, _EMPTY,
 * _FORMAT, _INVALID, _ORDER, and SPEC_INVALID for a reading that is none.
 */
export async function readBars(file: string, source: string, reading: Reading = {}, onRows?: RowWatcher): Promise<ReadBars> {
  const kind = kindOf(file)
  const verified = verifyChecksum(file, source)
  const read = await readAs[kind](file, source, reading, onRows)
  // Where dumps come with checksums, a missing one is worth a word; elsewhere nobody expects one.
  const note = verified ? `${source} is what its checksum file says.` : kind === 'zip' ? `There is no ${source}.CHECKSUM beside ${source}: its content was not verified.` : null
  return note === null ? read : { ...read, notes: [...read.notes ?? [], note] }
}

type Kind = 'plain' | 'gzip' | 'zip' | 'parquet'

const MAGIC: readonly (readonly [kind: Kind, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]], ['zip', [0x50, 0x4b, 0x03, 0x04]], ['parquet', [0x50, 0x41, 0x52, 0x31]],
]

const readAs: Readonly<Record<Kind, (file: string, source: string, reading: Reading, onRows?: RowWatcher) => Promise<ReadBars>>> = {
  plain: (file, source, reading, onRows) => withFile(file, (fd, sizeBytes) => {
    const reader = new CsvReader(source, sizeBytes, onRows, reading)
    const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes + 1))
    for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) reader.feed(piece.subarray(0, read))
    return Promise.resolve(reader.finish())
  }),
  gzip: async (file, source, reading, onRows) => {
    const reader = new CsvReader(source, null, onRows, reading)
    const packed = createReadStream(file, { highWaterMark: PIECE_BYTES })
    const text = packed.pipe(createGunzip({ chunkSize: PIECE_BYTES }))
    packed.on('error', (error) => text.destroy(error))
    try {
      for await (const piece of text as AsyncIterable<Uint8Array>) reader.feed(piece)
    } catch (cause) {
      if (cause instanceof SweepmillError) throw cause
      throw new SweepmillError('DATA_FORMAT', `${source} is damaged gzip: ${(cause as Error).message}. Fetch it again.`, { cause, details: { file: source } })
    } finally {
      packed.destroy()
    }
    return reader.finish()
  },
  zip: async (file, source, reading, onRows) => (await import('./zip-file.js')).readZip(file, source, reading, onRows),
  parquet: async (file, source, reading, onRows) => {
    const [key] = Object.keys(reading)
    if (key !== undefined) {
      throw new SweepmillError('SPEC_INVALID', `reading.${key} (--${key.replace('_', '-')}) says how a CSV is read, and ${source} is Parquet, whose columns have types. Leave it out.`, { details: { path: `reading.${key}`, file: source } })
    }
    const { readParquet } = await import('../src/market/read-parquet.js')
    return withFile(file, (fd, byteLength) => readParquet({
      byteLength,
      slice: (start, end = byteLength) => {
        const bytes = new Uint8Array(Math.max(0, end - start))
        for (let at = 0; at < bytes.length;) {
          const read = readSync(fd, bytes, at, bytes.length - at, start + at)
          if (read === 0) throw new Error(`it ends before byte ${end}`)
          at += read
        }
        return bytes.buffer
      },
    }, source, onRows))
  },
}

function kindOf(file: string): Kind {
  const fd = open(file)
  try {
    const head = new Uint8Array(4)
    readSync(fd, head, 0, 4, 0)
    return MAGIC.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0] ?? 'plain'
  } catch (cause) {
    throw unreadable(file, cause)
  } finally {
    closeSync(fd)
  }
}

async function withFile<T>(file: string, read: (fd: number, sizeBytes: number) => Promise<T>): Promise<T> {
  const fd = open(file)
  try {
    return await read(fd, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(file: string, cause: unknown): SweepmillError {
  return new SweepmillError('FILE_NOT_FOUND', `The data file ${file} cannot be read: ${(cause as Error).message}.`, { cause, details: { file } })
}
