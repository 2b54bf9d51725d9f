/**
 * Who may use the API: holders of a token where tokens are set, else callers on this machine only.
 *
 * Tokens are compared as keyed digests, all of them every time, so that the time taken says nothing
 * about how much of a guess was right. Without tokens a web page could still reach a loopback server by
 * a name that resolves to 127.0.0.1, so the Host header must name loopback too.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { SweepmillError } from '../base/errors.js'
import { isLoopback } from './exposure.js'

export class BearerAuth {
  readonly #key = randomBytes(32)
  readonly #digests: readonly Buffer[]

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map((token) => this.#digest(token))
  }

  /** Throws UNAUTHORIZED. `hostname` is the Host header without its port. */
  check(authorization: string | undefined, hostname: string): void {
    if (this.#digests.length === 0) {
      if (isLoopback(hostname)) return
      throw new SweepmillError('UNAUTHORIZED',
        `This server has no API_TOKENS and answers only to requests for localhost, not for "${hostname}": set API_TOKENS to serve others.`)
    }
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) {
      throw new SweepmillError('UNAUTHORIZED', 'The request carries no token: send the header "Authorization: Bearer TOKEN".')
    }
    const presented = this.#digest(token)
    let known = false
    for (const digest of this.#digests) known = timingSafeEqual(digest, presented) || known
    if (!known) throw new SweepmillError('UNAUTHORIZED', 'The token is not one of this server\'s API_TOKENS.')
  }

  #digest(token: string): Buffer {
    return createHmac('sha256', this.#key).update(token).digest()
  }
}
