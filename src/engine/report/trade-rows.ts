/**
 * The trades of a report, read back from their CSV by heading: columns that a later engine adds (mae, mfe …) come
 * along by themselves. Pages of many thousand trades show a stated part of them; the CSV has them all.
 */
export interface TradeRows {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function readTrades(csv: string): TradeRows {
  const [header = '', ...lines] = csv.trim().split('\n')
  return { headings: header.split(','), rows: lines.map((line) => line.split(',')) }
}

/** The column as numbers, NaN where it is empty; null where there is no such column. */
export function numbersOf({ headings, rows }: TradeRows, name: string): Float64Array | null {
  const at = headings.indexOf(name)
  return at === -1 ? null : Float64Array.from(rows, (row) => (row[at] === undefined || row[at] === '' ? Number.NaN : Number(row[at])))
}

export function textsOf({ headings, rows }: TradeRows, name: string): readonly string[] {
  const at = headings.indexOf(name)
  return rows.map((row) => row[at] ?? '')
}

/** Indices in their own order: all, or else the `ends` first and last and the `extremes` largest wins and losses. */
export function chosenTrades(pnl: Float64Array, limit: number, ends: number, extremes: number): readonly number[] {
  const all = Array.from(pnl, (_, i) => i)
  if (all.length <= limit) return all
  const byPnl = all.toSorted((a, b) => pnl[a]! - pnl[b]! || a - b)
  const chosen = new Set([...all.slice(0, ends), ...all.slice(all.length - ends), ...byPnl.slice(0, extremes), ...byPnl.slice(byPnl.length - extremes)])
  return [...chosen].sort((a, b) => a - b)
}
