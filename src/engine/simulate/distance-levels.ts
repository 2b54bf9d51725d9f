/** Prices at a distance from a reference (F10, F21). The ATR columns are made once for the bars of a run. */
import type { BarColumns } from '../../market/layout.js'
import { atr } from '../indicators/atr.js'
import type { Distance } from '../specs/distance.js'
import { written } from './written-price.js'

export class DistanceLevels {
  readonly #columns = new Map<number, Float64Array>()
  #bars: BarColumns | undefined

  /** Before `price` and `gap` with ATR distances. */
  use(bars: BarColumns): void {
    if (this.#bars === bars) return
    this.#bars = bars
    this.#columns.clear()
  }

  /** reference ± distance as it is written, `direction` being 1 or -1; NaN where the ATR of that bar is not there yet. */
  price(reference: number, direction: number, distance: Distance, bar: number): number {
    return written(typeof distance === 'number' ? reference * (1 + direction * distance) : reference + direction * this.gap(distance, bar), reference)
  }

  /** Whether the ATR of every distance has a value at that bar. */
  areThere(distances: readonly (Distance | null)[], bar: number): boolean {
    return distances.every((distance) => distance === null || typeof distance === 'number' || !Number.isNaN(this.gap(distance, bar)))
  }

  /**
   * In price, for a multiple of the ATR. That is written first: a range of prices has the last digits of its prices, and a
   * multiple of it as many times their rounding.
   */
  gap(distance: Exclude<Distance, number>, bar: number): number {
    let column = this.#columns.get(distance.atr)
    if (column === undefined && this.#bars !== undefined) {
      const { high, low, close } = this.#bars
      column = atr(high, low, close, distance.atr)
      this.#columns.set(distance.atr, column)
    }
    return distance.multiple * written(column?.[bar] ?? NaN, this.#bars?.close[bar] ?? NaN)
  }
}
