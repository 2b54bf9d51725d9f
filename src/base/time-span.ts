/**
 * The times that there are, for every reader of one: years 1 to 9999. Earlier and later ones have no four digits; Postgres,
 * a `Date` and ISO 8601 each write them in a way that the others do not read.
 */

/** 0001-01-01 and the last millisecond of 9999, since 1970. */
export const EARLIEST_MS = -62_135_596_800_000
export const LATEST_MS = 253_402_300_799_999

export function isInSpan(ms: number): boolean {
  return ms >= EARLIEST_MS && ms <= LATEST_MS
}

/** As ISO 8601 for a message, whatever number it is. */
export function shownTime(ms: number): string {
  return isInSpan(ms) ? new Date(ms).toISOString() : `${ms} ms since 1970`
}
