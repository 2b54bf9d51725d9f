/** The normal distribution: its cumulative probability to about 1e-15, and the one quantile that is needed. */

/** The 5 % quantile of the standard normal distribution. */
export const NORMAL_5_PERCENT = -1.6448536269514729

/** Probability that a standard normal variable is at most x. */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return NaN
  const upper = 0.5 * erfc(Math.abs(x) / Math.SQRT2)
  return x > 0 ? 1 - upper : upper
}

/** erfc for x ≥ 0: its power series where that converges fast, else its continued fraction. */
function erfc(x: number): number {
  if (x > 27) return 0
  if (x < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; n < 200 && Math.abs(term) > 1e-17 * sum; n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
  }
  let fraction = 0
  for (let n = 120; n > 0; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}
