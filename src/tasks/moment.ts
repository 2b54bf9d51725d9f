/**
 * The one reader of the moments that a task, a schedule or a filter names, for every door. A day that no calendar has
 * (30 February) is refused, where `Date.parse` makes another day of it; so is a year that Postgres cannot keep.
 */
import { parseIsoTime } from '../engine/calendar/iso-time.js'

/** 0001-01-01 and the end of 9999, in milliseconds since 1970. */
const EARLIEST_MS = -62_135_596_800_000
const LATEST_MS = 253_402_300_799_999

export const MOMENT_FORM = 'an ISO 8601 time, such as 2025-11-05T17:30:00Z'

/** ISO 8601 in UTC with milliseconds; a text without a zone is UTC. Undefined for what is no moment. */
export function readMoment(text: string): string | undefined {
  const ms = parseIsoTime(text)
  return ms === undefined || ms < EARLIEST_MS || ms > LATEST_MS ? undefined : new Date(ms).toISOString()
}
