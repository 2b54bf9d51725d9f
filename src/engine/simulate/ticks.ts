/** Prices on multiples of a tick (F25). Without a tick every price stays what it is. */

/** This close to a tick, in ticks, counts as on it. */
const ON_TICK = 1e-9

export class Ticks {
  readonly #size: number | null
  /** Ticks in one unit of price where that is a whole number: dividing by it gives 0.3 for three ticks of 0.1. */
  readonly #perUnit: number

  constructor(size: number | null) {
    this.#size = size
    const perUnit = size === null ? 0 : Math.round(1 / size)
    this.#perUnit = size !== null && perUnit >= 1 && Math.abs(perUnit * size - 1) < 1e-12 ? perUnit : 0
  }

  /** The direction that costs the trader: buys up, sells down. `side` is that of the fill: 1 buys, -1 sells. */
  against(price: number, side: number): number {
    return side > 0 ? this.#up(price) : this.#down(price)
  }

  /** The direction in which a limit is harder to reach: buys down, sells up. */
  harder(price: number, side: number): number {
    return side > 0 ? this.#down(price) : this.#up(price)
  }

  #up(price: number): number {
    return this.#size === null || !Number.isFinite(price) ? price : this.#price(Math.ceil(price / this.#size - ON_TICK), this.#size)
  }

  #down(price: number): number {
    return this.#size === null || !Number.isFinite(price) ? price : this.#price(Math.floor(price / this.#size + ON_TICK), this.#size)
  }

  #price(ticks: number, size: number): number {
    return this.#perUnit > 0 ? ticks / this.#perUnit : ticks * size
  }
}
