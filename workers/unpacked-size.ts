/** What a packed file of bars may unpack to. */
import { SweepmillError } from '../src/base/errors.js'

/**
 * A file of bars packs into a tenth of its size, or a thirtieth where prices stand still, because each row has another time.
 * What unpacks to more is made to: of blank lines a thousand go into a byte.
 */
const MOST_UNPACKED = 100
const ALWAYS_UNPACKED_BYTES = 2 ** 24

/** Throws DATA_FORMAT where so many bytes come of a file of `packedBytes`. */
export function refuseBomb(unpackedBytes: number, packedBytes: number, source: string): void {
  if (unpackedBytes <= ALWAYS_UNPACKED_BYTES + MOST_UNPACKED * packedBytes) return
  throw new SweepmillError('DATA_FORMAT', `${source} unpacks to more than ${MOST_UNPACKED} times of its ${packedBytes} bytes, as no file of bars does. If it is one, unpack it first.`, { details: { file: source } })
}
