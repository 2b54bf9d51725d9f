/**
 * Rows that are left out because they cannot be bars (`reading.skip_bad`): counted, the first ones kept with their reasons,
 * and too many of them refused. A share that is said holds as it is. Else it is a tenth; of fewer than 30 rows three may be
 * bad, and never more than half.
 */
import { SweepmillError } from '../base/errors.js'
import type { BarColumns } from './layout.js'
import type { GrowingColumns } from './growing-columns.js'

const LISTED = 10
const SHARE = 0.1
const FEW = 3

export class BadRows {
  readonly #source: string
  readonly #share: number | null
  readonly #listed: string[] = []
  count = 0

  constructor(source: string, share: true | number) {
    this.#source = source
    this.#share = share === true ? null : share
  }

  add(line: number, what: string): void {
    this.count += 1
    if (this.#listed.length < LISTED) this.#listed.push(`line ${line} ${what}`)
  }

  /** What a result says of them, of so many rows that are bars. Throws DATA_INVALID where they are too many. */
  warnings(bars: number): string[] {
    if (this.count === 0) return []
    const rows = bars + this.count
    const most = this.#share === null ? Math.max(Math.floor(rows * SHARE), Math.min(FEW, Math.floor(rows / 2))) : Math.floor(rows * this.#share)
    const list = `${this.#listed.join('; ')}${this.count > LISTED ? `; and ${this.count - LISTED} more` : ''}`
    if (this.count > most) {
      throw new SweepmillError('DATA_INVALID', `${this.#source} has ${this.count} bad rows of ${rows}, and at most ${most} may be left out (${(this.#share ?? SHARE) * 100} %). ${list}. Correct them, or say a larger share with --skip-bad (reading.skip_bad in a spec).`, { details: { file: this.#source, bad_rows: this.count, rows } })
    }
    return [`${this.count} of ${rows} rows of ${this.#source} cannot be bars and ${this.count === 1 ? 'was' : 'were'} left out: ${list}.`]
  }
}

/** Takes out the fewest rows without which all times follow each other; of rows of one time the first stays. */
export function keepOrdered(rows: GrowingColumns, columns: BarColumns, descending: boolean, onBad: (line: number, what: string) => void): BarColumns {
  const { time, length } = columns
  const follows = (later: number, earlier: number): boolean => (descending ? time[later]! < time[earlier]! : time[later]! > time[earlier]!)
  let wrong = 1
  while (wrong < length && follows(wrong, wrong - 1)) wrong += 1
  if (wrong >= length) return columns
  const kept = longestRun(length, follows)
  let last = -1
  let next = 0
  for (let row = 0; row < length; row += 1) {
    if (kept[next] === row) {
      last = row
      next += 1
      continue
    }
    const twin = [last, kept[next] ?? -1].find((one) => one >= 0 && time[one] === time[row])
    onBad(rows.lines[row]!, twin === undefined ? `has the time ${new Date(time[row]!).toISOString()}, out of order` : `repeats the time of line ${rows.lines[twin]}`)
  }
  const of = (column: Float64Array): Float64Array => Float64Array.from(kept, (row) => column[row]!)
  const { open, high, low, close, volume, adjclose } = columns
  return { length: kept.length, time: of(time), open: of(open), high: of(high), low: of(low), close: of(close), volume: of(volume), ...(adjclose === undefined ? {} : { adjclose: of(adjclose) }) }
}

/** The longest subsequence of rows of which each follows the one before, by patience sorting. */
function longestRun(length: number, follows: (later: number, earlier: number) => boolean): Int32Array {
  const before = new Int32Array(length)
  /** The last row of the best run of each length. */
  const ends: number[] = []
  for (let row = 0; row < length; row += 1) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (follows(row, ends[middle]!)) low = middle + 1
      else high = middle
    }
    before[row] = low > 0 ? ends[low - 1]! : -1
    if (low === ends.length || follows(ends[low]!, row)) ends[low] = row
  }
  const kept = new Int32Array(ends.length)
  for (let k = ends.length - 1, row = ends[k] ?? -1; k >= 0; k -= 1, row = before[row]!) kept[k] = row
  return kept
}
