/** CRC-32 as gzip, zip and Parquet have it, of pieces one after the other. */
import * as zlib from 'node:zlib'

/** Node 20.15 and newer. */
const native = zlib.crc32 as typeof zlib.crc32 | undefined

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1
  return value
})

export function crc32(bytes: Uint8Array, before = 0): number {
  return native === undefined ? crc32ByTable(bytes, before) : native(bytes, before)
}

/** For a Node.js that has none of its own. */
export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!
  return ~crc >>> 0
}
