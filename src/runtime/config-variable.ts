/**
 * How one environment variable becomes a value: the parsers, and the sentence a bad value earns.
 *
 * A parser returns the value or throws `BadValue` with what to write instead; who calls it adds the
 * variable's name and the offending text (hidden where it may hold a secret). No parser touches the
 * environment itself, so all of them can be tested with plain strings.
 */
import { isAbsolute } from 'node:path'
import type { TaskPriority } from '../tasks/task.js'
import { PRIORITIES } from '../tasks/task.js'

/** Thrown by a parser: says what a good value looks like, as the end of a sentence. */
export class BadValue extends Error {}

export function parseWhole(text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new BadValue(`write a whole number from ${min} to ${max}`)
  return value
}

export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text.toLowerCase())
  if (found === undefined) throw new BadValue(`write one of ${choices.join(', ')}`)
  return found
}

/** Names that travel in Redis keys, Prometheus labels and log lines. */
export function parseName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) {
    throw new BadValue('write 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit')
  }
  return text
}

export function parseKeyPrefix(text: string): string {
  if (!/^[\x21-\x7e]{1,64}$/.test(text)) throw new BadValue('write 1 to 64 visible ASCII characters without spaces, such as team-a: or {team-a}:')
  return text
}

/** `high:8,medium:4,low:1`, each named once. */
export function parseWeights(text: string): Readonly<Record<TaskPriority, number>> {
  const wanted = 'write a weight from 1 to 1000 for each priority, such as high:8,medium:4,low:1, or nothing for strict priority'
  const weights: Partial<Record<TaskPriority, number>> = {}
  for (const part of text.split(',')) {
    const match = /^\s*(high|medium|low)\s*[:=]\s*(\d{1,4})\s*$/i.exec(part)
    const priority = PRIORITIES.find((name) => name === match?.[1]?.toLowerCase())
    const weight = Number(match?.[2])
    if (priority === undefined || weights[priority] !== undefined || !(weight >= 1 && weight <= 1000)) throw new BadValue(wanted)
    weights[priority] = weight
  }
  const { high, medium, low } = weights
  if (high === undefined || medium === undefined || low === undefined) throw new BadValue(wanted)
  return Object.freeze({ high, medium, low })
}

/** RFC 6750 tokens, separated by commas. */
export function parseTokens(text: string): readonly string[] {
  const tokens = text.split(',').map((token) => token.trim()).filter((token) => token !== '')
  if (tokens.length === 0 || tokens.some((token) => !/^[A-Za-z0-9._~+/-]+=*$/.test(token))) {
    throw new BadValue('write tokens of letters, digits and -._~+/ separated by commas')
  }
  return Object.freeze([...new Set(tokens)])
}

/** `redis://`, `rediss://`, or the path of a Unix socket (plain or as `unix://`). Syntax only: nothing is connected. */
export function parseRedisUrl(text: string): string {
  const wanted = 'write redis://host:6379, rediss://host:6379 for TLS, or the absolute path of a Unix socket'
  if (isAbsolute(text)) return text
  const url = parseUrl(text, wanted)
  if (url.protocol === 'unix:') {
    if (url.hostname !== '' || url.pathname.length < 2) throw new BadValue(wanted)
    return decodeURIComponent(url.pathname)
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') throw new BadValue(wanted)
  if (url.hostname === '') throw new BadValue(`${wanted}: the host is missing`)
  if (url.port === '0') throw new BadValue(`${wanted}: port 0 does not exist`)
  if (!/^\/?\d{0,5}$/.test(url.pathname)) throw new BadValue(`${wanted}: after the host comes the number of a database or nothing`)
  return text
}

/** `postgres://` or `postgresql://`; the host may be absent when `?host=` names a socket folder. */
export function parseDatabaseUrl(text: string): string {
  const wanted = 'write postgres://user:password@host:5432/database'
  const url = parseUrl(text, wanted)
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw new BadValue(wanted)
  if (url.hostname === '' && !url.searchParams.has('host')) throw new BadValue(`${wanted}: the host is missing`)
  if (url.port === '0') throw new BadValue(`${wanted}: port 0 does not exist`)
  if (url.pathname.length < 2) throw new BadValue(`${wanted}: the database's name is missing`)
  return text
}

function parseUrl(text: string, wanted: string): URL {
  // `redis:host` parses as an opaque path; demand the two slashes so that the host is a host.
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /\s/.test(text)) throw new BadValue(wanted)
  try {
    return new URL(text)
  } catch {
    throw new BadValue(wanted)
  }
}

/** Names of query values that are, or let in like, a password. */
const SECRET_NAME = /pass|pwd|secret|token|key|auth|cred|sig/i

/**
 * A URL (or something that was meant to be one) without what lets somebody in. A name is shown only beside the password of
 * a server: alone it may be a token, and so may both parts for a web address. Text that does not parse, or has an `@`
 * behind its host, loses everything before the last `@`, because nobody knows where the password ends.
 */
export function hideSecrets(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? ''
  if (scheme !== '' && URL.canParse(text)) {
    const url = new URL(text)
    if (!`${url.pathname}${url.search}${url.hash}`.includes('@')) return withoutSecrets(text, url)
  }
  const rest = text.slice(scheme.length)
  const at = rest.lastIndexOf('@')
  const shown = at < 0 ? rest : `***${rest.slice(at)}`
  return scheme + shown.replaceAll(/([?&;#][^=&;#]*)=[^&;#]*/g, (pair, name: string) => (SECRET_NAME.test(name) ? `${name}=***` : pair))
}

function withoutSecrets(text: string, url: URL): string {
  const names = [...url.searchParams.keys()].filter((name) => SECRET_NAME.test(name))
  const hasUser = url.username !== '' || url.password !== ''
  if (!hasUser && names.length === 0 && !url.hash.includes('=')) return text
  if (hasUser && (url.password === '' || /^https?:$/.test(url.protocol))) [url.username, url.password] = ['***', '']
  else if (hasUser) url.password = '***'
  for (const name of names) url.searchParams.set(name, '***')
  if (url.hash.includes('=')) url.hash = '***'
  return url.href
}
