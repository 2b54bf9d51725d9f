/**
 * Looks at the frames of what comes from Postgres before its driver does: a kind of message that there is none of, or a
 * length that this kind never has, means that the bytes are not Postgres's any more. The driver would wait for gigabytes,
 * or look for the end of an error's text for ever; here such a connection ends at once.
 *
 * A frame is a letter and four bytes of length (which count themselves). What is inside is not looked at, but for the end
 * of errors and notices, whose reader stops nowhere else. Values that were changed on the way cannot be told from others:
 * only TLS can.
 */
const HEADER = 5
const SHORT = 2 ** 16
const LONG = 2 ** 24
/** The most that Postgres puts into one value. */
const VALUE = 2 ** 30

/** Least and most length by kind. */
const LENGTHS: ReadonlyMap<number, readonly [number, number]> = new Map(([
  ['1', 4, 4], ['2', 4, 4], ['3', 4, 4], ['n', 4, 4], ['s', 4, 4], ['I', 4, 4], ['c', 4, 4], ['Z', 5, 5],
  ['K', 12, SHORT], ['R', 8, SHORT], ['S', 6, SHORT], ['A', 10, SHORT], ['C', 5, SHORT], ['v', 12, SHORT],
  ['G', 7, SHORT], ['H', 7, SHORT], ['t', 6, LONG], ['T', 6, LONG], ['E', 6, LONG], ['N', 6, LONG], ['D', 6, VALUE], ['d', 4, VALUE],
] as const).map(([kind, least, most]) => [kind.charCodeAt(0), [least, most]]))

const [ERROR, NOTICE] = ['E'.charCodeAt(0), 'N'.charCodeAt(0)]

export class ProtocolFrames {
  /** Bytes of the message under way that are still to come; a header that has not come whole waits in `#header`. */
  #left = 0
  #kind = 0
  #header: Buffer = Buffer.alloc(0)
  /** The last two bytes seen of the message under way. */
  #end = 0

  /** Throws where the bytes cannot be Postgres's. */
  feed(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      if (this.#left > 0) at = this.#body(piece, at)
      else if (this.#header.length === 0 && piece.length - at >= HEADER) at = this.#begin(piece, at)
      else {
        const some = piece.subarray(at, at + HEADER - this.#header.length)
        this.#header = Buffer.concat([this.#header, some])
        at += some.length
        if (this.#header.length === HEADER) {
          this.#begin(this.#header, 0)
          this.#header = Buffer.alloc(0)
        }
      }
    }
  }

  #begin(bytes: Buffer, at: number): number {
    const kind = bytes[at] ?? 0
    const length = bytes.readUInt32BE(at + 1)
    const [least, most] = LENGTHS.get(kind) ?? [0, -1]
    if (length < least || length > most) throw notPostgres(`a message of kind ${kind} with ${length} bytes`)
    this.#kind = kind
    this.#left = length - 4
    this.#end = 0xff_ff
    return at + HEADER
  }

  #body(piece: Buffer, at: number): number {
    const end = Math.min(piece.length, at + this.#left)
    this.#left -= end - at
    if (this.#kind !== ERROR && this.#kind !== NOTICE) return end
    for (let i = Math.max(at, end - 2); i < end; i += 1) this.#end = ((this.#end << 8) | (piece[i] ?? 0)) & 0xff_ff
    if (this.#left === 0 && this.#end !== 0) throw notPostgres('an error without an end')
    return end
  }
}

function notPostgres(what: string): Error {
  return new Error(`The bytes that came are not Postgres's (${what}); something on the way changes them`)
}
