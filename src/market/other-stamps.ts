/**
 * The same bars under other times: a day that one vendor stamps 00:00 UTC and another 05:00. Side by side in a series they
 * would be two bars a day.
 *
 * A bar that begins less than half its timeframe from a bar of the other side is the same bar under another stamp; so is one
 * in the middle of two that are a timeframe apart (hours at half past beside whole ones). Bars that
 * a session cuts short do begin so close together: where either side has them, nearer ones are meant only. Clocks that
 * are put back or forward move all bars alike, and leave bars of half a timeframe or longer.
 */
import { DAY_MS } from './timeframe.js'

/** Two times of what may be one bar. */
export interface StampPair {
  readonly stored: number
  readonly incoming: number
}

export interface OtherStamps {
  readonly count: number
  readonly first: StampPair | null
}

/** First and last time of a run of bars. */
export interface Edges {
  readonly firstTime: number
  readonly lastTime: number
}

export const NO_OTHER_STAMPS: OtherStamps = { count: 0, first: null }

/** Both ascend. Counts incoming times that no stored bar has and one is near. Cost: linear. */
export function otherStamps(stored: Float64Array, incoming: Float64Array, stepMs: number): OtherStamps {
  const reach = Math.min(leastStep(stored), leastStep(incoming))
  let count = 0
  let first: StampPair | null = null
  for (let k = 0, i = 0; k < incoming.length; k += 1) {
    const time = incoming[k]!
    while (i < stored.length && stored[i]! < time) i += 1
    const [before = -Infinity, after = Infinity] = [stored[i - 1], stored[i]]
    if (after === time) continue
    const near = time - before <= after - time ? before : after
    const apart = Math.abs(time - near)
    if (apart >= reach || (apart >= stepMs / 2 && after - before > stepMs)) continue
    count += 1
    first ??= { stored: near, incoming: time }
  }
  return { count, first }
}

/**
 * The same where months meet, by the first and last bars of each alone. Bars of a day or longer are asked: shorter ones
 * show it within a month, and those that a session cuts short may lie at its edge.
 */
export function otherStampsAtEdges(stored: readonly Edges[], incoming: readonly Edges[], stepMs: number): OtherStamps {
  if (stepMs < DAY_MS) return NO_OTHER_STAMPS
  const times = (all: readonly Edges[]): Float64Array => Float64Array.from(new Set(all.flatMap(({ firstTime, lastTime }) => [firstTime, lastTime]))).toSorted()
  return otherStamps(times(stored), times(incoming), stepMs)
}

function leastStep(time: Float64Array): number {
  let least = Infinity
  for (let i = 1; i < time.length; i += 1) least = Math.min(least, time[i]! - time[i - 1]!)
  return least
}
