/**
 * A redis-server for a Debian or Ubuntu machine that has none, without touching the system: its packages are
 * downloaded and unpacked into the services' folder. (No npm package ships a redis-server that runs there.)
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { findProgram, runProgram } from './binary.js'
import type { Finished } from './binary.js'
import { serverEnvironment } from './server-environment.js'
import { asideOf } from './whole-file.js'

export interface RedisProgram {
  readonly file: string
  /** Folders of shared libraries that came with it. */
  readonly libraries: readonly string[]
}

/** Null when this system has no apt, or its archive no Redis. */
export async function fetchRedis(folder: string, searchPath: string, log: (line: string) => void): Promise<RedisProgram | null> {
  const target = join(folder, 'redis-program')
  // One that does not run is one that a cleaner of temporary folders was at, or a full disk.
  const there = programIn(target)
  if (there !== null && await runs(there)) return there
  const apt = findProgram('apt-get', searchPath)
  const dpkg = findProgram('dpkg', searchPath)
  const cache = findProgram('apt-cache', searchPath)
  if (apt === null || dpkg === null || cache === null) return null
  const work = asideOf(target)
  rmSync(work, { recursive: true, force: true })
  const unpacked = join(work, 'unpacked')
  mkdirSync(join(work, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(work, 'archives', 'partial'), { recursive: true })
  mkdirSync(unpacked, { recursive: true })
  // An ordinary user keeps package lists of its own; root uses the system's, which the sandbox user need not read.
  const options = process.getuid?.() === 0
    ? ['-o', 'APT::Sandbox::User=root']
    : ['-o', `Dir::State=${work}`, '-o', 'Dir::State::status=/var/lib/dpkg/status', '-o', `Dir::Cache=${work}`]
  const has = async (name: string): Promise<boolean> => (await runProgram(cache, [...options, 'show', name])).ok
  try {
    log('fetching redis-server from this system\'s package archive')
    if (!await has('redis-server')) await runProgram(apt, [...options, 'update', '-qq'])
    if (!await has('redis-server')) return null
    const wanted = ['redis-server', 'redis-tools']
    const done = new Set<string>()
    while (wanted.length > 0) {
      const name = wanted.pop() ?? ''
      if (done.has(name)) continue
      done.add(name)
      const got: Finished = await runProgram(apt, [...options, 'download', name], { cwd: work })
      // A library may have another name here; whether all are there shows when it runs.
      if (!got.ok) {
        if (name === 'redis-server') throw failed(got)
        continue
      }
      wanted.push(...await missingDependencies(cache, options, name))
    }
    for (const file of readdirSync(work).filter((one) => one.endsWith('.deb'))) {
      const done = await runProgram(dpkg, ['-x', join(work, file), unpacked])
      if (!done.ok) throw failed(done)
    }
    const fetched = programIn(unpacked)
    if (fetched === null || !await runs(fetched)) return null
    rmSync(target, { recursive: true, force: true })
    renameSync(unpacked, target)
    return programIn(target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Libraries a package needs that this system has not installed. */
async function missingDependencies(cache: string, options: readonly string[], name: string): Promise<string[]> {
  const { output } = await runProgram(cache, [...options, 'depends', '--no-recommends', '--no-suggests', '--no-conflicts', '--no-breaks', '--no-replaces', '--no-enhances', name])
  const names = [...output.matchAll(/^\s+\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9+.-]*)$/gm)].map(([, found]) => found ?? '').filter((one) => /^(lib|lua)/.test(one))
  const missing: string[] = []
  for (const one of names) {
    const { ok, output: status } = await runProgram('dpkg-query', ['-W', '-f', '${Status}', one])
    if (!ok || !status.includes('install ok installed')) missing.push(one)
  }
  return missing
}

/** The archive has it, so this passes: the network, or the room on the disk. */
function failed({ output }: Finished): SweepmillError {
  return new SweepmillError('SERVICE_FAILED', `redis-server could not be fetched: ${output.trim().split('\n').slice(-3).join(' | ')}`)
}

async function runs({ file, libraries }: RedisProgram): Promise<boolean> {
  return (await runProgram(file, ['--version'], { cwd: '/', env: { ...serverEnvironment(), ...libraryPath(libraries) } })).ok
}

/** Its own libraries before the system's. */
export function libraryPath(libraries: readonly string[]): { LD_LIBRARY_PATH: string } {
  return { LD_LIBRARY_PATH: [...libraries, process.env['LD_LIBRARY_PATH'] ?? ''].filter((one) => one !== '').join(delimiter) }
}

function programIn(root: string): RedisProgram | null {
  const file = join(root, 'usr', 'bin', 'redis-server')
  if (!existsSync(file)) return null
  const lib = join(root, 'usr', 'lib')
  const libraries = existsSync(lib) ? [lib, ...readdirSync(lib, { withFileTypes: true }).filter((one) => one.isDirectory()).map((one) => join(lib, one.name))] : []
  return { file, libraries }
}
