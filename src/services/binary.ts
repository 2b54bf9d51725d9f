/** Finding programs on a search path, and running them to their end. */
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export function findProgram(name: string, searchPath: string): string | null {
  for (const folder of searchPath.split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return null
}

/** Debian keeps each major version's programs apart; the newest first. */
export function debianPostgresFolders(): string[] {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return []
  return readdirSync(root).filter((one) => /^\d+$/.test(one)).sort((a, b) => Number(b) - Number(a)).map((one) => join(root, one, 'bin'))
}

export interface Finished {
  readonly ok: boolean
  readonly output: string
}

export function runProgram(file: string, args: readonly string[], options: {
  readonly cwd?: string; readonly uid?: number; readonly gid?: number; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number
} = {}): Promise<Finished> {
  const { timeoutMs = 180_000, ...rest } = options
  return new Promise((resolve) => {
    execFile(file, [...args], { ...rest, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: error === null ? stdout : `${stdout}${stderr}${error.message}` })
    })
  })
}
