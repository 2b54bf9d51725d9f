/** Query strings, checked key by key; REQUEST_INVALID names the key. */
import { SweepmillError } from '../base/errors.js'
import { parseIsoTime } from '../engine/calendar/iso-time.js'

const MAX_LIMIT = 1000

/** The values of known keys, each given at most once. */
export function soleValues<K extends string>(query: Readonly<Record<string, unknown>>, known: readonly K[]): Partial<Record<K, string>> {
  for (const [key, value] of Object.entries(query)) {
    if (!(known as readonly string[]).includes(key)) throw refuse(key, `is not known; known are ${known.join(', ')}`)
    if (typeof value !== 'string') throw refuse(key, 'was given more than once')
  }
  return query as Partial<Record<K, string>>
}

export function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MAX_LIMIT) throw refuse('limit', `must be a whole number from 1 to ${MAX_LIMIT}`)
  return limit
}

export function parseTime(key: string, text: string): string {
  const ms = parseIsoTime(text)
  if (ms === undefined) throw refuse(key, 'must be an ISO 8601 time, such as 2025-11-05T17:30:00Z')
  return new Date(ms).toISOString()
}

export function refuse(key: string, why: string): SweepmillError {
  return new SweepmillError('REQUEST_INVALID', `"${key}" ${why}.`, { details: { key } })
}
