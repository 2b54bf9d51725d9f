/** Ranges of time [from, to) in milliseconds since 1970: sorted, and none touches the next. */
export type TimeRange = readonly [fromMs: number, toMs: number]

/** Put together what touches or overlaps. */
export function unite(ranges: readonly TimeRange[]): TimeRange[] {
  const united: [number, number][] = []
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = united.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else united.push([from, to])
  }
  return united
}

/** What of `ranges` is not in `others`. Both sorted and apart. */
export function subtract(ranges: readonly TimeRange[], others: readonly TimeRange[]): TimeRange[] {
  return ranges.flatMap(([from, to]) => {
    const left: TimeRange[] = []
    let at = from
    for (const [otherFrom, otherTo] of others) {
      if (otherTo <= at) continue
      if (otherFrom >= to) break
      if (otherFrom > at) left.push([at, otherFrom])
      at = Math.max(at, otherTo)
    }
    if (at < to) left.push([at, to])
    return left
  })
}

/** Pieces of at most `lengthMs`, in order. */
export function cut(ranges: readonly TimeRange[], lengthMs: number): TimeRange[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: Math.ceil((to - from) / lengthMs) },
    (_, i): TimeRange => [from + i * lengthMs, Math.min(to, from + (i + 1) * lengthMs)]))
}
