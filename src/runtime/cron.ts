/** Cron expressions: five fields, or six with seconds first, in a time zone. Daylight saving is the library's business. */
import { Cron } from 'croner'
import { SweepmillError } from '../base/errors.js'
import { isInSpan } from '../base/time-span.js'

/** The first time after `afterMs` as ISO 8601 UTC, or null when it never comes. Throws SPEC_INVALID for an expression or a zone that is none. */
export function nextFireAt(cron: string, timeZone: string, afterMs: number): string | null {
  try {
    const next = new Cron(cron, { timezone: timeZone }).nextRun(new Date(afterMs))
    return next === null || !isInSpan(next.getTime()) ? null : next.toISOString()
  } catch (cause) {
    throw new SweepmillError('SPEC_INVALID', `"${cron}" in the time zone ${timeZone} cannot be read as a schedule: ${why(cause)}. Write five fields (minute, hour, day, month, weekday), such as "0 6 * * 1-5", and a zone such as Europe/Berlin.`, { cause })
  }
}

function why(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return (message.split('. ')[0] ?? message).replace(/^Cron(Pattern|Date): /, '').replace(/\.$/, '')
}
