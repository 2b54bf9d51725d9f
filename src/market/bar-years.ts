/**
 * The years in which a bar lies. Prices are older than exchanges, but bars are kept by months of four digits, and a day and
 * an offset must lie inside too.
 */
import { shownTime } from '../base/time-span.js'

const FIRST_YEAR = 1000
const LAST_YEAR = 9998

/** What is wrong with the time, as the end of a sentence that begins with the row; null: nothing. */
export function problemOfYear(ms: number): string | null {
  const year = new Date(ms).getUTCFullYear()
  return year >= FIRST_YEAR && year <= LAST_YEAR ? null : `has the time ${shownTime(ms)}; a bar lies in the years ${FIRST_YEAR} to ${LAST_YEAR}`
}
