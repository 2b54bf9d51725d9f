/** The embedded Redis: append-only file synced every second, no eviction, loopback and password only. */
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { SweepmillError } from '../base/errors.js'
import { findProgram, runProgram } from './binary.js'
import { fetchRedis, libraryPath } from './fetch-redis.js'
import type { RedisProgram } from './fetch-redis.js'
import { giveFile, ownFolder } from './place.js'
import type { Place } from './place.js'
import { secretOf } from './secret.js'
import { adoptServer, notedPort, ownPort, startServer } from './server-process.js'
import type { RunningServer } from './server-process.js'

export interface StartedServer {
  readonly url: string
  readonly server: RunningServer
}

export async function startRedis(place: Place, searchPath: string, log: (line: string) => void): Promise<StartedServer> {
  const program = await findRedis(place, searchPath, log)
  const data = ownFolder(place, 'redis')
  const port = await ownPort(place, 'redis')
  const secret = secretOf(place)
  const config = join(data, 'redis.conf')
  giveFile(place, config, [
    `port ${port}`, 'bind 127.0.0.1', `requirepass ${secret}`, `dir "${data}"`, 'appendonly yes', 'appendfsync everysec', 'save ""',
    'maxmemory-policy noeviction', 'daemonize no', 'tcp-backlog 128', '',
  ].join('\n'))
  const url = urlOf(place, port)
  const server = await startServer(place, {
    name: 'redis', file: program.file, args: [config], stopSignal: 'SIGTERM',
    env: libraryPath(program.libraries),
    probe: () => withClient(url, async (client) => { await client.ping() }),
  })
  return { url, server }
}

/** The one that a killed supervisor left, if it answers; else it is gone when this resolves with null. */
export async function adoptRedis(place: Place): Promise<StartedServer | null> {
  const url = urlOf(place, notedPort(place, 'redis'))
  const server = await adoptServer(place, {
    name: 'redis', stopSignal: 'SIGTERM',
    probe: (pid) => withClient(url, async (client) => {
      const answering = /^process_id:(\d+)/m.exec(await client.info('server'))?.[1]
      if (Number(answering) !== pid) throw new Error('another one answers at its port')
    }),
  })
  return server === null ? null : { url, server }
}

async function withClient(url: string, use: (client: Redis) => Promise<void>): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await use(client)
  } finally {
    client.disconnect()
  }
}

function urlOf(place: Place, port: number): string {
  return `redis://:${secretOf(place)}@127.0.0.1:${port}`
}

async function findRedis(place: Place, searchPath: string, log: (line: string) => void): Promise<RedisProgram> {
  for (const name of ['redis-server', 'valkey-server']) {
    const file = findProgram(name, searchPath)
    if (file !== null && await isNewEnough(file)) return { file, libraries: [] }
  }
  const fetched = await fetchRedis(place.folder, searchPath, log)
  if (fetched !== null) return fetched
  throw new SweepmillError('SERVICE_MISSING', 'There is no Redis on this machine and none could be fetched. Install one (Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey; macOS: brew install redis), or set REDIS_URL.')
}

/** Redis 6.2, any Valkey. */
async function isNewEnough(file: string): Promise<boolean> {
  const { output } = await runProgram(file, ['--version'])
  const version = /v=(\d+)\.(\d+)/.exec(output)
  return version !== null && (Number(version[1]) > 6 || (Number(version[1]) === 6 && Number(version[2]) >= 2))
}
