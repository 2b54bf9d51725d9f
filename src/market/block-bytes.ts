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
  // Names are short, numbers and lengths take five bytes at most.
  const room = 64 + month.length + columns.reduce((sum, [name, bytes]) => sum + name.length + 6 + bytes.length, 0)
  const out = new Uint8Array(room)
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
  return out.subarray(0, at)
}
