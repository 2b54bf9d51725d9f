/**
 * What a compute thread needs of Piscina, so that thread files need not know it: the data it was started with, and
 * replies whose buffers are moved to the main thread instead of copied.
 */
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import type { ThreadReply } from './protocol.js'

export interface ThreadOptions {
  /** Linux nice value. */
  readonly niceness: number
  /** BroadcastChannel over which the main thread recalls data. */
  readonly recallChannel: string
}

export function threadOptions(): ThreadOptions {
  return workerData as ThreadOptions
}

/** Buffers go over without a copy where a payload owns all of its buffer. */
export function movable(reply: Extract<ThreadReply, { kind: 'done' }>): ThreadReply {
  const owned = Object.values(reply.bytes).filter((bytes) => bytes.byteLength === bytes.buffer.byteLength).map((bytes) => bytes.buffer)
  return move({
    get [transferableSymbol]() { return [...new Set(owned)] },
    get [valueSymbol]() { return reply },
  } as never) as unknown as ThreadReply
}
