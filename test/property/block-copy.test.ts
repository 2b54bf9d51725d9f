/** Rows of COPY in its binary form, cut into pieces anywhere: what was sent is what is read. */
import { Readable } from 'node:stream'
import fc from 'fast-check'
import type { PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { copyOut } from '../../src/store/block-copy.js'

/** As Postgres documents it: signature, flags, an empty extension, then per row a count of columns, a length and bytes, then -1. */
function sent(rows: readonly Uint8Array[]): Buffer {
  const head = (length: number): Buffer => {
    const bytes = Buffer.alloc(6)
    bytes.writeInt16BE(1)
    bytes.writeInt32BE(length, 2)
    return bytes
  }
  return Buffer.concat([Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1'), Buffer.alloc(8), ...rows.flatMap((row) => [head(row.length), row]), Buffer.from([0xff, 0xff])])
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, k = 0; at < bytes.length; k += 1) {
    const size = sizes[k % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const clientThatSends = (pieces: readonly Buffer[]): PoolClient => ({ escapeLiteral: (text: string) => text, query: () => Readable.from(pieces) }) as unknown as PoolClient

test('pieces of any size give the rows, each in a buffer of its own', async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
    async (rows, sizes) => {
      const read = await copyOut(clientThatSends(cut(sent(rows), sizes)), [])
      expect(read.map((row) => [...row])).toEqual(rows.map((row) => [...row]))
      expect(read.every((row) => row.byteLength === row.buffer.byteLength)).toBe(true)
    },
  ), { numRuns: 1000, seed: 26 })
})

test('a stream that breaks within a row is an error', async () => {
  const rows = Readable.from((function* (): Generator<Buffer> {
    yield sent([new Uint8Array(100)]).subarray(0, 60)
    throw new Error('gone')
  })())
  await expect(copyOut({ escapeLiteral: (text: string) => text, query: () => rows } as unknown as PoolClient, [])).rejects.toThrow('gone')
})
