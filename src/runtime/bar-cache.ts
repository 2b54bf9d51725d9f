/**
 * Market data of this process: each content hash once, in one SharedArrayBuffer, for all threads.
 *
 * Bars in use are never evicted; unused ones go, least recently used first, when others need the memory. Loading
 * happens in a thread, after the memory was admitted; concurrent requests for one hash share one load. Whoever waits
 * for memory hears so about once a second, and the last one to give up takes the load out of the line.
 */
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { collectGarbage } from '../base/garbage.js'
import type { BarArchive, DatasetRecord } from '../tasks/bar-archive.js'
import type { BarsLease, BarStore } from '../tasks/bar-store.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { DataMemory } from './data-memory.js'

const WAITING_EVERY_MS = 1000
const MIB = 2 ** 20

interface Cached {
  readonly buffer: SharedArrayBuffer
  readonly bars: number
  users: number
}

interface Load {
  readonly done: Promise<void>
  readonly abandon: AbortController
  /** Until then it waits for memory, and is given up when nobody wants it any more. */
  admitted: boolean
  wanted: number
}

export class BarCache implements BarStore {
  readonly #archive: BarArchive
  readonly #pool: ComputePool
  readonly #clock: Clock
  readonly #memory: DataMemory
  /** In order of last use, oldest first. */
  readonly #cached = new Map<string, Cached>()
  readonly #loading = new Map<string, Load>()

