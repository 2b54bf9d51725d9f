/**
 * The drawdowns of an equity curve: each runs from the bar of a peak to the bar that reaches it again, or to the
 * last bar. The running peak starts at the initial cash, so a loss on the first bar counts.
 */
export interface DrawdownSummary {
  /** Mean depth of all drawdowns, a negative fraction; NaN without any. */
  readonly meanDepth: number
  readonly maxBars: number
  readonly meanBars: number
  readonly maxMs: number
  readonly meanMs: number
  /** √(Σ depth² ÷ (returns - 1)), a fraction (quantstats). */
  readonly ulcer: number
}

export function summariseDrawdowns(equity: Float64Array, time: Float64Array, initialCash: number): DrawdownSummary {
  let peak = initialCash
  let peakBar = 0
  let deepest = 0
  let sumSquares = 0
  let episodes = 0, sumDepth = 0, maxBars = 0, sumBars = 0, maxMs = 0, sumMs = 0
  const last = equity.length - 1
  for (let i = 0; i <= last; i++) {
    const value = equity[i]!
    const recovered = value >= peak
    if (!recovered) {
      const depth = value / peak - 1
      if (depth < deepest) deepest = depth
      sumSquares += depth * depth
    }
    if (deepest < 0 && (recovered || i === last)) {
      const ms = time[i]! - time[peakBar]!
      episodes++
      sumDepth += deepest
      sumBars += i - peakBar
      sumMs += ms
      maxBars = Math.max(maxBars, i - peakBar)
      maxMs = Math.max(maxMs, ms)
      deepest = 0
    }
    if (recovered) {
      peak = value
      peakBar = i
    }
  }
  return {
    meanDepth: sumDepth / episodes,
    maxBars, meanBars: sumBars / episodes, maxMs, meanMs: sumMs / episodes,
    ulcer: Math.sqrt(sumSquares / (equity.length - 2)),
  }
}
