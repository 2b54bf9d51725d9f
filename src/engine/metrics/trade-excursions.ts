/**
 * How far each closed trade went against and for its side: MAE ≤ 0 ≤ MFE, fractions of its entry price, from the
 * lows and highs of the bars that it was open. The entry bar counts whole (fill `close`: not at all, its range was
 * over by then). The exit bar counts up to the exit price alone, because how much of its range came before the
 * exit is not known; an exit at the bar's close by `fill: close` or `close_last_close` counts it whole.
 */
import type { BarColumns } from '../../market/layout.js'
import type { TradeColumns } from './trade-columns.js'

export interface ExcursionRules {
  /** Entries fill at their bar's close. */
  readonly entersAtClose: boolean
  /** Trades that were closed at their bar's close; by index. */
  readonly exitsAtClose: (trade: number) => boolean
}

/** Of an execution as its spec writes it; `reason` is the name of a trade's exit. */
export function excursionRules({ fill, finalize, hasEntryOrder }: { fill: string; finalize: string; hasEntryOrder: boolean }, reason: (trade: number) => string | undefined): ExcursionRules {
  const atClose = fill === 'close'
  return {
    // A resting order fills inside a bar, whatever the fill of the others.
    entersAtClose: atClose && !hasEntryOrder,
    exitsAtClose: (trade) => (atClose && reason(trade) === 'signal') || (finalize === 'close_last_close' && reason(trade) === 'end'),
  }
}

export interface TradeExcursions {
  readonly mae: Float64Array
  readonly mfe: Float64Array
}

/** O(bars + trades × √bars): trades may overlap by the thousand. `bars` are those the trades' numbers count. */
export function tradeExcursions(bars: BarColumns, trades: TradeColumns, rules: ExcursionRules): TradeExcursions {
  const mae = new Float64Array(trades.count)
  const mfe = new Float64Array(trades.count)
  const ranges = new BarRanges(bars)
  for (let k = 0; k < trades.count; k++) {
    const side = trades.units[k]! > 0 ? 1 : -1
    const entry = trades.entryPrice[k]!
    const exit = trades.exitPrice[k]!
    const from = trades.entryBar[k]! + (rules.entersAtClose ? 1 : 0)
    const to = trades.exitBar[k]! + (rules.exitsAtClose(k) ? 1 : 0)
    const low = Math.min(exit, ranges.lowest(from, to))
    const high = Math.max(exit, ranges.highest(from, to))
    mae[k] = Math.min(0, side > 0 ? low / entry - 1 : 1 - high / entry)
    mfe[k] = Math.max(0, side > 0 ? high / entry - 1 : 1 - low / entry)
  }
  return { mae, mfe }
}

/** Lowest low and highest high of any range of bars, by blocks. */
class BarRanges {
  private readonly bars: BarColumns
  private readonly block: number
  private readonly lows: Float64Array
  private readonly highs: Float64Array

  constructor(bars: BarColumns) {
    this.bars = bars
    this.block = Math.max(1, Math.ceil(Math.sqrt(bars.length)))
    const blocks = Math.ceil(bars.length / this.block)
    this.lows = new Float64Array(blocks)
    this.highs = new Float64Array(blocks)
    for (let b = 0; b < blocks; b++) {
      const end = Math.min(bars.length, (b + 1) * this.block)
      let lowest = Infinity
      let highest = -Infinity
      for (let i = b * this.block; i < end; i++) {
        if (bars.low[i]! < lowest) lowest = bars.low[i]!
        if (bars.high[i]! > highest) highest = bars.high[i]!
      }
      this.lows[b] = lowest
      this.highs[b] = highest
    }
  }

  /** Of bars [from, to); Infinity of none. */
  lowest(from: number, to: number): number {
    const { low } = this.bars
    const { start, end } = this.blocksWithin(from, to)
    let lowest = Infinity
    for (let i = from; i < Math.min(start * this.block, to); i++) if (low[i]! < lowest) lowest = low[i]!
    for (let b = start; b < end; b++) if (this.lows[b]! < lowest) lowest = this.lows[b]!
    for (let i = Math.max(end * this.block, from); i < to; i++) if (low[i]! < lowest) lowest = low[i]!
    return lowest
  }

  highest(from: number, to: number): number {
    const { high } = this.bars
    const { start, end } = this.blocksWithin(from, to)
    let highest = -Infinity
    for (let i = from; i < Math.min(start * this.block, to); i++) if (high[i]! > highest) highest = high[i]!
    for (let b = start; b < end; b++) if (this.highs[b]! > highest) highest = this.highs[b]!
    for (let i = Math.max(end * this.block, from); i < to; i++) if (high[i]! > highest) highest = high[i]!
    return highest
  }

  /** Blocks [start, end) that lie wholly in bars [from, to). */
  private blocksWithin(from: number, to: number): { start: number; end: number } {
    const start = Math.ceil(from / this.block)
    return { start, end: Math.max(start, Math.floor(to / this.block)) }
  }
}
