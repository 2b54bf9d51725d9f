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
  /**
   * From memory, else from the archive, once there is room for them; `onWait` is called now and then until that.
   * NOT_RESOLVABLE when neither has the hash, DATA_TOO_LARGE when there can never be room.
   */
  acquire(dataHash: string, signal?: AbortSignal, onWait?: () => void): Promise<BarsLease>
  /** Offers bars that were just parsed, so that they need not be loaded; they are kept if there is room now. */
  put(dataHash: string, buffer: SharedArrayBuffer, bars: number): void
  /** Bars that nobody will want again soon: if unused, they are the first to make room. */
  drop(dataHash: string): void
}
