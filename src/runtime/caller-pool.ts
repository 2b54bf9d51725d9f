/** The threads as one caller uses them: what was asked for in its name is cancelled when it goes away. */
import type { ComputePool, ComputeReply, ComputeRequest, PoolStats } from '../tasks/compute-pool.js'

export class CallerPool implements ComputePool {
  readonly #pool: ComputePool
  readonly #gone: AbortSignal

  constructor(pool: ComputePool, gone: AbortSignal) {
    this.#pool = pool
    this.#gone = gone
  }

  get threads(): number { return this.#pool.threads }

  async run(request: ComputeRequest): Promise<ComputeReply> {
    this.#gone.throwIfAborted()
    try {
      return await this.#pool.run({ ...request, signal: request.signal === undefined ? this.#gone : AbortSignal.any([request.signal, this.#gone]) })
    } catch (thrown) {
      // The pool says "cancelled"; that the caller went away says why.
      this.#gone.throwIfAborted()
      throw thrown
    }
  }

  stats(): PoolStats { return this.#pool.stats() }

  recall(dataHash: string): Promise<void> { return this.#pool.recall(dataHash) }

  close(): Promise<void> { return this.#pool.close() }
}
