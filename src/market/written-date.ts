/**
 * Dates as people and programs write them, beyond 2020-01-31: with the month's name, without leading zeros, run together
 * with the time of day. Only what can be read in one way is read; day or month first is for a date format to say.
 */
import { dayMs, monthOfName } from './calendar-day.js'
import { timeOfDayText } from './time-of-day.js'

const WORD = String.raw`(\p{L}{3,10})\.?`
const WEEKDAY = String.raw`(?:\p{L}{2,9}\.?,?\s+)?`
const REST = '(.*)$'
/** Groups: year, month or its name, day, what follows. */
const YEAR_FIRST = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)(.*)$/
const RUN_TOGETHER = /^(\d{4})(\d{2})(\d{2})([ T_-].+)$/i
const DAY_NAME_YEAR = new RegExp(String.raw`^${WEEKDAY}(\d{1,2})\.?[-/. ]?\s*${WORD},?[-/. ]?\s*(\d{4})(?!\d)${REST}`, 'u')
const NAME_DAY_YEAR = new RegExp(String.raw`^${WEEKDAY}${WORD}[-/. ]\s*(\d{1,2})(?:,\s*|[-/. ]\s*)(\d{4})(?!\d)${REST}`, 'u')
const YEAR_NAME_DAY = new RegExp(String.raw`^(\d{4})[-/. ]\s*${WORD}[-/. ]\s*(\d{1,2})(?!\d)${REST}`, 'u')

/** Milliseconds since 1970; NaN for what is no date, or more than one. */
export function writtenDate(text: string): number {
  const yearFirst = YEAR_FIRST.exec(text)
  if (yearFirst !== null) return moment(dayMs(Number(yearFirst[1]), Number(yearFirst[3]), Number(yearFirst[4])), yearFirst[5])
  const together = RUN_TOGETHER.exec(text)
  if (together !== null) return moment(dayMs(Number(together[1]), Number(together[2]), Number(together[3])), together[4], true)
  if (!/\p{L}{3}/u.test(text)) return Number.NaN
  const [day, name, year, rest] = groups(DAY_NAME_YEAR, text)
  if (name !== undefined) return moment(dayMs(Number(year), monthOfName(name), Number(day)), rest)
  const [nameBefore, dayAfter, yearAfter, restAfter] = groups(NAME_DAY_YEAR, text)
  if (nameBefore !== undefined) return moment(dayMs(Number(yearAfter), monthOfName(nameBefore), Number(dayAfter)), restAfter)
  const [firstYear, middleName, lastDay, lastRest] = groups(YEAR_NAME_DAY, text)
  return middleName === undefined ? Number.NaN : moment(dayMs(Number(firstYear), monthOfName(middleName), Number(lastDay)), lastRest)
}

/** The day, with the time of day where one follows; `dash`: after a dash too, which elsewhere could be an offset. */
export function moment(day: number, rest: string | undefined, dash = false): number {
  if (rest === undefined || rest.trim() === '') return day
  const [, clock] = (dash ? /^(?:\s*[T_,-]\s*|\s+)(.+)$/i : /^(?:\s*[T_,]\s*|\s+)(.+)$/i).exec(rest) ?? []
  return clock === undefined ? Number.NaN : day + timeOfDayText(clock)
}

function groups(form: RegExp, text: string): readonly (string | undefined)[] {
  return form.exec(text)?.slice(1) ?? []
}
