/**
 * Walks over a structure of Thrift's compact protocol before it is decoded. A decoder believes what stands there: numbers
 * of a million bytes, lists longer than the file, structures as deep as the stack. The walk reads each byte once.
 */
const MOST_DEPTH = 32
const LONGEST_NUMBER_BYTES = 10
/** A column of a row group has about twenty: two hundred thousand of those. A byte of an empty structure becomes fifty. */
const MOST_VALUES = 4_000_000

/** Where the structure at `from` ends. Throws an Error when it does not end before `end`, or is none. */
export function endOfStruct(bytes: Uint8Array, from: number, end: number): number {
  const walk = new Walk(bytes, from, end)
  walk.struct(0)
  return walk.at
}

class Walk {
  readonly #bytes: Uint8Array
  readonly #end: number
  #values = 0
  at: number

  constructor(bytes: Uint8Array, from: number, end: number) {
    this.#bytes = bytes
    this.at = from
    this.#end = end
  }

  struct(depth: number): void {
    if (depth > MOST_DEPTH) throw new Error(`a structure is more than ${MOST_DEPTH} deep`)
    for (let head = this.#byte(); head !== 0; head = this.#byte()) {
      if (head >> 4 === 0) this.#number()
      this.#value(head & 15, depth)
    }
  }

  #value(type: number, depth: number): void {
    this.#values += 1
    if (this.#values > MOST_VALUES) throw new Error(`it has more than ${MOST_VALUES} values of metadata`)
    switch (type) {
      case 1: case 2: return
      case 3: return this.#skip(1)
      case 4: case 5: case 6: {
        this.#number()
        return
      }
      case 7: return this.#skip(8)
      case 8: return this.#skip(this.#number())
      case 9: return this.#list(depth)
      case 12: return this.struct(depth + 1)
      default: throw new Error(`a structure has a field of the unknown type ${type}`)
    }
  }

  #list(depth: number): void {
    if (depth > MOST_DEPTH) throw new Error(`a list is more than ${MOST_DEPTH} deep`)
    const head = this.#byte()
    const type = head & 15
    const size = head >> 4 === 15 ? this.#number() : head >> 4
    // Every element takes a byte at least.
    if (size > this.#end - this.at) throw new Error(`a list of ${size} elements does not fit`)
    for (let i = 0; i < size; i += 1) {
      if (type === 1 || type === 2) this.#flag()
      else this.#value(type, depth + 1)
    }
  }

  #flag(): void {
    this.#values += 1
    this.#skip(1)
  }

  #number(): number {
    let value = 0
    for (let i = 0; i < LONGEST_NUMBER_BYTES; i += 1) {
      const byte = this.#byte()
      value += (byte & 0x7f) * 128 ** i
      if (byte < 0x80) return value
    }
    throw new Error('a number has more than 64 bits')
  }

  #byte(): number {
    if (this.at >= this.#end) throw new Error('it ends within a structure')
    const byte = this.#bytes[this.at]!
    this.at += 1
    return byte
  }

  #skip(bytes: number): void {
    if (bytes > this.#end - this.at) throw new Error(`${bytes} bytes do not fit`)
    this.at += bytes
  }
}
