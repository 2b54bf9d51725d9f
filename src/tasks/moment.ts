/**
 * The one reader of the moments that a task, a schedule or a filter names, for every door. A day that no calendar has
 * (30 February) is refused, where `Date.parse` makes another day of it; so is a year that Postgres cannot keep.
 */
import { parseIsoTime } from '../engine/calendar/iso-time.js'

export const MOMENT_FORM = 'an ISO 8601 time of the years 1 to 9999, such as 2025-11-05T17:30:00Z'

/** ISO 8601 in UTC with milliseconds; a text without a zone is UTC. Undefined for what is no moment. */
export function readMoment(text: string): string | undefined {
  const ms = parseIsoTime(text)
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
