/**
 * The bytes of a body, as they come: each within its size and its time, and all that the server holds within one sum. A body
 * counts until its request is answered, because what was made of it lives as long. Slow ones end soon: a thousand callers
 * that send a byte a second would else hold a thousand connections for minutes.
 */
import type { Readable } from 'node:stream'
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'

/** A larger spec than this has no meaning. */
const MOST_BYTES = 2 ** 20
/** Of all bodies together. As JSON in memory one takes several times of its bytes. */
const MOST_HELD_BYTES = 2 ** 25
const WITHIN_MS = 30_000
/** After so long it has to come at this rate at least. */
const RATE_AFTER_MS = 5000
const LEAST_BYTES_PER_SECOND = 1024
const LOOK_EVERY_MS = 500

/** Calls once when the request is answered, or its caller is gone. */
export type WhenAnswered = (release: () => void) => void

export class RequestBodies {
  readonly #clock: Clock
  #heldBytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Throws PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, SERVER_BUSY. `declared` is the header Content-Length. */
  async read(stream: Readable, declared: string | undefined, whenAnswered: WhenAnswered): Promise<Buffer> {
    if (Number(declared ?? 0) > MOST_BYTES) throw tooLarge()
    const parts: Buffer[] = []
    let length = 0
    whenAnswered(() => {
      this.#heldBytes -= length
      length = 0
    })
    const startMs = this.#clock.monotonicMs()
    let stopLooking = (): void => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        stopLooking = this.#clock.every(LOOK_EVERY_MS, () => {
          const sinceMs = this.#clock.monotonicMs() - startMs
          if (sinceMs > WITHIN_MS || (sinceMs > RATE_AFTER_MS && length * 1000 < LEAST_BYTES_PER_SECOND * sinceMs)) reject(tooSlow(sinceMs))
        })
        stream.on('data', (part: Buffer) => {
          length += part.length
          this.#heldBytes += part.length
          parts.push(part)
          if (length > MOST_BYTES) reject(tooLarge())
          else if (this.#heldBytes > MOST_HELD_BYTES) reject(new SweepmillError('SERVER_BUSY', 'The server holds as many bytes of requests as it may. Send the request again later.'))
        })
        stream.once('end', resolve)
        stream.once('error', reject)
        stream.once('close', () => { reject(new SweepmillError('REQUEST_INVALID', 'The connection was closed before the body was there.')) })
      })
    } finally {
      stopLooking()
      // It is not destroyed: its connection carries the answer.
      stream.removeAllListeners('data')
      stream.pause()
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length)
  }
}

function tooLarge(): SweepmillError {
  return new SweepmillError('PAYLOAD_TOO_LARGE', `The body is larger than ${MOST_BYTES} bytes; name a file instead of sending data.`)
}

function tooSlow(sinceMs: number): SweepmillError {
  return new SweepmillError('REQUEST_TIMEOUT', `The body did not come within ${Math.round(sinceMs / 1000)} s. Send all of it at once: ${WITHIN_MS / 1000} s are given, and after ${RATE_AFTER_MS / 1000} s at least ${LEAST_BYTES_PER_SECOND} bytes a second are expected.`)
}
