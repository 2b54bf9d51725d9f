/** The one CSV inside a zip, as the dumps of exchanges have it, read in pieces. Its size and CRC are verified. */
import { once } from 'node:events'
import { closeSync, fstatSync } from 'node:fs'
import { promisify } from 'node:util'
import yauzl from 'yauzl'
import type { Entry, Options, ZipFile } from 'yauzl'
import { machineTrouble, SweepmillError } from '../src/base/errors.js'
import { openRegular } from '../src/base/regular-file.js'
import { crc32 } from '../src/market/crc32.js'
import type { Reading } from '../src/market/reading.js'
import { CsvReader } from '../src/market/read-csv.js'
import type { ReadBars } from '../src/market/read-csv.js'
import { refuseBomb } from './unpacked-size.js'
import type { ReadingTerms } from './reading-terms.js'

const openZip = promisify<number, Options, ZipFile>(yauzl.fromFd)
/** With more it is no zip of one CSV, whatever they are. */
const MOST_ENTRIES = 1000
/** Deflate packs at most 1032 bytes into one: what says more has a wrong size. */
const MOST_PACKED = 1032

export async function readZip(file: string, source: string, reading: Reading, { onRows, room, alive }: ReadingTerms): Promise<ReadBars> {
  const fd = openRegular(file, 'The data file')
  try {
    const zip = await openZip(fd, { lazyEntries: true, autoClose: false })
    const entry = theFile(await entriesOf(zip), source)
    if (entry.uncompressedSize > MOST_PACKED * (entry.compressedSize + 1)) throw new Error(`${entry.fileName} cannot have ${entry.uncompressedSize} bytes, packed into ${entry.compressedSize}`)
    refuseBomb(entry.uncompressedSize, fstatSync(fd).size, source)
    const reader = new CsvReader(`${source}/${entry.fileName}`, entry.uncompressedSize, onRows, reading, room)
    const stream = await promisify(zip.openReadStream.bind(zip) as (entry: Entry, done: (error: Error | null, stream: NodeJS.ReadableStream) => void) => void)(entry)
    let crc = 0
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      crc = crc32(piece, crc)
      reader.feed(piece)
      alive()
    }
    if (crc !== entry.crc32) throw new Error(`the CRC of ${entry.fileName} is wrong`)
    return reader.finish()
  } catch (cause) {
    if (cause instanceof SweepmillError) throw cause
    throw machineTrouble(cause) ?? new SweepmillError('DATA_FORMAT', `${source} is a damaged zip: ${(cause as Error).message}. Fetch it again.`, { cause, details: { file: source } })
  } finally {
    closeSync(fd)
  }
}

async function entriesOf(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = []
  const ended = once(zip, 'end')
  zip.on('entry', (entry: Entry) => {
    entries.push(entry)
    if (entries.length > MOST_ENTRIES) zip.emit('error', new Error(`it has more than ${MOST_ENTRIES} entries`))
    else zip.readEntry()
  })
  zip.readEntry()
  await ended
  return entries
}

function theFile(entries: readonly Entry[], source: string): Entry {
  const files = entries.filter(({ fileName }) => !fileName.endsWith('/') && !fileName.startsWith('__MACOSX/'))
  const [file] = files
  if (file === undefined || files.length > 1) {
    const names = files.slice(0, 5).map(({ fileName }) => fileName).join(', ')
    throw new SweepmillError('DATA_FORMAT', `${source} must hold one CSV, and holds ${files.length === 0 ? 'no file' : `${files.length} files: ${names}${files.length > 5 ? ' and more' : ''}`}. Unpack it and import its files.`, { details: { file: source } })
  }
  if (file.isEncrypted()) throw new SweepmillError('DATA_FORMAT', `${source} is encrypted. Unpack it first.`, { details: { file: source } })
  return file
}
