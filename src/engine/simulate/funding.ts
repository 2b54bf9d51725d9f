/** Funding of a perpetual, summed up bar by bar (F29). Cost: one pass over the bars and the rates. */
import type { FundingSpec } from '../specs/perpetual-spec.js'

const HOUR_MS = 3_600_000

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
    for (let i = 0; i < time.length; i++) {
      const passed = Math.floor(time[i]! / interval)
      at[i] = passed * interval === time[i] ? funding.rate : 0
      since[i] = i === 0 ? at[i]! : funding.rate * (passed - Math.floor(time[i - 1]! / interval))
    }
    return { since, at }
  }
  let next = 0
  while (next < funding.length && funding[next]!.time < (time[0] ?? 0)) next++
  for (let i = 0; i < time.length; i++) {
    for (; next < funding.length && funding[next]!.time <= time[i]!; next++) {
      const { time: due, rate } = funding[next]!
      since[i] = since[i]! + rate
      if (due === time[i]) at[i] = rate
    }
  }
  return { since, at }
}
