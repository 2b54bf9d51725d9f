/**
 * Port: market data in this process, once per content hash. A handle is one SharedArrayBuffer that threads
 * attach to; it stays in memory at least until every lease on it is released.
 */
export interface BarsLease {
  readonly dataHash: string
  readonly buffer: SharedArrayBuffer
  readonly bars: number
  release(): void
}

export interface BarStore {
  /** From memory, else from the archive. NOT_RESOLVABLE when neither has the hash. */
  acquire(dataHash: string, signal?: AbortSignal): Promise<BarsLease>
  /** Puts bars that were just parsed, so that they are not loaded again. */
  put(dataHash: string, buffer: SharedArrayBuffer, bars: number): void
  /** Forgets bars that nobody uses. */
  drop(dataHash: string): void
}
