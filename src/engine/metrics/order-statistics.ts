/**
 * Order statistics without sorting a whole column: half a million returns sort in 40 ms, but quantiles of the
 * tails need only the lowest and the highest twentieth. Values are exact, so they equal those of a full sort bit
 * for bit. NaN must not be among the values.
 */

/** The k-th smallest value (from 0) of values[low..high]; moves values about: smaller ones end up before it, larger ones behind. */
export function selectNth(values: Float64Array, k: number, low = 0, high = values.length - 1): number {
  let left = low
  let right = high
  while (left < right) {
    const pivot = middleOf(values[left]!, values[(left + right) >>> 1]!, values[right]!)
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i <= j) {
        const swapped = values[i]!
        values[i++] = values[j]!
        values[j--] = swapped
      }
    }
    if (k <= j) right = j
    else if (k >= i) left = i
    else break
  }
  return values[k]!
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

/** Mean of the middle one or two; NaN of nothing. Moves the values about. */
export function medianOf(values: Float64Array): number {
  const { length } = values
  if (length === 0) return NaN
  const middle = length >> 1
  const upper = selectNth(values, middle)
  if (length % 2 === 1) return upper
  let lower = values[0]!
  for (let i = 1; i < middle; i++) if (values[i]! > lower) lower = values[i]!
  return (lower + upper) / 2
}

/** Quantiles up to 5 % and from 95 % on, by linear interpolation (numpy), and sums of the lowest values. */
export class Tails {
  readonly length: number
  private readonly values: Float64Array

  /** O(n); keeps a copy, in `room` where some is given. */
  constructor(values: Float64Array, room = new Float64Array(values.length)) {
    const copy = room
    copy.set(values)
    const { length } = copy
    const reach = Math.floor(length * 0.05) + 3 // both neighbours of the 5th percentile, and one more return
    if (length < 4 * reach) copy.sort()
    else {
      selectNth(copy, reach)
      copy.subarray(0, reach).sort()
      selectNth(copy, length - reach, reach)
      copy.subarray(length - reach).sort()
    }
    this.length = length
    this.values = copy
  }

  quantile(share: number): number {
    return this.interpolate(share, this.length, (rank) => this.values[rank]!)
  }

  /** Sum of the `count` lowest values, lowest first. */
  sumOfLowest(count: number): number {
    let sum = 0
    for (let k = 0; k < count && k < this.length; k++) sum += this.values[k]!
    return sum
  }

  /** The same two for these values and one more. */
  quantileWith(extra: number, share: number): number {
    const values = this.values
    return this.interpolate(share, this.length + 1, (rank) =>
      Math.min(Math.max(extra, rank > 0 ? values[rank - 1]! : -Infinity), rank < this.length ? values[rank]! : Infinity))
  }

  sumOfLowestWith(extra: number, count: number): number {
    return this.sumOfLowest(count - 1) + Math.min(extra, count - 1 < this.length ? this.values[count - 1]! : Infinity)
  }

  private interpolate(share: number, length: number, at: (rank: number) => number): number {
    if (length === 0) return NaN
    const position = (length - 1) * share
    const below = Math.floor(position)
    const value = at(below)
    const above = below + 1 < length ? at(below + 1) : value
    return value + (above - value) * (position - below)
  }
}
