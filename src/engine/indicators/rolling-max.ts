/**
 * The largest of the last n values (TA-Lib's MAX); first value at bar n - 1. Blocks of n as in sma.ts (van
 * Herk's method), so the cost a bar does not grow with n.
 * NaN rule: a window that holds a NaN is NaN; the first window without it is a number again.
 */
import { checkPeriod, emptyColumn, finite } from './period.js'
import { withRoom } from './window.js'

export function rollingMax(x: Float64Array, n: number): Float64Array {
  checkPeriod('rollingMax', 'n', n)
  const length = x.length
  const out = emptyColumn(length)
  if (n > length) return out
  const tail = new Float64Array(n + 1).fill(-Infinity)
  for (let start = 0; start < length; start += n) {
    const end = Math.min(start + n, length)
    let head = -Infinity
    for (let i = start; i < end; i++) {
      head = Math.max(head, finite(x[i]!))
      if (i >= n - 1) out[i] = Math.max(tail[i - start + 1]!, head)
    }
    if (end - start < n) break
    let best = -Infinity
    for (let k = n - 1; k >= 0; k--) {
      best = Math.max(best, finite(x[start + k]!))
      tail[k] = best
    }
  }
  return out
}

export class RollingMaxStream {
  private readonly n: number
  private block: Float64Array = new Float64Array(0)
  private tail = new Float64Array(0)
  private at = 0
  private head = -Infinity

  constructor(n: number, indicator = 'rollingMax', parameter = 'n', least = 1) {
    checkPeriod(indicator, parameter, n, least)
    this.n = n
  }

  next(x: number): number {
    const { n } = this
    const input = finite(x)
    this.block = withRoom(this.block, this.at, n)
    this.block[this.at] = input
    this.head = Math.max(this.head, input)
    this.at++
    if (this.at < n) return this.tail.length === 0 ? NaN : Math.max(this.tail[this.at]!, this.head)
    const best = this.head
    this.endBlock()
    return best
  }

  private endBlock(): void {
    const { n, block } = this
    if (this.tail.length === 0) this.tail = new Float64Array(n + 1)
    let best = -Infinity
    for (let k = n - 1; k >= 0; k--) {
      best = Math.max(best, block[k]!)
      this.tail[k] = best
    }
    this.at = 0
    this.head = -Infinity
  }
}
