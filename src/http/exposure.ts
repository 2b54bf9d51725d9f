/**
 * Where the server may listen: anywhere with tokens, on loopback only without.
 *
 * `assertListenable` is called before any service starts, so that a wrong address or a port in use
 * costs nothing; the listen of the server itself gives the same errors should the port be lost since.
 */
import { createServer } from 'node:net'
import { SweepmillError } from '../base/errors.js'

export interface ListenOptions {
  readonly httpHost: string
  readonly httpPort: number
  readonly apiTokens: readonly string[]
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return bare === 'localhost' || bare === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare)
}

/** CONFIG_INVALID where everybody could reach a server that asks for no token. */
export function assertExposure({ httpHost, apiTokens }: ListenOptions): void {
  if (apiTokens.length > 0 || isLoopback(httpHost)) return
  throw new SweepmillError('CONFIG_INVALID',
    `HTTP_HOST is "${httpHost}", which others can reach, but API_TOKENS is empty: set API_TOKENS to one or more secret tokens, or HTTP_HOST to 127.0.0.1.`,
    { details: { variable: 'HTTP_HOST', value: httpHost } })
}

/** Listens for a moment. CONFIG_INVALID, PORT_IN_USE. */
export async function assertListenable(options: ListenOptions): Promise<void> {
  assertExposure(options)
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject)
      probe.listen({ host: options.httpHost, port: options.httpPort, exclusive: true }, resolve)
    })
  } catch (error) {
    throw listenError(error, options)
  } finally {
    await new Promise<void>((resolve) => { probe.close(() => resolve()) })
  }
}

export function listenError(error: unknown, { httpHost, httpPort }: ListenOptions): SweepmillError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') {
    return new SweepmillError('PORT_IN_USE',
      `Port ${httpPort} on ${httpHost} is taken by another program: stop it, or set HTTP_PORT to a free port (0 takes any).`,
      { details: { variable: 'HTTP_PORT', host: httpHost, port: httpPort }, cause: error })
  }
  if (code === 'EACCES') {
    return new SweepmillError('CONFIG_INVALID', `HTTP_PORT ${httpPort} may not be used by this user: set HTTP_PORT to 1024 or more.`,
      { details: { variable: 'HTTP_PORT', value: String(httpPort) }, cause: error })
  }
  const why = error instanceof Error ? error.message : String(error)
  return new SweepmillError('CONFIG_INVALID', `HTTP_HOST "${httpHost}" cannot be listened on (${why}): set it to an address of this machine, such as 127.0.0.1.`,
    { details: { variable: 'HTTP_HOST', value: httpHost }, cause: error })
}
