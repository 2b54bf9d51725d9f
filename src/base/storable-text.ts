/**
 * Texts that Postgres can keep: no NUL, and no half of a surrogate pair. Either may come in a message of an exchange, in
 * an error, or in what a caller sends. Here is what they are replaced with, so that one can see that something stood there.
 */

/** U+2400, the picture of a NUL. */
const NUL_SHOWN = '\u2400'
/** U+FFFD, which also stands for bytes that are no character. */
const HALF_SHOWN = '\ufffd'

export function isStorable(text: string): boolean {
  return !text.includes('\0') && !/\p{Cs}/u.test(text)
}

export function storableText(text: string): string {
  return isStorable(text) ? text : text.replaceAll('\0', NUL_SHOWN).replaceAll(/\p{Cs}/gu, HALF_SHOWN)
}

/** Escapes that jsonb refuses, and others that only look like them: two backslashes, a whole pair. */
const ESCAPES = /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[dD][89a-fA-F][\da-fA-F]{2}|u0000|[^])/g

/** The same for JSON as text, where both stand as escapes. It is not decoded. */
export function storableJson(json: string): string {
  if (!/\\u(?:0000|[dD][89a-fA-F])/.test(json)) return json
  return json.replaceAll(ESCAPES, (escape) => {
    if (escape === '\\u0000') return NUL_SHOWN
    return escape.length === 6 && /^\\u[dD][89a-fA-F]/.test(escape) ? HALF_SHOWN : escape
  })
}

/** At most `most` characters, with a word on what was cut. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text
  const end = /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most - 1 : most
  // A slice alone would keep all of the text in memory: the array makes characters of its own.
  return `${Array.from({ length: end }, (_, i) => text[i]).join('')} … (${text.length - end} more characters)`
}
