/** Returns by month and year as a table whose cells are shaded by their size: green gains, red losses. */
import { DASH, formatNumber } from './markup.js'
import type { CalendarYear } from './calendar-returns.js'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** Share of the colour in the deepest cell; text must stay readable on it in light and dark. */
const DEEPEST = 55

export function monthTable(years: readonly CalendarYear[]): string {
  if (years.length === 0) return ''
  const largest = (values: readonly (number | null)[]): number => Math.max(1e-9, ...values.map((value) => Math.abs(value ?? 0)))
  const byMonth = largest(years.flatMap(({ months }) => months))
  const byYear = largest(years.map(({ total }) => total))
  const rows = years.map(({ year, months, total }) =>
    `<tr><th scope="row" class="l">${year}</th>${months.map((value) => cell(value, byMonth)).join('')}${cell(total, byYear)}</tr>`)
  return `<div class="scroll"><table class="months"><thead><tr><th scope="col" class="l">%</th>${[...MONTHS, 'Year'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`
}

function cell(value: number | null, largest: number): string {
  if (value === null) return `<td>${DASH}</td>`
  // The root shows small months beside one that was a catastrophe.
  const depth = Math.round(DEEPEST * Math.sqrt(Math.abs(value) / largest))
  const shade = depth === 0 ? '' : ` style="background:color-mix(in srgb,var(--${value < 0 ? 'bad' : 'good'}) ${depth}%,transparent)"`
  return `<td${shade}>${formatNumber(value, 1)}</td>`
}
