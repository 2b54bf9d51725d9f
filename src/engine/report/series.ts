/** Long series made short without hiding anything: each bucket keeps its lowest and its highest value. */

const MAX_POINTS = 4000

export interface Series {
  /** Seconds since 1970. */
  readonly time: readonly number[]
  readonly columns: readonly (readonly number[])[]
}

/** `lead` decides which bars of a bucket stay (its lowest and highest); the other columns are taken at the same bars. */
export function thinOut(timeMs: Float64Array, lead: Float64Array, others: readonly Float64Array[], maxPoints = MAX_POINTS): Series {
  const kept: number[] = []
  const n = timeMs.length
  if (n <= maxPoints) {
    for (let i = 0; i < n; i += 1) kept.push(i)
  } else {
    const buckets = Math.floor(maxPoints / 2)
    for (let b = 0; b < buckets; b += 1) {
      const from = Math.floor((b * n) / buckets), to = Math.floor(((b + 1) * n) / buckets)
      let low = from, high = from
      for (let i = from + 1; i < to; i += 1) {
        if (lead[i]! < lead[low]!) low = i
        if (lead[i]! > lead[high]!) high = i
      }
      kept.push(Math.min(low, high))
      if (low !== high) kept.push(Math.max(low, high))
    }
    if (kept.at(-1) !== n - 1) kept.push(n - 1)
  }
  const round = (value: number): number => Number(value.toPrecision(7))
  return {
    time: kept.map((i) => timeMs[i]! / 1000),
    columns: [lead, ...others].map((column) => kept.map((i) => round(column[i]!))),
  }
}
