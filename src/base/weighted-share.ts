/**
 * Turns by weight: who is served next, so that each claimant gets its share whatever the others ask for.
 *
 * A claimant's position is what it was given divided by its weight. The turn goes to whoever would stand lowest
 * *after* it. Then a claimant that always waits gets at least its share less one turn of its own; choosing by the
 * position before the turn could leave it one turn of every other claimant behind. Whoever comes back from idling
 * starts level with those who waited meanwhile: idling earns nothing.
 */
export class WeightedShare<Claimant extends string> {
  readonly #weights: Readonly<Record<Claimant, number>>
  readonly #positions: Record<Claimant, number>

  constructor(weights: Readonly<Record<Claimant, number>>) {
    this.#weights = weights
    this.#positions = Object.fromEntries(Object.keys(weights).map((claimant) => [claimant, 0])) as Record<Claimant, number>
  }

  /** Where the claimant stands, or would stand after `cost` more. */
  position(claimant: Claimant, cost = 0): number {
    return this.#positions[claimant] + cost / this.#weights[claimant]
  }

  /** A negative cost gives back what was charged too much. */
  charge(claimant: Claimant, cost: number): void {
    this.#positions[claimant] = this.position(claimant, cost)
  }

  /** An idle claimant starts anew at `level`, unless it stands higher. */
  raise(claimant: Claimant, level: number): void {
    this.#positions[claimant] = Math.max(this.#positions[claimant], level)
  }

  /** Nobody waits: what was given before does not matter to those who come next. */
  restart(): void {
    for (const claimant of Object.keys(this.#positions) as Claimant[]) this.#positions[claimant] = 0
  }
}
