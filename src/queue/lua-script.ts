/**
 * One Lua script: sent once, then called by its SHA-1. A Redis that restarted has forgotten it (NOSCRIPT) and
 * gets the text again. Replies stay Buffers, because message bodies are binary.
 */
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

export type Reply = Buffer | number | null | Reply[]
export type Argument = string | number | Buffer

export class LuaScript {
  readonly #text: string
  readonly #sha: string

  constructor(text: string) {
    this.#text = text
    this.#sha = createHash('sha1').update(text).digest('hex')
  }

  async run(redis: Redis, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const rest = [keys.length, ...keys, ...args]
    try {
      return await redis.callBuffer('EVALSHA', this.#sha, ...rest) as Reply
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return await redis.callBuffer('EVAL', this.#text, ...rest) as Reply
    }
  }
}

export function asText(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString('utf8')
  return String(reply)
}

export function asList(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : []
}
