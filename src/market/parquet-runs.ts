/** Parquet's hybrid of run lengths and packed bits, as levels and dictionary indices are written. No run may be longer than what is left. */

/** Wider indices would be of dictionaries of more than 16 million values. */
export const WIDEST_BITS = 24

/** Exactly `count` values of `width` bits from the bytes. Throws an Error when they hold others. */
export function decodeRuns(bytes: Uint8Array, width: number, count: number): Int32Array {
  const values = new Int32Array(count)
  const mask = 2 ** width - 1
  let at = 0
  let seen = 0
  const next = (): number => {
    if (at >= bytes.length) throw new Error(`the runs of a page end after ${seen} of ${count} values`)
    at += 1
    return bytes[at - 1]!
  }
  const header = (): number => {
    let value = 0
    for (let i = 0; i < 5; i += 1) {
      const byte = next()
      value += (byte & 0x7f) * 128 ** i
      if (byte < 0x80) return value
    }
    throw new Error('a run of a page has more than 32 bits')
  }
  while (seen < count) {
    const head = header()
    const left = count - seen
    if (head % 2 === 1) {
      // Groups of eight; the last is filled up.
      const groups = (head - 1) / 2
      if (groups * 8 - 7 > left) throw new Error(`a run of ${groups * 8} values stands where ${left} are left`)
      const take = Math.min(groups * 8, left)
      if (Math.ceil((take * width) / 8) > bytes.length - at) throw new Error(`the runs of a page end after ${seen} of ${count} values`)
      unpack(bytes, at, width, values.subarray(seen, seen + take))
      at = Math.min(bytes.length, at + groups * width)
      seen += take
    } else {
      const run = head / 2
      if (run > left) throw new Error(`a run of ${run} values stands where ${left} are left`)
      let value = 0
      for (let i = 0; i < width; i += 8) value += next() * 2 ** i
      if (value > mask) throw new Error(`a value of a run has more than ${width} bits`)
      values.fill(value, seen, seen + run)
      seen += run
    }
  }
  return values
}

function unpack(bytes: Uint8Array, from: number, width: number, into: Int32Array): void {
  if (width === 0) return
  const mask = 2 ** width - 1
  let at = from
  let held = 0
  let bits = 0
  for (let i = 0; i < into.length; i += 1) {
    while (bits < width) {
      held |= bytes[at]! << bits
      at += 1
      bits += 8
    }
    into[i] = held & mask
    held >>>= width
    bits -= width
  }
}
