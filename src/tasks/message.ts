/**
 * The bytes of a stream entry's `body` field: one format-version byte, then msgpack of the payload.
 *
 * Decoding never trusts: anything that is not version 1 and an object is MESSAGE_UNDECODABLE, and a
 * newer version is told apart from garbage, because a newer worker may read what this one cannot.
 */
import { Packr } from 'msgpackr'
import { SweepmillError } from '../base/errors.js'
import { isTooDeep, TOO_DEEP } from '../base/json-depth.js'

const MESSAGE_VERSION = 1

/** A larger payload stays in Postgres and only the id travels. */
export const MAX_BODY_BYTES = 64 * 1024

const packr = new Packr({ useRecords: false })

/** The body, or null when the payload is larger than `MAX_BODY_BYTES`. */
export function encodeBody(data: Readonly<Record<string, unknown>>): Buffer | null {
  const packed = packr.pack(data)
  if (packed.length + 1 > MAX_BODY_BYTES) return null
  return Buffer.concat([Uint8Array.of(MESSAGE_VERSION), packed])
}

export type DecodedBody =
  | { readonly kind: 'payload'; readonly data: Record<string, unknown> }
  | { readonly kind: 'newer'; readonly version: number }

export function decodeBody(body: Uint8Array): DecodedBody {
  const version = body[0]
  if (version === undefined || version === 0) throw undecodable('it is empty')
  if (version > MESSAGE_VERSION) return { kind: 'newer', version }
  let data: unknown
  try {
    data = packr.unpack(body.subarray(1))
  } catch (cause) {
    throw undecodable('the msgpack is broken', cause)
  }
  if (isTooDeep(data)) throw undecodable(`something in it ${TOO_DEEP}`)
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw undecodable('it does not hold an object')
  return { kind: 'payload', data: data as Record<string, unknown> }
}

function undecodable(why: string, cause?: unknown): SweepmillError {
  return new SweepmillError('MESSAGE_UNDECODABLE', `The body of a message does not decode: ${why}.`, { cause })
}
