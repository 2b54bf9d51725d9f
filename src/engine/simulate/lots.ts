/**
 * The lots of an open position, oldest first: what one entry opened and one exit closes. All are of one side. Objects are
 * made per entry, never per bar.
 */
export interface Lot {
  /** Negative for a short. */
  readonly units: number
  readonly entryBar: number
  readonly entryPrice: number
  readonly entryFee: number
  /** Opened at its bar's close, so that it sees nothing of that bar. */
  readonly atClose: boolean
  /** Level of the stop-loss, infinitely far without one. */
  readonly stop: number
  readonly target: number
  /** Distance of the trailing stop in price; NaN where it is a fraction, or where there is none. */
  readonly trail: number
  /** Isolated margin of a perpetual; 0 in a spot market. */
  readonly margin: number
  /** Best price since the entry, from the entry's own. */
  peak: number
}

export class Lots {
  /** Signed sum over all lots. */
  units = 0
  #lots: Lot[] = []

  get count(): number { return this.#lots.length }
  get oldest(): Lot | undefined { return this.#lots[0] }

  [Symbol.iterator](): IterableIterator<Lot> { return this.#lots[Symbol.iterator]() }

  at(k: number): Lot { return this.#lots[k]! }

  clear(): void {
    this.#lots = []
    this.units = 0
  }

  add(lot: Lot): void {
    this.#lots.push(lot)
    this.#count()
  }

  remove(k: number): void {
    this.#lots.splice(k, 1)
    this.#count()
  }

  /** Mean by units; that of the one lot unchanged. */
  entryPrice(): number {
    if (this.count <= 1) return this.oldest?.entryPrice ?? 0
    let value = 0
    for (const { units, entryPrice } of this.#lots) value += units * entryPrice
    return value / this.units
  }

  entryFee(): number {
    let sum = 0
    for (const { entryFee } of this.#lots) sum += entryFee
    return sum
  }

  /** Added up anew each time: a running sum would keep the roundings of lots that are gone. */
  #count(): void {
    let sum = 0
    for (const { units } of this.#lots) sum += units
    this.units = sum
  }
}