  constructor(archive: BarArchive, pool: ComputePool, clock: Clock, budgetBytes: number) {
    this.#archive = archive
    this.#pool = pool
    this.#clock = clock
    this.#memory = new DataMemory({
      budgetBytes, clock, collectGarbage, evictOne: () => this.#evictOne(), recall: (dataHash) => pool.recall(dataHash),
    })
  }

  async acquire(dataHash: string, signal?: AbortSignal, onWait?: () => void): Promise<BarsLease> {
    for (;;) {
      signal?.throwIfAborted()
      const cached = this.#cached.get(dataHash)
      if (cached !== undefined) return this.#lease(dataHash, cached)
      // Unused bars may be evicted again before this caller has its turn; then it loads once more.
      await this.#loaded(dataHash, signal, onWait)
    }
  }

  put(dataHash: string, buffer: SharedArrayBuffer, bars: number): void {
    // Bars that do not fit at once are loaded from the archive when they are needed and admitted.
    if (this.#cached.has(dataHash) || this.#loading.has(dataHash) || !this.#memory.tryTake(buffer.byteLength)) return
    this.#keep(dataHash, buffer, bars)
  }

  /** They become the first to go. Evicting them now would cost every thread a collection for each task that is undone. */
  drop(dataHash: string): void {
    const cached = this.#cached.get(dataHash)
    if (cached?.users !== 0) return
    const others = [...this.#cached].filter(([hash]) => hash !== dataHash)
    this.#cached.clear()
    for (const [hash, one] of [[dataHash, cached] as const, ...others]) this.#cached.set(hash, one)
  }

  /** Bytes in use, loading or not yet given back, and the budget. */
  get memory(): { readonly usedBytes: number; readonly budgetBytes: number } {
    return this.#memory
  }

  close(): void {
    this.#memory.close()
  }

  #lease(dataHash: string, cached: Cached): BarsLease {
    cached.users += 1
    this.#cached.delete(dataHash)
    this.#cached.set(dataHash, cached)
    let held = true
    return {
      dataHash, buffer: cached.buffer, bars: cached.bars,
      release: () => {
        if (!held) return
        held = false
        cached.users -= 1
        this.#memory.pump()
      },
    }
  }

  async #loaded(dataHash: string, signal: AbortSignal | undefined, onWait: (() => void) | undefined): Promise<void> {
    const load = this.#loading.get(dataHash) ?? this.#startLoad(dataHash)
    load.wanted += 1
    const stopTelling = onWait === undefined ? undefined : this.#clock.every(WAITING_EVERY_MS, onWait)
    let stopListening = (): void => undefined
    try {
      await Promise.race([load.done, new Promise<never>((_resolve, reject) => {
        const onAbort = (): void => { reject(signal?.reason as Error) }
        signal?.addEventListener('abort', onAbort, { once: true })
        stopListening = () => signal?.removeEventListener('abort', onAbort)
      })])
    } finally {
      stopTelling?.()
      stopListening()
      load.wanted -= 1
      if (load.wanted === 0 && !load.admitted) {
        this.#loading.delete(dataHash)
        load.abandon.abort(new SweepmillError('TASK_CANCELLED', 'Nobody waits for these bars any more.'))
      }
      // Bars that were loaded for somebody who gave up can make room now.
      if (signal?.aborted === true) this.#memory.pump()
    }
  }

  #startLoad(dataHash: string): Load {
    const abandon = new AbortController()
    const done = this.#load(dataHash, abandon.signal, () => { load.admitted = true })
      .finally(() => {
        if (this.#loading.get(dataHash) === load) this.#loading.delete(dataHash)
        if (load.wanted === 0) this.#memory.pump()
      })
    const load: Load = { done, abandon, admitted: false, wanted: 0 }
    // Whoever waits hears of a failure; an abandoned load has nobody left to hear it.
    done.catch(() => undefined)
    this.#loading.set(dataHash, load)
    return load
  }

  async #load(dataHash: string, abandoned: AbortSignal, admitted: () => void): Promise<void> {
    const dataset = await this.#archive.dataset(dataHash)
    if (dataset === null) throw notStored(dataHash)
    const { sizeBytes } = dataset
    if (sizeBytes > this.#memory.budgetBytes) throw tooLarge(dataset, this.#memory.budgetBytes)
    await this.#memory.drained(dataHash)
    await this.#memory.take(sizeBytes, abandoned)
    admitted()
    let buffer: SharedArrayBuffer
    try {
      buffer = await this.#read(dataset)
    } catch (error) {
      this.#memory.giveBack(sizeBytes)
      throw error
    }
    // What was declared was an estimate; what is there counts.
    this.#memory.giveBack(sizeBytes - buffer.byteLength)
    if (this.#cached.has(dataHash)) this.#memory.giveBack(buffer.byteLength)
    else this.#keep(dataHash, buffer, dataset.bars)
  }

  async #read(dataset: DatasetRecord): Promise<SharedArrayBuffer> {
    const { dataHash, source, warnings } = dataset
    const blocks = await this.#archive.blocks(dataset)
    if (blocks === null) throw notStored(dataHash)
    const reply = await this.#pool.run({
      step: 'load_bars', input: { data_hash: dataHash, meta: { source, warnings } },
      bytes: Object.fromEntries(blocks.map((block, i) => [`block:${i}`, block])), moves: true, priority: 'high', divisible: false, userCode: false,
    })
    const buffer = reply.shared['bars']
    if (buffer === undefined) throw new SweepmillError('INVARIANT', 'The step load_bars returned no bars.')
    return buffer
  }

  #keep(dataHash: string, buffer: SharedArrayBuffer, bars: number): void {
    this.#memory.watch(buffer)
    this.#cached.set(dataHash, { buffer, bars, users: 0 })
    this.#memory.pump()
  }

  #evictOne(): boolean {
    for (const [dataHash, { users, buffer }] of this.#cached) {
      // Whoever waited for them to load has its turn first.
      if (users > 0 || this.#loading.has(dataHash)) continue
      this.#cached.delete(dataHash)
      this.#memory.letGo(dataHash, buffer)
      return true
    }
    return false
  }
}

function notStored(dataHash: string): SweepmillError {
  return new SweepmillError('NOT_RESOLVABLE', `The bars ${dataHash} are not in the store.`, { details: { data_hash: dataHash } })
}

function tooLarge({ source, dataHash, bars, sizeBytes }: DatasetRecord, budgetBytes: number): SweepmillError {
  const needed = Math.ceil(sizeBytes / MIB)
  return new SweepmillError('DATA_TOO_LARGE', `The ${bars} bars of ${source} take ${needed} MiB; this worker keeps at most ${Math.floor(budgetBytes / MIB)} MiB of market data. Raise DATA_MEMORY_MB to ${needed} or more, or cut the data.`, {
    details: { data_hash: dataHash, size_bytes: sizeBytes, budget_bytes: budgetBytes },
  })
}
