/**
 * Copies of the bars with only the future changed, the past kept bit for bit. Always copies: a strategy that writes into them
 * spoils nothing. Whatever is random here follows from a seed.
 */
import { seededRandom } from '../../base/random.js'
import type { BarColumns } from '../../market/layout.js'

/** What happens to the bars after the last one that is kept. */
export type Change = 'left out' | 'doubled' | 'halved' | 'reversed' | 'shuffled' | 'spiked' | 'dropped' | 'raised tenfold' | 'cut to a tenth'

export const CHANGES: readonly Change[] = ['left out', 'doubled', 'halved', 'reversed', 'shuffled', 'spiked', 'dropped', 'raised tenfold', 'cut to a tenth']

const PRICES = ['open', 'high', 'low', 'close', 'adjclose'] as const
const VALUES = [...PRICES, 'volume'] as const

/** Bars [from, to) as copies. */
export function copyBars(bars: BarColumns, from = 0, to: number = bars.length): BarColumns {
  const part = (column: Float64Array): Float64Array => column.slice(from, to)
  const { adjclose } = bars
  return {
    length: to - from, time: part(bars.time), open: part(bars.open), high: part(bars.high), low: part(bars.low), close: part(bars.close), volume: part(bars.volume),
    ...(adjclose === undefined ? {} : { adjclose: part(adjclose) }),
  }
}

/** What a strategy is shown: one series, or several side by side, whose bars stand at the same times. */
export type Series = readonly BarColumns[]

export function copySeries(series: Series, from = 0, to?: number): Series {
  return series.map((bars) => copyBars(bars, from, to))
}

/** The same of several series: all of them are changed, or only number `only`. What is left out is left out of all. */
export function alterSeries(series: Series, last: number, change: Change, only: number | null = null): Series {
  return series.map((bars, k) => (only === null || only === k || change === 'left out' ? alterBars(bars, last, change) : copyBars(bars)))
}

/** Bars 0..last as they are; those after it changed. Times stay. Cost: one copy. */
export function alterBars(bars: BarColumns, last: number, change: Change): BarColumns {
  if (change === 'left out') return copyBars(bars, 0, last + 1)
  const altered = copyBars(bars)
  const from = last + 1
  const end = bars.length
  if (change === 'doubled') scale(altered, from, end, 2, 3)
  else if (change === 'halved') scale(altered, from, end, 0.5, 0.25)
  else if (change === 'raised tenfold') scale(altered, from, end, 10, 10)
  else if (change === 'cut to a tenth') scale(altered, from, end, 0.1, 0.1)
  else if (change === 'spiked') scale(altered, from, Math.min(from + 1, end), 1.3, 10)
  else if (change === 'dropped') scale(altered, from, Math.min(from + 1, end), 0.7, 0.1)
  else reorder(altered, bars, from, change === 'reversed' ? reversed(end - from) : shuffled(end - from, last))
  return altered
}

function scale(bars: BarColumns, from: number, to: number, price: number, volume: number): void {
  for (let i = from; i < to; i++) {
    for (const name of PRICES) {
      const column = bars[name]
      if (column !== undefined) column[i] = column[i]! * price
    }
    bars.volume[i] = bars.volume[i]! * volume
  }
}

function reorder(into: BarColumns, bars: BarColumns, from: number, order: Int32Array): void {
  for (const name of VALUES) {
    const column = bars[name]
    const out = into[name]
    if (column === undefined || out === undefined) continue
    for (let k = 0; k < order.length; k++) out[from + k] = column[from + order[k]!]!
  }
}

function reversed(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, k) => count - 1 - k)
}

function shuffled(count: number, seed: number): Int32Array {
  const random = seededRandom(seed)
  const order = Int32Array.from({ length: count }, (_, k) => k)
  for (let k = count - 1; k > 0; k--) {
    const other = random.int(k + 1)
    const kept = order[k]!
    order[k] = order[other]!
    order[other] = kept
  }
  return order
}
