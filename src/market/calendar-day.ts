/** Days of the calendar as milliseconds since 1970 UTC, by arithmetic; and the months' names. */
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** NaN for a day that does not exist. */
export function dayMs(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1)) return Number.NaN
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  if (day > (MONTH_DAYS[month - 1] ?? 0) + (month === 2 && leap ? 1 : 0)) return Number.NaN
  // Days since 1970 by arithmetic (years begin in March, so that the leap day comes last): Date.UTC takes four times as long.
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * 146_097 + dayOfEra - 719_468) * 86_400_000
}

const ENGLISH = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']
const GERMAN = ['januar', 'februar', 'märz', 'april', 'mai', 'juni', 'juli', 'august', 'september', 'oktober', 'november', 'dezember']

/** 1 to 12 for an English or German month, whole or cut after three letters or more; NaN for another word. */
export function monthOfName(word: string): number {
  const name = word.toLowerCase().replace(/\.$/, '').replace(/^(mrz|maerz)$/, 'märz')
  if (name.length < 3) return Number.NaN
  const at = [ENGLISH, GERMAN].map((names) => names.findIndex((one) => one.startsWith(name))).find((k) => k >= 0)
  return at === undefined ? Number.NaN : at + 1
}
