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
    this.lows = new Float64Array(blocks).fill(Infinity)
    this.highs = new Float64Array(blocks).fill(-Infinity)
    for (let b = 0; b < blocks; b++) {
      const end = Math.min(bars.length, (b + 1) * this.block)
      for (let i = b * this.block; i < end; i++) {
        if (bars.low[i]! < this.lows[b]!) this.lows[b] = bars.low[i]!
        if (bars.high[i]! > this.highs[b]!) this.highs[b] = bars.high[i]!
      }
    }
  }

  /** Of bars [from, to); Infinity of none. */
  lowest(from: number, to: number): number {
    let lowest = Infinity
    this.walk(from, to, (i) => { if (this.bars.low[i]! < lowest) lowest = this.bars.low[i]! }, (b) => { if (this.lows[b]! < lowest) lowest = this.lows[b]! })
    return lowest
  }

  highest(from: number, to: number): number {
    let highest = -Infinity
    this.walk(from, to, (i) => { if (this.bars.high[i]! > highest) highest = this.bars.high[i]! }, (b) => { if (this.highs[b]! > highest) highest = this.highs[b]! })
    return highest
  }

  private walk(from: number, to: number, bar: (i: number) => void, whole: (block: number) => void): void {
    let i = from
    while (i < to) {
      if (i % this.block === 0 && i + this.block <= to) {
        whole(i / this.block)
        i += this.block
      } else bar(i++)
    }
  }
}
