/**
 * How a spec is refused: one place that turns unknown keys and zod's issues into a SPEC_INVALID whose sentence
 * names the path, the value and what to write instead. Values are shown shortened, never whole.
 */
import type { z } from 'zod'
import { SweepmillError } from '../../base/errors.js'
import { isTooDeep, TOO_DEEP } from '../../base/json-depth.js'
import { nearest } from './nearest.js'

export function specInvalid(path: string, message: string, details: Record<string, unknown> = {}): SweepmillError {
  return new SweepmillError('SPEC_INVALID', message, { details: { path, ...details } })
}

/** A plain object of bounded depth, or SPEC_INVALID. The first that every parser of a spec asks. */
export function requireObject(value: unknown, path: string): Record<string, unknown> {
  const where = path === '' ? 'The specification' : path
  if (isTooDeep(value)) throw specInvalid(path, `Something in ${path === '' ? 'the specification' : path} ${TOO_DEEP}.`)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw specInvalid(path, `${where} is ${show(value)}, but must be a JSON object.`)
}

/** Refuses the first key that is not known, with the nearest known one. Keys of `later` versions pass, and are not named. */
export function refuseUnknownKeys(value: Record<string, unknown>, known: readonly string[], path: string, later: readonly string[] = []): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key) || later.includes(key)) continue
    const full = path === '' ? key : `${path}.${key}`
    const guess = nearest(key, known)
    throw specInvalid(full,
      `Unknown key "${full}"${guess === undefined ? '.' : `; did you mean "${guess}"?`} Known here: ${known.join(', ')}.`,
      { known })
  }
}

/** Refuses a value that the design names and this version does not do. */
export function refuseNotSupported(path: string, value: unknown, instead: string): never {
  throw new SweepmillError('NOT_SUPPORTED', `${path} ${show(value)} is not supported by this version; ${instead}.`, { details: { path, value } })
}

/** The parsed value, or SPEC_INVALID for the first issue. `json` is what was parsed, for showing the bad value. */
export function parseOrRefuse<Output>(schema: z.ZodType<Output>, json: unknown, path: string): Output {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const keys = issue?.path.map(String) ?? []
  const full = [path, ...keys].filter((part) => part !== '').join('.')
  let value: unknown = json
  for (const key of issue?.path ?? []) value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
  const message = issue?.message ?? 'is not valid'
  throw specInvalid(full, value === undefined ? `${full} is missing; it ${message}.` : `${full} is ${show(value)}, but ${message}.`, { value: show(value) })
}

export function show(value: unknown): string {
  const text = textOf(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** Not everything that is refused is JSON: it may be nested without end, contain itself, or throw when it is looked at. */
function textOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  try {
    return JSON.stringify(typeof value === 'string' ? value.slice(0, 80) : value) ?? String(value)
  } catch {
    return Array.isArray(value) ? 'a list' : `a ${typeof value}`
  }
}
