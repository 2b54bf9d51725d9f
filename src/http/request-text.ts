/**
 * What the text of a request must be before a route looks at it: UTF-8, JSON that gives no key twice, and nothing that
 * its route would drop. Every refusal is REQUEST_INVALID.
 */
import { SweepmillError } from '../base/errors.js'
import { repeatedKey } from '../base/repeated-key.js'
import { refuse } from './query.js'

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/** Bytes that are no UTF-8 would be replaced, and what is stored would be another text. */
export function bodyText(body: Buffer): string {
  try {
    return UTF_8.decode(body)
  } catch {
    throw new SweepmillError('REQUEST_INVALID', 'The body is not UTF-8: send JSON in UTF-8.')
  }
}

export function assertKeysOnce(json: string): void {
  const twice = repeatedKey(json)
  if (twice !== undefined) throw refuse(twice, 'is given twice in one object, and only the last would count; keep one')
}

/** The part of an address after the question mark: its escapes must be UTF-8, else they would stand for something else. */
export function assertQueryText(url: string): void {
  const start = url.indexOf('?')
  if (start < 0) return
  try {
    decodeURIComponent(url.slice(start + 1))
  } catch {
    throw new SweepmillError('REQUEST_INVALID', 'The query is not UTF-8 in percent escapes: write %25 for a percent sign, and no half of a surrogate pair.')
  }
}

interface Takes { readonly body?: unknown; readonly querystring?: unknown }

/** A query or a body of a route that takes none. Routes that take one check its keys themselves. */
export function assertTaken(takes: Takes, query: unknown, body: unknown): void {
  const [key] = Object.keys(query as object)
  if (takes.querystring === undefined && key !== undefined) throw refuse(key, 'is not known; this address takes no query')
  if (body === undefined) return
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new SweepmillError('REQUEST_INVALID', 'The body must be a JSON object.')
  const [name] = Object.keys(body)
  if (takes.body === undefined && name !== undefined) throw refuse(name, 'is not known; this address takes no body')
}
