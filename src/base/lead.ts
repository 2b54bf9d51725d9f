/**
 * How far a thread may be ahead of whoever takes what it sends: what was sent and not taken yet, counted in shared memory.
 * A thread sleeps while it is too far ahead, so a file of any size is never in memory as a whole.
 */
const KIB = 1024
const LOOK_EVERY_MS = 50

export class Lead {
  readonly buffer: SharedArrayBuffer
  /** In KiB, because it holds 32 bits: up to 2 TiB. */
  readonly #taken: Int32Array
  #sentKib = 0

  constructor(buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#taken = new Int32Array(buffer)
  }

  /** By who takes: a part of so many bytes is taken. */
  took(bytes: number): void {
    Atomics.add(this.#taken, 0, Math.ceil(bytes / KIB))
    Atomics.notify(this.#taken, 0)
  }

  /** By who sends, in a thread, after each part. */
  sent(bytes: number): void {
    this.#sentKib += Math.ceil(bytes / KIB)
  }

  /** By who sends, in a thread: sleeps while more than so many bytes are under way. `stop` is asked now and then; true where it said so. */
  wait(mostBytes: number, stop: () => boolean): boolean {
    for (;;) {
      if (stop()) return true
      const taken = Atomics.load(this.#taken, 0)
      if ((this.#sentKib - taken) * KIB <= mostBytes) return false
      Atomics.wait(this.#taken, 0, taken, LOOK_EVERY_MS)
    }
  }
}
