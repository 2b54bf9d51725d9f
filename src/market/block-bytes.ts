/**
 * A block written straight to where it stays: msgpack of `{month, bars, columns: {name: bytes}}` behind a version byte, the same
 * bytes as msgpackr gives. A general packer copies the columns three times, which is most of the time of making a block.
 */
import type { ColumnName } from './layout.js'

export interface BlockParts {
  readonly version: number
  /** Such as 2004-08. */
  readonly month: string
  readonly bars: number
  readonly columns: readonly (readonly [ColumnName, Uint8Array])[]
}

export function blockBytes({ version, month, bars, columns }: BlockParts): Uint8Array<ArrayBuffer> {
  // Exactly as long as it is: only a whole buffer is moved between threads, a part of one is copied.
  const out = new Uint8Array(1 + 3 + 6 + 1 + month.length + 5 + (bars < 0x80 ? 1 : sizeOf(bars)) + 8 + 3
    + columns.reduce((sum, [name, bytes]) => sum + 1 + name.length + sizeOf(bytes.length) + bytes.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  const byte = (value: number): void => { out[at++] = value }
  const map = (size: number): void => {
    byte(0xde)
    view.setUint16(at, size)
    at += 2
  }
  /** ASCII of up to 31 characters. */
  const text = (value: string): void => {
    byte(0xa0 | value.length)
    for (let i = 0; i < value.length; i++) byte(value.charCodeAt(i))
  }
  /** A length or a number behind the code of its size. */
  const sized = (value: number, [one, two, four]: readonly [number, number, number]): void => {
    if (value < 0x100) {
      byte(one)
      byte(value)
    } else if (value < 0x10000) {
      byte(two)
      view.setUint16(at, value)
      at += 2
    } else {
      byte(four)
      view.setUint32(at, value)
      at += 4
    }
  }
  byte(version)
  map(3)
  text('month')
  text(month)
  text('bars')
  if (bars < 0x80) byte(bars)
  else sized(bars, [0xcc, 0xcd, 0xce])
  text('columns')
  map(columns.length)
  for (const [name, bytes] of columns) {
    text(name)
    sized(bytes.length, [0xc4, 0xc5, 0xc6])
    out.set(bytes, at)
    at += bytes.length
  }
  return out
}

/** Bytes of a length or number with the code of its size. */
function sizeOf(value: number): number {
  return value < 0x100 ? 2 : value < 0x10000 ? 3 : 5
}
