/**
 * What travels between the main thread and a compute thread, one union per direction.
 *
 * The request proper is msgpack behind a version byte. Binary payloads travel beside it as Uint8Arrays of their
 * own (moved, not copied again), SharedArrayBuffers as handles: msgpackr would turn the first into Buffers and the
 * second into `{}` without a word. Errors come back as data, because a class does not survive the way.
 */
import type { MessagePort } from 'node:worker_threads'
import { Packr } from 'msgpackr'
import { SweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'

const PROTOCOL_VERSION = 1
const packr = new Packr({ useRecords: false })

/** To the thread. */
export interface ThreadRequest {
  /** Version byte and msgpack of a `StepCall`. */
  readonly call: Uint8Array
  readonly bytes: Readonly<Record<string, Uint8Array>>
  readonly shared: Readonly<Record<string, SharedArrayBuffer>>
  readonly port: MessagePort | null
  readonly cells: SharedArrayBuffer
  readonly slot: number
  readonly dispatch: number
}

export interface StepCall {
  readonly step: string
  readonly input: unknown
}

/** From the thread. */
export type ThreadReply =
  | {
    readonly kind: 'done'
    readonly json: string
    readonly bytes: Readonly<Record<string, Uint8Array>>
    readonly shared: Readonly<Record<string, SharedArrayBuffer>>
    readonly threadMs: number
  }
  | { readonly kind: 'failed'; readonly error: ErrorData; readonly threadMs: number }

export function encodeCall(call: StepCall): Uint8Array {
  const packed = packr.pack(call)
  const bytes = new Uint8Array(packed.length + 1)
  bytes[0] = PROTOCOL_VERSION
  bytes.set(packed, 1)
  return bytes
}

export function decodeCall(bytes: Uint8Array): StepCall {
  if (bytes[0] !== PROTOCOL_VERSION) {
    throw new SweepmillError('INVARIANT', `A thread of protocol version ${PROTOCOL_VERSION} got a message of version ${String(bytes[0])}; build the package anew.`)
  }
  return packr.unpack(bytes.subarray(1)) as StepCall
}
