/** The embedded Redis: append-only file synced every second, no eviction, loopback and password only. */
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { SweepmillError } from '../base/errors.js'
import { findProgram, runProgram } from './binary.js'
import { fetchRedis } from './fetch-redis.js'
import type { RedisProgram } from './fetch-redis.js'
import { giveFile, ownFolder } from './place.js'
import type { Place } from './place.js'
import { secretOf } from './secret.js'
import { ownPort, startServer } from './server-process.js'
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
  const url = `redis://:${secret}@127.0.0.1:${port}`
  const server = await startServer(place, {
    name: 'redis', file: program.file, args: [config], stopSignal: 'SIGTERM',
    env: { LD_LIBRARY_PATH: [...program.libraries, process.env['LD_LIBRARY_PATH'] ?? ''].filter((one) => one !== '').join(delimiter) },
    probe: async () => {
      const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 })
      client.on('error', () => undefined)
      try {
        await client.connect()
        await client.ping()
      } finally {
        client.disconnect()
      }
    },
  })
  return { url, server }
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
