/**
 * A folder for what the threads of this process write: compiled strategies, imported from files so that errors name
 * lines. It belongs to the process, because a thread that is terminated clears nothing away; what a killed process
 * left is removed by the next one.
 */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'sweepmill-threads-'

export class ScratchFolder {
  readonly path: string
  readonly #remove = (): void => { rmSync(this.path, { recursive: true, force: true }) }

  constructor() {
    removeAbandoned()
    this.path = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
    process.once('exit', this.#remove)
  }

  remove(): void {
    process.off('exit', this.#remove)
    this.#remove()
  }
}

function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-')[0] : Number.NaN)
    if (!Number.isInteger(pid) || isAlive(pid)) continue
    try {
      const path = join(tmpdir(), name)
      // One that another user made could become a link to something of ours while it is removed.
      const found = lstatSync(path)
      if (found.isDirectory() && found.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true })
    } catch {
      // Somebody was faster.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH'
  }
}
