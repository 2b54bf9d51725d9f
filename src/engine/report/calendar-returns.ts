/**
 * Returns by month and year, from equity at the last bar of each (UTC). The first month starts at the initial cash.
 * The summary's own figures are taken where it has them: one page must not state two.
 */
import { formatIsoTime } from '../calendar/iso-time.js'

export interface CalendarYear {
  readonly year: string
  /** January to December in percent; null where the run has no bar. */
  readonly months: readonly (number | null)[]
  readonly total: number | null
}

export function calendarReturns(time: Float64Array, equity: Float64Array, initialCash: number, summary: Readonly<Record<string, unknown>> = {}): CalendarYear[] {
  const months = periodReturns(summary['monthly_returns'], 'month') ?? byPeriod(time, equity, initialCash, 7)
  const years = new Map(periodReturns(summary['yearly_returns'], 'year') ?? byPeriod(time, equity, initialCash, 4))
  const rows = new Map<string, (number | null)[]>()
  for (const [month, value] of months) {
    const year = month.slice(0, 4)
    const row = rows.get(year) ?? Array.from({ length: 12 }, () => null)
    row[Number(month.slice(5, 7)) - 1] = value
    rows.set(year, row)
  }
  return [...rows].map(([year, row]) => ({ year, months: row, total: years.get(year) ?? null }))
}

type PeriodReturn = readonly [period: string, percent: number | null]

/** `[{month: "2020-01", return: 1.5}]` or the same with year; anything else is not ours to read. */
function periodReturns(value: unknown, key: 'month' | 'year'): PeriodReturn[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const out: PeriodReturn[] = []
  for (const one of value as readonly unknown[]) {
    const row = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>
    const period = String(row[key])
    const percent = row['return']
    if (!(key === 'month' ? /^\d{4}-(0[1-9]|1[0-2])$/ : /^\d{4}$/).test(period) || (percent !== null && typeof percent !== 'number')) return null
    out.push([period, percent])
  }
  return out
}

/** `digits` of the ISO time name the period: 7 for months, 4 for years. Days are looked at only where the period may turn. */
function byPeriod(time: Float64Array, equity: Float64Array, initialCash: number, digits: 4 | 7): PeriodReturn[] {
  const out: PeriodReturn[] = []
  let start = initialCash
  let from = 0
  while (from < time.length) {
    const period = formatIsoTime(time[from]!).slice(0, digits)
    // The first bar of the next period, by bisection: times ascend.
    let low = from + 1
    let high = time.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (formatIsoTime(time[middle]!).slice(0, digits) === period) low = middle + 1
      else high = middle
    }
    const end = equity[low - 1]!
    out.push([period, start > 0 ? (end / start - 1) * 100 : null])
    start = end
    from = low
  }
  return out
}
