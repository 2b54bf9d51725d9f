/**
 * Group commit: calls that arrive while a flush is under way travel together in the next one.
 *
 * There is no timer: an idle batcher flushes at once, a busy one batches by itself, so a single call
 * pays one round trip and a thousand concurrent calls pay a few. A batch that fails on its data is
 * split in half until the culprit stands alone; `splits` says which errors are worth splitting for
 * (a lost connection is not).
 */
interface Waiting<I, O> {
  readonly item: I
  readonly resolve: (value: O) => void
  readonly reject: (error: unknown) => void
}

export interface BatcherOptions {
  readonly maxItems: number
  /** Flushes under way at once. */
  readonly lanes: number
  readonly splits: (error: unknown) => boolean
}

export class Batcher<I, O> {
  readonly #flush: (items: readonly I[]) => Promise<readonly O[]>
  readonly #options: BatcherOptions
  #waiting: Waiting<I, O>[] = []
  #busy = 0
  #scheduled = false

  constructor(flush: (items: readonly I[]) => Promise<readonly O[]>, options: BatcherOptions) {
    this.#flush = flush
    this.#options = options
  }

  add(item: I): Promise<O> {
    return new Promise<O>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  addAll(items: readonly I[]): Promise<O[]> {
    return Promise.all(items.map((item) => this.add(item)))
  }

  /** A microtask later, so that calls of one tick share a batch. */
  #schedule(): void {
    if (this.#scheduled || this.#busy >= this.#options.lanes || this.#waiting.length === 0) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      const batch = this.#waiting.splice(0, this.#options.maxItems)
      if (batch.length === 0) return
      this.#busy += 1
      void this.#run(batch).finally(() => {
        this.#busy -= 1
        this.#schedule()
      })
      this.#schedule()
    })
  }

  async #run(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const results = await this.#flush(batch.map((waiting) => waiting.item))
      batch.forEach((waiting, i) => waiting.resolve(results[i] as O))
    } catch (error) {
      if (batch.length === 1 || !this.#options.splits(error)) {
        for (const waiting of batch) waiting.reject(error)
        return
      }
      const middle = batch.length >> 1
      await this.#run(batch.slice(0, middle))
      await this.#run(batch.slice(middle))
    }
  }
}
