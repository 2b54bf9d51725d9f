/**
 * How much memory the columns of one file may take while it is read: as much as was set aside for them before. A reader
 * that needs more ends with DATA_TOO_LARGE and `needed_bytes`, so that whoever set it aside can do so anew, or refuse.
 */
import { SweepmillError } from '../base/errors.js'

export class DataRoom {
  readonly #mostBytes: number

  constructor(mostBytes = Number.POSITIVE_INFINITY) {
    this.#mostBytes = mostBytes
  }

  /** How many rows there is room for, up to `wanted`. Throws DATA_TOO_LARGE where not even `least` fit. */
  rows(wanted: number, least: number, rowBytes: number): number {
    const fit = Math.min(wanted, Math.floor(this.#mostBytes / rowBytes))
    if (fit < least) throw tooLarge(least * rowBytes)
    return fit
  }

  /** A column of so many values. The machine may have less room than was set aside. */
  column(rows: number): Float64Array {
    try {
      return new Float64Array(rows)
    } catch {
      throw tooLarge(rows * Float64Array.BYTES_PER_ELEMENT)
    }
  }
}

function tooLarge(neededBytes: number): SweepmillError {
  return new SweepmillError('DATA_TOO_LARGE', `The columns of the file take ${Math.ceil(neededBytes / 2 ** 20)} MiB while it is read, more than there is room for. Cut the data, or raise DATA_MEMORY_MB.`, {
    details: { needed_bytes: neededBytes },
  })
}
