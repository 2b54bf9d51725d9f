/**
 * The budget for market data (DATA_MEMORY_MB): who may have memory, and when memory is free again.
 *
 * Bytes count from before they are loaded (as declared) until they were really given back: bars that left the cache
 * stay on the books until every thread has dropped its handles and the buffer was collected on this thread too. Whoever
 * does not fit waits in order of arrival, so that many small loads cannot keep a large one waiting for ever.
 */
import type { Clock } from '../base/clock.js'

export interface DataMemoryParts {
  readonly budgetBytes: number
  readonly clock: Clock
  /** Lets go of the least recently used bars that nobody uses; false when there are none. */
  readonly evictOne: () => boolean
  /** Resolves when no thread has a handle on these bars. */
  readonly recall: (dataHash: string) => Promise<void>
  readonly collectGarbage: () => Promise<void>
}

interface Waiter {
  readonly bytes: number
  readonly admit: () => void
}

/** Bars that left the cache. */
interface Drain {
  readonly bytes: number
  collected: boolean
}

const COLLECT_PAUSE_MS = 20
const COLLECT_PAUSE_MOST_MS = 2000

export class DataMemory {
  readonly budgetBytes: number
  readonly #parts: DataMemoryParts
  readonly #waiters: Waiter[] = []
  readonly #drains = new Map<string, Promise<void>>()
  readonly #drainOf = new WeakMap<SharedArrayBuffer, Drain>()
  readonly #registry = new FinalizationRegistry<Drain>((drain) => { drain.collected = true })
  readonly #closing = new AbortController()
  #usedBytes = 0
  #drainingBytes = 0

  constructor(parts: DataMemoryParts) {
    this.#parts = parts
    this.budgetBytes = parts.budgetBytes
  }

  /** In use, loading, or not yet given back. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Takes the bytes if they fit now. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || this.#usedBytes + bytes > this.budgetBytes) return false
    this.#usedBytes += bytes
    return true
  }

  /** Takes the bytes as soon as they fit; rejects with the signal's reason when it aborts before. */
  take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', onAbort)
          this.#usedBytes += bytes
          resolve()
        },
      }
      const onAbort = (): void => {
        const at = this.#waiters.indexOf(waiter)
        if (at < 0) return
        this.#waiters.splice(at, 1)
        reject(signal.reason as Error)
        this.pump()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
      this.pump()
    })
  }

  /** Gives back bytes that were taken but never held a buffer, or more than the buffer has. */
  giveBack(bytes: number): void {
    this.#usedBytes -= bytes
    this.pump()
  }

  /** Call it while the buffer is referenced: from now on its collection is noticed. */
  watch(buffer: SharedArrayBuffer): void {
    const drain = { bytes: buffer.byteLength, collected: false }
    this.#drainOf.set(buffer, drain)
    this.#registry.register(buffer, drain)
  }

  /** The caller drops its last reference now; the bytes are free when everybody has. */
  letGo(dataHash: string, buffer: SharedArrayBuffer): void {
    const drain = this.#drainOf.get(buffer)
    if (drain === undefined) return
    this.#drainingBytes += drain.bytes
    const draining = this.#drain(dataHash, drain)
    this.#drains.set(dataHash, draining)
    void draining.then(() => { if (this.#drains.get(dataHash) === draining) this.#drains.delete(dataHash) })
  }

  /** Resolves when earlier bars of this hash were given back; the threads cannot tell two buffers of one hash apart. */
  async drained(dataHash: string): Promise<void> {
    await this.#drains.get(dataHash)
  }

  /** Something was released, or became evictable. */
  pump(): void {
    for (let [head] = this.#waiters; head !== undefined; [head] = this.#waiters) {
      if (this.#usedBytes + head.bytes <= this.budgetBytes) {
        this.#waiters.shift()
        head.admit()
        continue
      }
      // What is being given back already need not be evicted for.
      if (this.#usedBytes - this.#drainingBytes + head.bytes <= this.budgetBytes || !this.#parts.evictOne()) return
    }
  }

  close(): void {
    this.#closing.abort()
  }

  async #drain(dataHash: string, drain: Drain): Promise<void> {
    const { recall, clock, collectGarbage } = this.#parts
    const { signal } = this.#closing
    await recall(dataHash)
    for (let pauseMs = COLLECT_PAUSE_MS; !drain.collected && !signal.aborted; pauseMs = Math.min(COLLECT_PAUSE_MOST_MS, pauseMs * 2)) {
      // The collection is noticed in a later turn of the event loop; somebody (a message on its way) may still hold it.
      await collectGarbage()
      await clock.sleep(pauseMs, signal)
    }
    this.#drainingBytes -= drain.bytes
    this.#usedBytes -= drain.bytes
    this.pump()
  }
}
