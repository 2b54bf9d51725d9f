/** A schema and a key prefix on servers that may be killed: what one fault test or one soak works in. */
import type { OwnServers } from './own-servers.js'
import type { Scene } from './invariants.js'

export interface OwnScene extends Scene {
  /** For the processes that work in it. */
  readonly environment: Readonly<Record<string, string>>
}

export async function openScene(servers: OwnServers, schema: string): Promise<OwnScene> {
  await servers.sql(`create schema ${schema}`)
  const url = new URL(servers.databaseUrl)
  url.searchParams.set('options', `-c search_path=${schema}`)
  const inSchema = (text: string): string => text.replaceAll(/\b(from|join) (tasks|task_events)\b/g, `$1 ${schema}.$2`)
  return {
    redis: servers.redis, prefix: `${schema}:`, sql: (text, values) => servers.sql(inSchema(text), values),
    environment: { REDIS_URL: servers.redisUrl, DATABASE_URL: url.href, KEY_PREFIX: `${schema}:` },
  }
}
