/** Port: CPU-bound steps in threads. */
import type { MessagePort } from 'node:worker_threads'

export type ComputePriority = 'high' | 'medium' | 'low'

export interface ComputeRequest {
  readonly step: string
  readonly input: unknown
  readonly shared?: Readonly<Record<string, SharedArrayBuffer>>
  readonly bytes?: Readonly<Record<string, Uint8Array>>
  /** True: the caller has no more use for `bytes`. They are moved to the thread instead of copied, and empty afterwards. */
  readonly moves?: boolean
  readonly priority: ComputePriority
  readonly user?: string
  readonly taskId?: string
  readonly attempt?: number
  readonly divisible: boolean
  readonly userCode: boolean
  readonly signal?: AbortSignal
  /** How long it may give no sign of life before its thread is ended; absent: as long as the pool says. */
  readonly stallMs?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly port?: MessagePort
}

export interface ComputeReply {
  readonly json: string
  readonly bytes: Readonly<Record<string, Uint8Array>>
  readonly shared: Readonly<Record<string, SharedArrayBuffer>>
  readonly threadMs: number
}

export interface PoolStats {
  readonly threads: number
  readonly busy: number
  /** Busy threads that have given no sign of life for ten seconds. */
  readonly stuck: number
  readonly waiting: Readonly<Record<ComputePriority, number>>
  readonly completed: number
  readonly busyMs: number
  readonly replacedThreads: number
  readonly startedAtMs: number
}

export interface ComputePool {
  run(request: ComputeRequest): Promise<ComputeReply>
  readonly threads: number
  stats(): PoolStats
  /** Resolves when no thread has a handle on these bars any more. For bars that no step uses. */
  recall(dataHash: string): Promise<void>
  close(): Promise<void>
}
