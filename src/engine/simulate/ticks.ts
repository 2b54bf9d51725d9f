/** Prices on multiples of a tick (F25). Without a tick every price stays what it is. */

import { written } from './written-price.js'

/** This close to a tick, in ticks, counts as on it; of a great many ticks, what rounding leaves of them does. */
const ON_TICK = 1e-9
const SLACK = 2 ** -50

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
    return this.#size === null || !Number.isFinite(price) ? price : this.#price(Math.ceil(price / this.#size - slackOf(price / this.#size)), this.#size)
  }

  #down(price: number): number {
    return this.#size === null || !Number.isFinite(price) ? price : this.#price(Math.floor(price / this.#size + slackOf(price / this.#size)), this.#size)
  }

  #price(ticks: number, size: number): number {
    return this.#perUnit > 0 ? ticks / this.#perUnit : written(ticks * size, ticks * size)
  }
}

function slackOf(ticks: number): number {
  return Math.max(ON_TICK, Math.abs(ticks) * SLACK)
}
