/**
 * Bytes of blocks to and from Postgres by COPY in its binary form: they travel as they are. As a parameter a value is copied
 * twice on the main thread; as a result it comes as text of twice its length.
 */
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { PoolClient } from 'pg'
import type { StoredBlock } from '../tasks/bar-archive.js'
import { asOurs } from './postgres-failure.js'

/** Signature, then flags and the length of a header extension, which are 0. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const END = -1
/** Far more than a month of bars has. */
const MOST_BYTES = 2 ** 28

/** Rejects with Postgres's unique violation where one of them is there already. */
export async function copyIn(client: PoolClient, blocks: readonly StoredBlock[]): Promise<void> {
  const rows = client.query(copyFrom('copy bar_blocks (block_hash, month, bars, bytes) from stdin (format binary)'))
  // A stream of its own passes by what makes the errors of statements ours.
  await pipeline(rowsOf(blocks), rows).catch((error: unknown) => { throw asOurs(error) })
}

function* rowsOf(blocks: readonly StoredBlock[]): Generator<Uint8Array> {
  yield HEADER
  for (const { hash, month, bars, bytes } of blocks) {
    yield Buffer.concat([int16(4), int32(hash.length), Buffer.from(hash), int32(month.length), Buffer.from(month), int32(4), int32(bars), int32(bytes.length)])
    yield bytes
  }
  yield int16(END)
}

/** In the order of the hashes; fewer where some are not there. After an error the connection is of no use any more. */
export async function copyOut(client: PoolClient, hashes: readonly string[]): Promise<Uint8Array[]> {
  const wanted = client.escapeLiteral(`{${hashes.map((hash) => JSON.stringify(hash)).join(',')}}`)
  const rows = client.query(copyTo(`copy (select b.bytes from unnest(${wanted}::text[]) with ordinality as wanted(hash, n)
    join bar_blocks b on b.block_hash = wanted.hash order by n) to stdout (format binary)`))
  // pg tells of a query that took too long, and then of the end of its connection: the second time nobody waits for it any more.
  rows.on('error', () => undefined)
  const reader = new RowReader()
  rows.on('data', (piece: Buffer) => {
    try {
      reader.feed(piece)
    } catch (error) {
      rows.destroy(error as Error)
    }
  })
  try {
    await once(rows, 'end')
  } catch (error) {
    throw asOurs(error)
  } finally {
    // Where a query may take only so long, pg stops the watch by this; the stream does not call it.
    (rows as { callback?: () => void }).callback?.()
  }
  return reader.rows
}

/** Rows of one column of bytes, from pieces of any size. Each gets a buffer of its own, so that it can be moved to a thread. */
class RowReader {
  readonly rows: Uint8Array[] = []
  /** What is being filled: the header, the count of columns and the length of the next row, or its bytes. */
  #part: Uint8Array = new Uint8Array(HEADER.length)
  #filled = 0
  #next: (part: Buffer) => void = () => { this.#expect(6, this.#begin) }

  feed(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      const some = piece.subarray(at, at + this.#part.length - this.#filled)
      this.#part.set(some, this.#filled)
      this.#filled += some.length
      at += some.length
      // The end is shorter than the head of a row, and nothing comes behind it.
      if (this.#filled === this.#part.length) this.#next(Buffer.from(this.#part.buffer))
    }
  }

  readonly #begin = (head: Buffer): void => {
    const bytes = head.readInt32BE(2)
    if (bytes < 0 || bytes > MOST_BYTES) throw new Error(`A block of ${bytes} bytes came, which is none; something on the way changes bytes`)
    const row = this.#expect(bytes, () => { this.#expect(6, this.#begin) })
    this.rows.push(row)
  }

  #expect(bytes: number, next: (part: Buffer) => void): Uint8Array {
    this.#part = new Uint8Array(bytes)
    this.#filled = 0
    this.#next = next
    return this.#part
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
