/**
 * What people call a task: a name, and tags to find several by. Neither changes what is computed, nor whether a repeated
 * idempotency key is a repeat. Names may be used twice.
 */
import { SweepmillError } from '../base/errors.js'

export interface TaskLabel {
  readonly name: string | null
  /** Each once, in the order given. */
  readonly tags: readonly string[]
}

export const NAME_RULE = 'a text of 1 to 100 characters on one line'
export const TAG_RULE = 'a text of 1 to 50 letters, digits and . _ : = / @ + -, which begins with a letter or digit'
const MOST_TAGS = 20

export function isTaskName(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 100 && !/[\p{Cc}\p{Cs}]/u.test(value)
}

export function isTag(value: unknown): value is string {
  return typeof value === 'string' && /^[\p{L}\p{N}][\p{L}\p{N}._:=/@+-]{0,49}$/u.test(value)
}

/** Absent and null are none. Throws SPEC_INVALID that names the key. */
export function taskLabel({ name, tags }: { readonly name?: unknown; readonly tags?: unknown }): TaskLabel {
  const given: unknown = tags ?? []
  if (name !== undefined && name !== null && !isTaskName(name)) throw invalid('name', `"name" is ${short(name)}; it must be ${NAME_RULE}.`)
  if (!Array.isArray(given) || given.length > MOST_TAGS) throw invalid('tags', `"tags" is ${short(given)}; it must be a list of at most ${MOST_TAGS} tags.`)
  const bad: unknown = given.find((tag) => !isTag(tag))
  if (bad !== undefined || given.includes(undefined)) throw invalid('tags', `The tag ${short(bad)} cannot be used; it must be ${TAG_RULE}.`)
  return { name: name === undefined || name === null ? null : (name as string).trim(), tags: [...new Set(given as readonly string[])] }
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80)
}

function invalid(path: string, message: string): SweepmillError {
  return new SweepmillError('SPEC_INVALID', message, { details: { path } })
}
