/** What a strategy threw, in words: whatever it is, and whatever its getters do. */
import { SweepmillError } from '../../src/base/errors.js'
import type { Failure } from './realm-api.js'

/** As long as the message of an error may be. */
const LONGEST = 8192
/** Of Node.js and browsers: not there, because a strategy runs by itself. */
const ELSEWHERE = /\b(?:Buffer|URL|URLSearchParams|AbortController|AbortSignal|Event|EventTarget|Blob|module|exports|__dirname|__filename|window|document|self|navigator|clearTimeout|clearInterval) is not defined$/

export function textOf(thrown: unknown): string {
  try {
    const text = String(thrown instanceof Error ? thrown.message : thrown).slice(0, LONGEST)
    return advised(text)
  } catch {
    return 'a value that cannot be shown'
  }
}

export function failureOf(thrown: unknown, placeOf: (thrown: unknown) => string): Failure {
  try {
    if (thrown instanceof SweepmillError) {
      const { code, message, details, cause } = thrown
      // The engine has wrapped what a strategy threw, and knows its parameters; where it stands only the cause's stack tells.
      const place = code === 'STRATEGY_FAILED' && cause instanceof Error ? placeOf(cause) : ''
      return { code, message: `${advised(message.slice(0, LONGEST))}${place}`, ...(details === undefined ? {} : { details: JSON.parse(JSON.stringify(details)) as unknown }) }
    }
    return { code: 'STRATEGY_FAILED', message: `The strategy threw: ${textOf(thrown)}${placeOf(thrown)}` }
  } catch {
    return { code: 'STRATEGY_FAILED', message: `The strategy threw: ${textOf(thrown)}` }
  }
}

function advised(text: string): string {
  return ELSEWHERE.test(text) ? `${text}: a strategy runs by itself, and nothing of Node.js or of a browser is there` : text
}
