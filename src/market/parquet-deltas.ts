/**
 * Walks over numbers that are written as differences (DELTA_BINARY_PACKED) before they are decoded: a decoder takes a number
 * of a million bytes for one, and multiplies with it until the thread is ended. The walk reads each head of a block once.
 */

const LONGEST_NUMBER_BYTES = 10
const MOST_BLOCK = 65_536
/** Packed differences of a part of a block end at a whole word. */
const WORD_VALUES = 32

/** Throws an Error where the `count` values that begin at `from` are not whole, or none. `widest` is the bits of a value. */
export function assertDeltas(view: DataView, from: number, count: number, widest: 32 | 64): void {
  let at = from
  const number = (): number => {
    let value = 0
    for (let i = 0; i < LONGEST_NUMBER_BYTES; i += 1, at += 1) {
      if (at >= view.byteLength) throw new Error('the differences of a page end within a number')
      const byte = view.getUint8(at)
      value += (byte & 0x7f) * 128 ** i
      if (byte < 0x80) {
        at += 1
        return value
      }
    }
    throw new Error('a difference of a page has more than 64 bits')
  }
  const [block, parts, total] = [number(), number(), number()]
  const each = block / parts
  if (!(block > 0 && block <= MOST_BLOCK && parts > 0 && parts <= block && each % WORD_VALUES === 0)) throw new Error('the blocks of a page have an impossible size')
  if (total !== count) throw new Error(`a page has ${total} values where ${count} should be`)
  number()
  for (let seen = 1; seen < count;) {
    number()
    const widths = at
    at += parts
    if (at > view.byteLength) throw new Error('the differences of a page end within a block')
    for (let part = 0; part < parts && seen < count; part += 1) {
      const width = view.getUint8(widths + part)
      if (width > widest) throw new Error(`a difference of a page has ${width} bits`)
      const left = Math.min(each, count - seen)
      // Of the last part a writer may leave out what is not needed.
      if (at + Math.ceil((left * width) / 8) > view.byteLength) throw new Error('the differences of a page end within a block')
      at += (each * width) / 8
      seen += left
    }
  }
}
