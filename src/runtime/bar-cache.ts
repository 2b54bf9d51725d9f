/**
 * Market data of this process: each content hash once, in one SharedArrayBuffer, for all threads.
 *
 * Bars in use are never evicted; unused ones go, least recently used first, when the sum exceeds the budget.
 * Loading happens in a thread; concurrent requests for one hash share one load.
 */
import { SweepmillError } from '../base/errors.js'
import type { BarArchive } from '../tasks/bar-archive.js'
import type { BarsLease, BarStore } from '../tasks/bar-store.js'
import type { ComputePool } from '../tasks/compute-pool.js'

interface Cached {
  readonly buffer: SharedArrayBuffer
  readonly bars: number
  users: number
}

export class BarCache implements BarStore {
  readonly #archive: BarArchive
  readonly #pool: ComputePool
  readonly #budgetBytes: number
  /** In order of last use, oldest first. */
  readonly #cached = new Map<string, Cached>()
  readonly #loading = new Map<string, Promise<void>>()

  constructor(archive: BarArchive, pool: ComputePool, budgetBytes: number) {
    this.#archive = archive
    this.#pool = pool
    this.#budgetBytes = budgetBytes
  }

  async acquire(dataHash: string, signal?: AbortSignal): Promise<BarsLease> {
    if (!this.#cached.has(dataHash)) {
      let loading = this.#loading.get(dataHash)
      if (loading === undefined) {
        loading = this.#load(dataHash).finally(() => this.#loading.delete(dataHash))
        this.#loading.set(dataHash, loading)
      }
      await loading
      signal?.throwIfAborted()
    }
    const cached = this.#cached.get(dataHash)
    if (cached === undefined) throw new SweepmillError('NOT_RESOLVABLE', `The bars ${dataHash} were evicted while they loaded; raise DATA_MEMORY_MB.`)
    cached.users += 1
    this.#touch(dataHash, cached)
    let held = true
    return {
      dataHash, buffer: cached.buffer, bars: cached.bars,
      release: () => {
        if (!held) return
        held = false
        cached.users -= 1
        this.#evict()
      },
    }
  }

  put(dataHash: string, buffer: SharedArrayBuffer, bars: number): void {
    if (this.#cached.has(dataHash)) return
    this.#cached.set(dataHash, { buffer, bars, users: 0 })
    this.#evict(dataHash)
  }

  drop(dataHash: string): void {
    if (this.#cached.get(dataHash)?.users === 0) this.#cached.delete(dataHash)
  }

  get bytes(): number {
    let sum = 0
    for (const cached of this.#cached.values()) sum += cached.buffer.byteLength
    return sum
  }

  async #load(dataHash: string): Promise<void> {
    const stored = await this.#archive.load(dataHash)
    if (stored === null) throw new SweepmillError('NOT_RESOLVABLE', `The bars ${dataHash} are not in the store.`, { details: { data_hash: dataHash } })
    const { dataset, blocks } = stored
    const reply = await this.#pool.run({
      step: 'load_bars', input: { data_hash: dataHash, meta: { source: dataset.source, warnings: dataset.warnings } },
      bytes: Object.fromEntries(blocks.map((block, i) => [`block:${i}`, block])), priority: 'high', divisible: false, userCode: false,
    })
    const buffer = reply.shared['bars']
    if (buffer === undefined) throw new SweepmillError('INVARIANT', 'The step load_bars returned no bars.')
    this.put(dataHash, buffer, dataset.bars)
  }

  #touch(dataHash: string, cached: Cached): void {
    this.#cached.delete(dataHash)
    this.#cached.set(dataHash, cached)
  }

  #evict(keep?: string): void {
    let bytes = this.bytes
    for (const [hash, cached] of this.#cached) {
      if (bytes <= this.#budgetBytes) return
      if (cached.users > 0 || hash === keep) continue
      this.#cached.delete(hash)
      bytes -= cached.buffer.byteLength
    }
  }
}
