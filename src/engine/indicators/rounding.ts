/**
 * What is equal on the chart: prices that are decimals come as doubles, and sums and differences of them that are equal
 * differ by some units in the last place, by which ones depends on the unit of price (0.1 + 0.2 is not 0.3, 1 + 2 is 3).
 * An indicator that decides by such a difference would say one thing in dollars and another in cents.
 */

/** Eight units in the last place: a sum of three prices, twice, with the rounding of each. */
const ROUNDING = 2 ** -49

/** True where a difference of values of this size is not told from 0. `terms`: how many of them a sum had, where many. */
export function isRounding(difference: number, size: number, terms = 1): boolean {
  return Math.abs(difference) <= ROUNDING * terms * Math.abs(size)
}
