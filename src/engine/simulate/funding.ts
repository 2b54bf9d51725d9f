/** Funding of a perpetual, summed up bar by bar (F29). Cost: one pass over the bars and the rates. */
import type { FundingSpec } from '../specs/perpetual-spec.js'

const HOUR_MS = 3_600_000
/** Exchanges stamp what is due at 08:00 some milliseconds later: so far from a bar's time counts as at it, and a quarter of a bar or of an interval at most. */
const LATEST_MS = 60_000
const SHARE = 0.25

export interface FundingColumns {
  /** Of the funding times after the bar before and up to this bar's. */
  readonly since: Float64Array
  /** Of a funding at this bar's very time. */
  readonly at: Float64Array
}

export function fundingColumns(time: Float64Array, funding: FundingSpec): FundingColumns {
  const since = new Float64Array(time.length)
  const at = new Float64Array(time.length)
  if ('intervalHours' in funding) {
    const interval = funding.intervalHours * HOUR_MS
    const near = Math.min(nearness(time), interval * SHARE)
    let before = -Infinity
    for (let i = 0; i < time.length; i++) {
      const closest = Math.round(time[i]! / interval)
      const isAt = Math.abs(closest * interval - time[i]!) <= near
      const passed = isAt ? closest : Math.floor(time[i]! / interval)
      at[i] = isAt ? funding.rate : 0
      since[i] = i === 0 ? at[i]! : funding.rate * (passed - before)
      before = passed
    }
    return { since, at }
  }
  const near = nearness(time)
  let next = 0
  while (next < funding.length && funding[next]!.time < (time[0] ?? 0) - near) next++
  for (let i = 0; i < time.length; i++) {
    for (; next < funding.length && funding[next]!.time <= time[i]! + near; next++) {
      const { time: due, rate } = funding[next]!
      since[i] = since[i]! + rate
      if (due >= time[i]! - near) at[i] = at[i]! + rate
    }
  }
  return { since, at }
}

/** How near to a bar's time counts as at it. */
function nearness(time: Float64Array): number {
  let shortest = Infinity
  for (let i = 1; i < time.length; i++) shortest = Math.min(shortest, time[i]! - time[i - 1]!)
  return Math.min(LATEST_MS, shortest * SHARE)
}
