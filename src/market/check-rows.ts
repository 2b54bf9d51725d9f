/** What no row of bars may be, whatever file it came from: impossible prices, and times that do not ascend. */
import { shownTime } from '../base/time-span.js'
import { problemOfYear } from './bar-years.js'
import type { BarColumns, ColumnName } from './layout.js'

/** Rounded data may put a close a hair above its high. */
const TOLERANCE = 1e-9

const PRICES: readonly ColumnName[] = ['open', 'high', 'low', 'close']
const ADJUSTED_PRICES: readonly ColumnName[] = [...PRICES, 'adjclose']

/** What is wrong, as the end of a sentence that begins with the row. */
export interface RowProblem {
  readonly what: string
  readonly column: ColumnName
  readonly value: string
}

type Columns = Readonly<Record<Exclude<ColumnName, 'adjclose'>, Float64Array>> & { readonly adjclose?: Float64Array }

/** One test passes almost every row; the reasons are found out only when it fails. */
export function canBeBar(open: number, high: number, low: number, close: number, volume: number): boolean {
  const slack = high * TOLERANCE
  return low > 0 && open > 0 && close > 0 && high + slack >= low && high + slack >= open && high + slack >= close
    && low - slack <= open && low - slack <= close && volume >= 0
}

/** Null for a row of numbers that can be a bar. */
export function problemOfRow(columns: Columns, i: number, hasAdjclose: boolean): RowProblem | null {
  const open = columns.open[i]!, high = columns.high[i]!, low = columns.low[i]!, close = columns.close[i]!, volume = columns.volume[i]!
  if (canBeBar(open, high, low, close, volume) && (!hasAdjclose || columns.adjclose![i]! > 0)) return null
  for (const name of hasAdjclose ? ADJUSTED_PRICES : PRICES) {
    const value = columns[name]![i]!
    if (value <= 0) return { what: `has the ${name} ${value}; a price must be above 0`, column: name, value: String(value) }
  }
  if (volume === -1) return { what: 'has the volume -1, by which Interactive Brokers says that it has none; write 0, or read the file without its volume: --columns volume= (reading.columns in a spec)', column: 'volume', value: '-1' }
  if (volume < 0) return { what: `has the volume ${volume}; it must not be negative`, column: 'volume', value: String(volume) }
  if (high < low) return { what: `has its high ${high} below its low ${low}`, column: 'high', value: String(high) }
  if (high < Math.max(open, close)) return { what: `has its high ${high} below its open ${open} or close ${close}`, column: 'high', value: String(high) }
  return { what: `has its low ${low} above its open ${open} or close ${close}`, column: 'low', value: String(low) }
}

/** The first row whose time does not follow, in a file that may run from new to old. `place` names a row, such as "line 7". */
export function problemOfOrder(time: Float64Array, place: (row: number) => string, descending = runsBackwards(time)): (RowProblem & { readonly row: number; readonly code: 'DATA_INVALID' | 'DATA_ORDER' }) | null {
  // In order, the first and the last are the ends of all.
  for (const row of time.length === 0 ? [] : [0, time.length - 1]) {
    const what = problemOfYear(time[row]!)
    if (what !== null) return { what, column: 'time', value: String(time[row]), row, code: 'DATA_INVALID' }
  }
  for (let i = 1; i < time.length; i += 1) {
    if (descending ? time[i]! < time[i - 1]! : time[i]! > time[i - 1]!) continue
    const when = shownTime(time[i]!)
    const before = `${shownTime(time[i - 1]!)} of ${place(i - 1)}`
    const what = time[i] === time[i - 1]
      ? `repeats the time ${before}${autumnAdvice(time, i)}`
      : `has the time ${when}, which is ${descending ? `after ${before}, in a file from new to old` : `before ${before}`}${autumnAdvice(time, i)}`
    return { what, column: 'time', value: when, row: i, code: 'DATA_ORDER' }
  }
  return null
}

const HOUR_MS = 3_600_000

/** Local times have one hour twice, once a year, and none of the two rows is wrong. */
function autumnAdvice(time: Float64Array, at: number): string {
  const backMs = Math.abs(time[at - 1]! - time[at]!)
  const stepMs = at >= 2 ? Math.abs(time[at - 1]! - time[at - 2]!) : Infinity
  const month = new Date(time[at]!).getUTCMonth()
  const isAutumn = month === 9 || month === 10 || month === 3
  return isAutumn && stepMs <= HOUR_MS && backMs + stepMs === HOUR_MS ? ' (where clocks went back an hour, local times repeat: write UTC, or the offset of each)' : ''
}

export function runsBackwards(time: Float64Array): boolean {
  return time.length > 1 && time[time.length - 1]! < time[0]!
}

export function turnRound(columns: BarColumns): void {
  for (const name of [...ADJUSTED_PRICES, 'time', 'volume'] as const) columns[name]?.reverse()
}
