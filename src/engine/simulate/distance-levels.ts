/** Prices at a distance from a reference (F10, F21). The ATR columns are made once for the bars of a run. */
import type { BarColumns } from '../../market/layout.js'
import { atr } from '../indicators/atr.js'
import type { Distance } from '../specs/distance.js'

export class DistanceLevels {
  readonly #columns = new Map<number, Float64Array>()
  #bars: BarColumns | undefined

  /** Before `price` and `gap` with ATR distances. */
  use(bars: BarColumns): void {
    if (this.#bars === bars) return
    this.#bars = bars
    this.#columns.clear()
  }

  /** reference ± distance, `direction` being 1 or -1; NaN where the ATR of that bar is not there yet. */
  price(reference: number, direction: number, distance: Distance, bar: number): number {
    return typeof distance === 'number' ? reference * (1 + direction * distance) : reference + direction * this.gap(distance, bar)
  }

  /** Whether the ATR of every distance has a value at that bar. */
  areThere(distances: readonly (Distance | null)[], bar: number): boolean {
    return distances.every((distance) => distance === null || typeof distance === 'number' || !Number.isNaN(this.gap(distance, bar)))
  }

  /** In price, for a multiple of the ATR. */
  gap(distance: Exclude<Distance, number>, bar: number): number {
    let column = this.#columns.get(distance.atr)
    if (column === undefined && this.#bars !== undefined) {
      const { high, low, close } = this.#bars
      column = atr(high, low, close, distance.atr)
      this.#columns.set(distance.atr, column)
    }
    return distance.multiple * (column?.[bar] ?? NaN)
  }
}
