/**
 * A process as it can be known again later, by others: its number alone may have been given to somebody else. Used for the
 * servers, for whoever holds a lock, and for the users of a supervisor that was killed.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

export interface ProcessMark {
  readonly pid: number
  /** As the system counts it. */
  readonly started: string
  /** A count of the same value after another boot is another moment. Null where the system does not say. */
  readonly boot: string | null
}

/** When the process started. Null: no such process, or it is a zombie with all its threads. */
export function startOf(pid: number): string | null {
  try {
    if (!existsSync('/proc/self/stat')) return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Of one that is killed the first thread is dead before the others are, which hold its sockets and files for a moment more.
    const isOver = fields[0] === 'Z' && Number(fields[17]) <= 1
    return isOver ? null : fields[19] ?? null
  } catch {
    return null
  }
}

/** Null for one that is gone. */
export function markOf(pid: number): ProcessMark | null {
  const started = startOf(pid)
  return started === null ? null : { pid, started, boot: bootId() }
}

export function isRunning({ pid, started, boot }: ProcessMark): boolean {
  return (boot === null || boot === bootId()) && startOf(pid) === started
}

/** What was read from a file, as a mark; null for everything else. Files of earlier versions have no boot. */
export function asMark(value: unknown): ProcessMark | null {
  const { pid, started, boot = null } = (value ?? {}) as { pid?: unknown; started?: unknown; boot?: unknown }
  if (!Number.isSafeInteger(pid) || Number(pid) <= 1 || typeof started !== 'string') return null
  return { pid: Number(pid), started, boot: typeof boot === 'string' ? boot : null }
}

/** The signal arrives, or the process is gone. */
export function signal({ pid }: ProcessMark, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone between the look and the word.
  }
}

function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return null
  }
}
