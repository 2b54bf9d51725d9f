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
  const close = (bar: number): void => {
    const ms = time[bar]! - time[peakBar]!
    episodes++
    sumDepth += deepest
    sumBars += bar - peakBar
    sumMs += ms
    maxBars = Math.max(maxBars, bar - peakBar)
    maxMs = Math.max(maxMs, ms)
    deepest = 0
  }
  for (let i = 0; i < equity.length; i++) {
    const value = equity[i]!
    if (value >= peak) {
      if (deepest < 0) close(i)
      peak = value
      peakBar = i
      continue
    }
    const depth = value / peak - 1
    deepest = Math.min(deepest, depth)
    sumSquares += depth * depth
  }
  if (deepest < 0) close(equity.length - 1)
  return {
    meanDepth: sumDepth / episodes,
    maxBars, meanBars: sumBars / episodes, maxMs, meanMs: sumMs / episodes,
    ulcer: Math.sqrt(sumSquares / (equity.length - 2)),
  }
}
