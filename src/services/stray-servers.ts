/**
 * Servers of ours that no run file names: their supervisor was killed before it could write one, a cleaner removed it, or initdb goes
 * on without it. Two Redis on one folder would ruin each other's file, so a start adopts these or ends them first. They are known by
 * what they are and where they work; a system without /proc shows none.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { markOf } from './process-mark.js'
import type { ProcessMark } from './process-mark.js'
import type { Place } from './place.js'

const PROGRAMS = { redis: ['redis-server', 'valkey-server'], postgres: ['postgres', 'initdb'] } as const
const FOLDERS = { redis: /^redis(\/|$)/, postgres: /^postgres-\d+(\/|$)/ } as const
export type ServerName = keyof typeof PROGRAMS

export interface Stray extends ProcessMark {
  readonly parent: number
  readonly program: string
}

export function straysOf({ folder }: Place, name: ServerName): Stray[] {
  const homes = [folder, realOf(folder)].map((home) => `${home}/`)
  const isOurs = (path: string): boolean => homes.some((home) => path.startsWith(home) && FOLDERS[name].test(path.slice(home.length)))
  return pids().flatMap((pid) => {
    const { program, parent } = statOf(pid)
    const mark = (PROGRAMS[name] as readonly string[]).includes(program) && worksIn(pid, isOurs) ? markOf(pid) : null
    return mark === null ? [] : [{ ...mark, parent, program }]
  })
}

/** The one that the others are children of, unless it is still being made; null where there is not just one. */
export function serverAmong(strays: readonly Stray[]): ProcessMark | null {
  const [first, ...others] = strays.filter(({ parent, program }) => program !== 'initdb' && !strays.some(({ pid }) => pid === parent))
  return first === undefined || others.length > 0 ? null : first
}

function pids(): number[] {
  try {
    return readdirSync('/proc').filter((one) => /^\d+$/.test(one)).map(Number)
  } catch {
    return []
  }
}

function statOf(pid: number): { readonly program: string; readonly parent: number } {
  try {
    const [, program = '', parent] = /\((.*)\) \S+ (\d+)/s.exec(readFileSync(join('/proc', String(pid), 'stat'), 'utf8')) ?? []
    return { program, parent: Number(parent) }
  } catch {
    return { program: '', parent: 0 }
  }
}

/** Both servers change into their data folder; before that, and for initdb, an argument names it. */
function worksIn(pid: number, isOurs: (path: string) => boolean): boolean {
  try {
    const [, ...args] = readFileSync(join('/proc', String(pid), 'cmdline'), 'utf8').split('\0')
    // A folder that was removed under its server is shown as such.
    return args.some(isOurs) || isOurs(readlinkSync(join('/proc', String(pid), 'cwd')).replace(/ \(deleted\)$/, ''))
  } catch {
    return false
  }
}

function realOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}
