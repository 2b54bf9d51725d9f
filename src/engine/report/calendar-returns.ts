/** Returns by month as the rows of a table, a year each. */
import { dayRuleOf } from '../../base/bar-day.js'
import { monthlyReturns, yearlyReturns } from '../metrics/calendar-periods.js'

export interface CalendarYear {
  readonly year: string
  /** January to December in percent; null where the run has no bar. */
  readonly months: readonly (number | null)[]
  readonly total: number | null
}

export function calendarReturns(time: Float64Array, equity: Float64Array, initialCash: number): CalendarYear[] {
  const { shiftMs } = dayRuleOf(time)
  const rows = new Map<string, (number | null)[]>()
  for (const { month, return: value } of monthlyReturns(time, equity, initialCash, shiftMs)) {
    const year = month.slice(0, 4)
    const row = rows.get(year) ?? Array.from({ length: 12 }, () => null)
    row[Number(month.slice(5, 7)) - 1] = value
    rows.set(year, row)
  }
  const years = new Map(yearlyReturns(time, equity, initialCash, shiftMs).map(({ year, return: value }) => [String(year).padStart(4, '0'), value]))
  return [...rows].map(([year, months]) => ({ year, months, total: years.get(year) ?? null }))
}
