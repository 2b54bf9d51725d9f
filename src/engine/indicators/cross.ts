/**
 * Crosses of two columns, or of a column and a level, as masks (1 on the bar of the cross).
 *
 * The state is the sign of the last difference that was not zero. A cross above is the bar where it turns from
 * - to +; so below, equal, above is a cross on the third bar, and above, equal, above is none. Two averages that
 * are equal as decimals are equal, whichever of them rounding puts above: otherwise the unit of price would decide.
 * NaN in either input resets the state: there is no cross on the first bar where both are defined, nor on the first
 * after a gap. Bar i depends on bars 0..i alone.
 */
import { checkSameLength } from './period.js'
import { isRounding } from './rounding.js'

/** An average sums many prices, so it has more roundings than a sum of three; prices of 14 digits are still told apart. */
const TERMS = 4

export type Column = Float64Array | number

export function crossAbove(a: Column, b: Column): Uint8Array {
  return cross('crossAbove', a, b, 1)
}

export function crossBelow(a: Column, b: Column): Uint8Array {
  return cross('crossBelow', a, b, -1)
}

function cross(name: string, a: Column, b: Column, direction: 1 | -1): Uint8Array {
  const first = typeof a === 'number' ? constant(a, b) : a
  const second = typeof b === 'number' ? constant(b, a) : b
  checkSameLength(name, [first, second])
  return direction === 1 ? crossUp(first, second) : crossUp(second, first)
}

/** Where a - b turns from below zero to above it. b crosses below a exactly where a crosses above b. */
function crossUp(a: Float64Array, b: Float64Array): Uint8Array {
  return crossBoth(a, b).above
}

/**
 * Both crosses in one walk, the two sides of one rule. Three plain loops, one for each state, because crosses
 * are rare: half the time of one loop with a flag.
 */
export function crossBoth(a: Float64Array, b: Float64Array): { above: Uint8Array; below: Uint8Array } {
  const length = a.length
  const above = new Uint8Array(length)
  const below = new Uint8Array(length)
  let i = 0
  while (i < length) {
    // No sign yet: not begun, NaN, or equal since then.
    while (i < length && (!(a[i]! < b[i]! || a[i]! > b[i]!) || isEqual(a[i]!, b[i]!))) i++
    // A sign; an equality keeps it, the other sign is a cross, NaN ends it. Equal but for rounding is asked last: it is rare.
    if (i < length && a[i]! > b[i]!) {
      while (i < length && (a[i]! >= b[i]! || isEqual(a[i]!, b[i]!))) i++
      if (i === length || !(a[i]! < b[i]!)) continue
      below[i] = 1
    }
    for (;;) {
      while (i < length && (a[i]! <= b[i]! || isEqual(a[i]!, b[i]!))) i++
      if (i === length || !(a[i]! > b[i]!)) break
      above[i] = 1
      while (i < length && (a[i]! >= b[i]! || isEqual(a[i]!, b[i]!))) i++
      if (i === length || !(a[i]! < b[i]!)) break
      below[i] = 1
    }
  }
  return { above, below }
}

/** False for NaN, and for an infinity beside anything else. */
function isEqual(a: number, b: number): boolean {
  if (a === b) return true
  const size = Math.max(Math.abs(a), Math.abs(b))
  return size < Infinity && isRounding(a - b, size, TERMS)
}

/** The same bar by bar: 1 on the bar of the cross. A cross below is one above with the inputs exchanged. */
export class CrossStream {
  private readonly direction: 1 | -1
  private sign = 0

  constructor(direction: 1 | -1) {
    this.direction = direction
  }

  next(a: number, b: number): number {
    const sign = isEqual(a, b) ? this.sign : a > b ? 1 : a < b ? -1 : 0
    const crosses = sign === this.direction && this.sign === -this.direction
    this.sign = sign
    return crosses ? 1 : 0
  }
}

function constant(level: number, like: Column): Float64Array {
  return new Float64Array(typeof like === 'number' ? 0 : like.length).fill(level)
}
