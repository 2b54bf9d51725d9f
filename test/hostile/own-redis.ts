/** A redis-server of a test's own, as it asks for it: a replica, a node of a Cluster, one with little memory. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findProgram } from '../../src/services/binary.js'
import { fetchRedis } from '../../src/services/fetch-redis.js'
import { findPlace } from '../../src/services/place.js'
import { eventually } from '../eventually.js'
import { shareRedisProgram } from '../faults/own-servers.js'

export interface OwnRedis {
  readonly port: number
  /** Where it keeps its files. */
  readonly folder: string
  readonly redis: Redis
  close(): Promise<void>
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => { probe.listen(0, '127.0.0.1', resolve) })
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => { probe.close(resolve) })
  return port
}

export async function openRedis(...options: readonly string[]): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'sweepmill-redis-'))
  shareRedisProgram(folder)
  const searchPath = process.env['PATH'] ?? ''
  const file = findProgram('redis-server', searchPath) ?? findProgram('valkey-server', searchPath)
  const program = file === null ? await fetchRedis(findPlace(folder).folder, searchPath, () => undefined) : { file, libraries: [] }
  if (program === null) throw new Error('there is no redis-server here')
  const port = await freePort()
  const server = spawn(program.file, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options], {
    env: { ...process.env, LD_LIBRARY_PATH: program.libraries.join(':') }, stdio: 'ignore',
  })
  const ended = new Promise((resolve) => { server.once('close', resolve) })
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 100, maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  await eventually('the server', async () => (await redis.ping().catch(() => '')) === 'PONG')
  return {
    port, folder, redis,
    close: async () => {
      redis.disconnect()
      server.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
      rmSync(findPlace(folder).folder, { recursive: true, force: true })
    },
  }
}
