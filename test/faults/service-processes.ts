/** The processes of embedded services, found as a stranger would: by the folder that they name or work in. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { packageRoot } from '../../src/base/package-root.js'
import { findPlace } from '../../src/services/place.js'
import type { Services } from '../../src/services/services.js'
import { eventually } from '../eventually.js'

export interface Found {
  readonly pid: number
  readonly program: string
  readonly command: string
}

export function processesOf(stateDir: string): Found[] {
  const folders = [stateDir, realpathSync(stateDir), findPlace(stateDir).folder]
  return readdirSync('/proc').filter((one) => /^\d+$/.test(one)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const isDead = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
      const text = `${command} ${readlinkSync(`/proc/${pid}/cwd`)}`
      return !isDead && folders.some((folder) => text.includes(folder)) ? [{ pid: Number(pid), program: /\((.*)\)/s.exec(stat)?.[1] ?? '', command }] : []
    } catch {
      return []
    }
  })
}

export const supervisors = (stateDir: string): Found[] => processesOf(stateDir).filter(({ command }) => command.includes('supervisor.js'))
export const servers = (stateDir: string): Found[] => processesOf(stateDir).filter(({ program }) => /^(postgres|initdb|redis-server|valkey-server)$/.test(program))

export interface User {
  readonly process: ChildProcess
  readonly output: () => string
  readonly exited: Promise<void>
}

export function startUser(stateDir: string, then: 'hold' | 'leave' = 'hold', graceMs = 300): User {
  const child = spawn(process.execPath, [join(packageRoot, 'dist', 'test', 'faults', 'service-user.js'), stateDir, String(graceMs), then], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += String(data) })
  return { process: child, output: () => output, exited: new Promise((resolve) => { child.once('close', () => { resolve() }) }) }
}

export async function isReady(user: User): Promise<void> {
  await eventually('a user to have its services', () => Promise.resolve(user.output().includes('ready\n')))
}

export function kill(found: readonly { readonly pid?: number | undefined }[], signal: NodeJS.Signals = 'SIGKILL'): void {
  for (const { pid } of found) {
    try {
      if (pid !== undefined) process.kill(pid, signal)
    } catch {
      // Gone already.
    }
  }
}

/** Both answer and take a write. */
export async function work({ redisUrl, databaseUrl }: Pick<Services, 'redisUrl' | 'databaseUrl'>): Promise<void> {
  const redis = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    await redis.set('key', 'value')
  } finally {
    redis.disconnect()
  }
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('create table if not exists kept (n int); insert into kept values (1)')
  await client.end()
}

export async function noneIsLeft(stateDir: string): Promise<void> {
  await eventually('every process to be gone', () => Promise.resolve(processesOf(stateDir).length === 0))
}

export function removePlace(stateDir: string): void {
  const { folder } = findPlace(stateDir)
  for (const path of [folder, stateDir]) rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}
