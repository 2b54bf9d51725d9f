/**
 * A connection to Redis whose bytes may be anything. The client throws what it cannot make sense of in a later tick, where
 * it would end the process, and goes on after an answer that nobody asked for, although all later answers may then belong
 * to other commands. Here either ends the connection: whoever waits is told, and the client connects again.
 */
import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'

interface Handler {
  dispatch(answer: () => void): void
  returnFatalError(error: unknown): void
}

/** The client's reader of answers, which it does not export. */
const { default: { prototype } } = createRequire(import.meta.url)('ioredis/built/DataHandler.js') as { readonly default: { readonly prototype: Handler } }
prototype.dispatch = function dispatch(this: Handler, answer: () => void): void {
  try {
    answer()
  } catch (error) {
    this.returnFatalError(error)
  }
}

/** A server that swallows bytes (a half-open connection) is given up after this; well under a lease. */
const SILENCE_MS = 5000
/** A server that takes connections and cuts each would be tried for ever: the client counts its tries anew with each. */
const COMMAND_MS = 10_000

/**
 * `waitMs`: how long a command may wait for what it asks for. `onTrouble` hears why a connection broke, which the rejected
 * commands do not say.
 */
export function redisConnection(url: string, options: RedisOptions, waitMs: number, onTrouble: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    keepAlive: 10_000, lazyConnect: true, connectTimeout: 10_000, retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1000),
    socketTimeout: waitMs + SILENCE_MS, commandTimeout: waitMs + COMMAND_MS, ...options,
  })
  redis.on('error', (error: Error) => {
    onTrouble(error)
    if (error.message.startsWith('Command queue state error')) redis.disconnect(true)
  })
  return redis
}
