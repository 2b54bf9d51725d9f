/**
 * A redis-server for a Debian or Ubuntu machine that has none, without touching the system: its packages are
 * downloaded and unpacked into the services' folder. (No npm package ships a redis-server that runs there.)
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, runProgram } from './binary.js'
import type { Finished } from './binary.js'

export interface RedisProgram {
  readonly file: string
  /** Folders of shared libraries that came with it. */
  readonly libraries: readonly string[]
}

/** Null when this system has no apt, or its archive no Redis. */
export async function fetchRedis(folder: string, searchPath: string, log: (line: string) => void): Promise<RedisProgram | null> {
  const target = join(folder, 'redis-program')
  const there = programIn(target)
  if (there !== null) return there
  const apt = findProgram('apt-get', searchPath)
  const dpkg = findProgram('dpkg', searchPath)
  const cache = findProgram('apt-cache', searchPath)
  if (apt === null || dpkg === null || cache === null) return null
  const work = `${target}.${process.pid}`
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
      if (!got.ok) continue
      wanted.push(...await missingDependencies(cache, options, name))
    }
    for (const file of readdirSync(work).filter((one) => one.endsWith('.deb'))) await runProgram(dpkg, ['-x', join(work, file), unpacked])
    if (programIn(unpacked) === null) return null
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

function programIn(root: string): RedisProgram | null {
  const file = join(root, 'usr', 'bin', 'redis-server')
  if (!existsSync(file)) return null
  const lib = join(root, 'usr', 'lib')
  const libraries = existsSync(lib) ? [lib, ...readdirSync(lib, { withFileTypes: true }).filter((one) => one.isDirectory()).map((one) => join(lib, one.name))] : []
  return { file, libraries }
}
