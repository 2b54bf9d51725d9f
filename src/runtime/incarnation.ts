/**
 * Who this process is, and whether another incarnation is surely dead.
 *
 * Only a process on the same host, in the same pid namespace and the same boot can be judged without waiting:
 * if no process has its pid with its start time, it is gone. Everything else is judged by silence alone.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { engineVersion } from '../base/engine-version.js'
import { newNonce } from '../base/ids.js'
import type { Incarnation } from '../tasks/task-store.js'

export function thisIncarnation(workerName: string, threads: number, role: Incarnation['role']): Incarnation {
  return {
    id: `${workerName}-${newNonce()}`, workerName, host: hostname(), pid: process.pid, processKey: processKey(process.pid),
    threads, role, engine: engineVersion, stopped: false,
  }
}

/** Boot id, pid namespace and start time of a process of this host; null where /proc does not tell. */
function processKey(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const start = startTime(pid)
    return start === null ? null : `${boot} ${readlinkSync('/proc/self/ns/pid')} ${start}`
  } catch {
    return null
  }
}

/**
 * Field 22 of /proc/PID/stat, counted after the command's closing parenthesis (a name may hold spaces). Null for a
 * zombie: it is dead, and stays listed until its parent looks.
 */
function startTime(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19] ?? null
}

export function isSurelyDead(other: Incarnation): boolean {
  if (other.stopped) return true
  if (other.processKey === null || other.host !== hostname()) return false
  const here = processKey(process.pid)
  if (here === null) return false
  const sameWorld = here.split(' ').slice(0, 2).join(' ') === other.processKey.split(' ').slice(0, 2).join(' ')
  return sameWorld && processKey(other.pid) !== other.processKey
}
