/**
 * Whose page sends a request that changes something. A browser sends some requests for any page without asking (a form, a
 * fetch without a body), to a server on this machine too. Two rules keep them out: such a request says that it carries JSON,
 * which a page of another origin may only say after a question that is never answered here; and what a browser says of the
 * page is believed. Programs that are no browsers say nothing of it.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { SweepmillError } from '../base/errors.js'

const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

export function changes(method: string): boolean {
  return !READING.includes(method)
}

/** ORIGIN_FORBIDDEN. */
export function assertOwnPage({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  // Pages of this host at another port are called same-site, and are not ours.
  const says = site === undefined || site === 'same-origin' || site === 'none'
  if (says && (origin === undefined || isOwn(origin, host))) return
  throw new SweepmillError('ORIGIN_FORBIDDEN',
    `A page of ${origin ?? 'another origin'} may not change anything here. Use the command line, a program, or a page of this server; a proxy must pass the Host header on.`)
}

/** The scheme may differ: a proxy that ends TLS hands on plain HTTP. */
function isOwn(origin: string, host: string | undefined): boolean {
  try {
    const { protocol, host: named } = new URL(origin)
    return /^https?:$/.test(protocol) && host !== undefined && named === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}

/** With parameters or without. What only begins like it, names two, or another charset than UTF-8, is another type. */
export function saysJson(contentType: string | undefined): boolean {
  if (contentType === undefined || !/^application\/json[ \t]*(;[^,]*)?$/i.test(contentType)) return false
  const charset = /;[ \t]*charset[ \t]*=[ \t]*"?([^";]*)/i.exec(contentType)?.[1]
  return charset === undefined || /^utf-?8[ \t]*$/i.test(charset)
}
